"""A network as a list of steps for the page's own WebAssembly, `web/assembly/network.ts`.

ONNX Runtime's WebAssembly has no fused multiply-add, and copies what a depthwise convolution reads
nine times; the page's kernel takes half of its time. It knows what most real-time networks are made
of: convolutions, of all channels or of each, sums and ReLUs behind them, means over regions,
bilinear resizing and concatenations. A graph that holds anything else has no plan, and the page
runs it with ONNX Runtime.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from swiftseg.exporting.fused_graph import FusedGraph, Operator, fused_graph
from swiftseg.exporting.plan_file import FRAME, LANES, Map, Plan, Step, StepKind, write_plan
from swiftseg.kernels.bilinear import bilinear_axis

_ALIGN_CORNERS = {"half_pixel": False, "align_corners": True}

# What is done to the frame before the first convolution, and with which attributes.
_OF_FRAMES: Mapping[str, Mapping[str, list[int]]] = {
    "Transpose": {"perm": [0, 3, 1, 2]},
    "Cast": {"to": [1]},  # float32
    "Mul": {},
    "Div": {},
    "Add": {},
    "Sub": {},
}


class _NoPlanError(Exception):
    """The graph holds what the page's kernel does not compute."""


def make_plan(model: bytes, frames: str, scores: str) -> Plan | None:
    """Plan a graph, or return None where the page's kernel does not compute all of it.

    Args:
        model: An .onnx file.
        frames: Its input, uint8 (N, H, W, bands).
        scores: Its output, float32 (N, classes, h, w).
    """
    graph = fused_graph(model)
    try:
        planner = _Planner(graph, frames)
        for operator in graph.operators:
            planner.add(operator)
        return planner.plan(scores)
    except (_NoPlanError, OverflowError):
        return None


class _Planner:
    """Turns operators into steps, one by one."""

    def __init__(self, graph: FusedGraph, frames: str) -> None:
        self.graph = graph
        self.steps: list[Step] = []
        shape = graph.inputs.get(frames, ())
        if len(shape) != 4:
            raise _NoPlanError("frames of no fixed size")
        _, height, width, bands = shape
        self.frame = Map(bands, height, width, FRAME, bands)
        # What the frame is multiplied by and what is added, by the value that is left.
        self._scaled = {frames: (np.ones(bands, np.float32), np.zeros(bands, np.float32))}
        self._maps: dict[str, Map] = {}
        self._parts: dict[str, tuple[str, int, int]] = {}  # the memory, its channels, the first

    def plan(self, scores: str) -> Plan:
        """Write the steps, in which joined maps lie side by side."""
        steps = [
            replace(
                step,
                source=self._part(step.source),
                target=self._part(step.target),
                added=self._part(step.added) if step.added else None,
            )
            for step in self.steps
        ]
        return write_plan(steps, self._part(self.map(scores)))

    def add(self, operator: Operator) -> None:
        known: Mapping[str, Callable[[Operator], None]] = {
            **dict.fromkeys(_OF_FRAMES, self._scale),
            "Conv": self._convolve,
            "FusedConv": self._convolve,
            "Resize": self._resize,
            "MatMul": self._average,
            "Concat": self._join,
        }
        if operator.op not in known:
            raise _NoPlanError(operator.op)
        known[operator.op](operator)

    def map(self, value: str) -> Map:
        """Return a map that a step has made, or that of the scaled frame."""
        if value in self._scaled and value not in self._maps:
            factor, shift = self._scaled[value]
            made = replace(self.frame, memory=value)
            self._maps[value] = made
            step = Step(StepKind.NORMALIZE, self.frame, made, weights=factor, bias=shift)
            self.steps.append(step)
        if value not in self._maps:
            raise _NoPlanError(f"{value} is no map")
        return self._maps[value]

    def _scale(self, operator: Operator) -> None:
        """Follow the frame on its way to the first convolution."""
        name, *rest = operator.inputs
        if name not in self._scaled or operator.numbers != _OF_FRAMES[operator.op]:
            raise _NoPlanError(f"{operator.op} of maps")
        factor, shift = self._scaled[name]
        if rest:
            constant = self._weight(rest[0])
            if constant.size > 1 and constant.shape[-3:] != (self.frame.channels, 1, 1):
                raise _NoPlanError("a constant for each pixel")
            constant = constant.ravel()
            if operator.op in ("Mul", "Div"):
                constant = constant if operator.op == "Mul" else 1 / constant
                factor, shift = factor * constant, shift * constant
            else:
                shift = shift + (constant if operator.op == "Add" else -constant)
        bands = np.zeros(self.frame.channels, np.float32)
        self._scaled[operator.output] = (factor + bands, shift + bands)

    def _convolve(self, operator: Operator) -> None:
        weight = self._weight(operator.inputs[1])  # (channels, channels of a group, h, w)
        if weight.ndim != 4 or operator.texts.get("auto_pad", "NOTSET") != "NOTSET":
            raise _NoPlanError("another convolution")
        source = self.map(operator.inputs[0])
        groups = operator.numbers.get("group", [1])
        by_channel = groups == [source.channels] == [len(weight)] and groups != [1]
        if not (by_channel or groups == [1]) or (by_channel and operator.inputs[0] in self._scaled):
            raise _NoPlanError("groups of channels")
        activation = operator.texts.get("activation")
        if activation not in (None, "Relu"):
            raise _NoPlanError(activation)
        kernel, strides, dilations, pads = _window(operator, weight)
        target = self._make(
            operator.output,
            len(weight),
            _windows(source.height, kernel[0], strides[0], dilations[0], pads[0] + pads[2]),
            _windows(source.width, kernel[1], strides[1], dilations[1], pads[1] + pads[3]),
        )
        step = Step(
            StepKind.CONVOLVE_BY_CHANNEL if by_channel else StepKind.CONVOLVE,
            source,
            target,
            self.map(operator.inputs[3]) if len(operator.inputs) > 3 else None,
            (*kernel, *strides, *dilations, *pads[:2]),
            _by_channel(weight) if by_channel else _blocks(weight),
            self._bias(operator, len(weight)),
            lowest=-np.inf if activation is None else 0,
        )
        self.steps.append(step)

    def _bias(self, operator: Operator, channels: int) -> np.ndarray:
        has_one = len(operator.inputs) > 2 and operator.inputs[2]
        bias = self._weight(operator.inputs[2]) if has_one else np.zeros(channels, np.float32)
        return np.pad(bias, (0, -channels % LANES))

    def _resize(self, operator: Operator) -> None:
        texts = operator.texts
        align = _ALIGN_CORNERS.get(texts.get("coordinate_transformation_mode", "half_pixel"))
        policy = texts.get("keep_aspect_ratio_policy", "stretch")
        is_special = operator.numbers.get("antialias") == [1] or "axes" in operator.numbers
        if texts.get("mode") != "linear" or align is None or policy != "stretch" or is_special:
            raise _NoPlanError("another way to resize")
        source = self.map(operator.inputs[0])
        target = self._make(operator.output, source.channels, *self._new_size(operator, source))
        sizes = ((source.height, target.height), (source.width, target.width))
        rows, columns = (
            np.concatenate([array.view(np.float32) for array in (*axis.reads, axis.weights[1])])
            for axis in (bilinear_axis(*size, align_corners=align) for size in sizes)
        )
        self.steps.append(Step(StepKind.RESIZE, source, target, weights=rows, bias=columns))

    def _new_size(self, operator: Operator, source: Map) -> tuple[int, int]:
        """Read a Resize's target size from its sizes or its factors."""
        inputs = [*operator.inputs, "", ""]
        if inputs[3]:
            height, width = self._weight(inputs[3])[2:]
        else:
            factors = self._weight(inputs[2])[2:].tolist()
            height, width = source.height * factors[0], source.width * factors[1]
        if height != int(height) or width != int(width):
            raise _NoPlanError("a resizing by factors that are not the sizes' quotients")
        return int(height), int(width)

    def _average(self, operator: Operator) -> None:
        """Plan a matrix times a map's rows, or a map times a matrix, which takes its columns."""
        left, right = operator.inputs
        of_rows = left in self.graph.weights
        matrix = self._weight(left if of_rows else right)
        if matrix.ndim != 2:
            raise _NoPlanError("other products")
        matrix = matrix if of_rows else matrix.T
        source, size = self.map(right if of_rows else left), len(matrix)
        height, width = (size, source.width) if of_rows else (source.height, size)
        target = self._make(operator.output, source.channels, height, width)
        numbers = (*matrix.shape, int(of_rows), 0, 1, 1, 0, 0)
        self.steps.append(Step(StepKind.AVERAGE, source, target, numbers=numbers, weights=matrix))

    def _join(self, operator: Operator) -> None:
        """Have maps written where they are joined."""
        maps = [self.map(name) for name in operator.inputs]
        channels = sum(part.channels for part in maps)
        if operator.numbers.get("axis") != [1]:
            raise _NoPlanError("another concatenation")
        first = 0
        for name, part in zip(operator.inputs, maps, strict=True):
            if part.channels % LANES or name in self._parts or name in self._scaled:
                raise _NoPlanError("maps that cannot lie side by side")
            self._parts[name] = operator.output, channels, first
            first += part.channels
        self._make(operator.output, channels, maps[0].height, maps[0].width)

    def _part(self, whole: Map) -> Map:
        """Return a map where it lies."""
        if whole.memory not in self._parts:
            return whole
        memory, channels, first = self._parts[whole.memory]
        if memory in self._parts:
            raise _NoPlanError("maps that are joined twice")
        return replace(whole, memory=memory, memory_channels=channels, first_channel=first)

    def _make(self, value: str, channels: int, height: int, width: int) -> Map:
        """Return the map that a step is to write."""
        filled = channels + -channels % LANES
        self._maps[value] = Map(channels, height, width, value, filled)
        return self._maps[value]

    def _weight(self, name: str) -> np.ndarray:
        if name not in self.graph.weights:
            raise _NoPlanError(f"{name} is no weight")
        return self.graph.weights[name]


def _window(operator: Operator, weight: np.ndarray) -> tuple[list[int], ...]:
    """Return a convolution's kernel size, strides, dilations and paddings."""
    numbers = operator.numbers
    return (
        list(weight.shape[2:]),
        numbers.get("strides", [1, 1]),
        numbers.get("dilations", [1, 1]),
        numbers.get("pads", [0, 0, 0, 0]),
    )


def _windows(size: int, kernel: int, stride: int, dilation: int, padding: int) -> int:
    """Return how often a kernel fits."""
    return (size + padding - dilation * (kernel - 1) - 1) // stride + 1


def _blocks(weight: np.ndarray) -> np.ndarray:
    """Order weights (channels, source channels, h, w) as (channels / 8, h w source channels, 8)."""
    rows = weight.transpose(2, 3, 1, 0).reshape(-1, len(weight))
    rows = np.pad(rows, ((0, 0), (0, -len(weight) % LANES)))
    return rows.reshape(len(rows), -1, LANES).swapaxes(0, 1)


def _by_channel(weight: np.ndarray) -> np.ndarray:
    """Order weights (channels, 1, h, w) as (h w, channels)."""
    rows = weight.reshape(len(weight), -1).T
    return np.pad(rows, ((0, 0), (0, -len(weight) % LANES)))
