"""Convolutions in int8, as many as an accuracy budget allows.

Ranges of activations come from real frames, weights have a scale a channel. Where all convolutions
together cost too much, each is measured alone and the most sensitive ones stay in float.
"""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto
from onnxruntime.quantization import CalibrationDataReader, QuantType
from onnxruntime.quantization.calibrate import create_calibrator
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

from swiftseg.core import SwiftsegError
from swiftseg.core.files import check_suffix, replacing
from swiftseg.exporting.budget import Measure, check_max_drop, measure_against, measure_name
from swiftseg.exporting.graph import attribute
from swiftseg.exporting.onnx_file import save_onnx
from swiftseg.inference.calibration_frames import Calibration
from swiftseg.runtimes import BACKENDS, load_backend
from swiftseg.runtimes.base import INPUT_NAME, upsampled_of
from swiftseg.runtimes.trial import Trial, compare_ms

DEFAULT_BACKEND = BACKENDS[0]  # what labels are measured in while convolutions are chosen
SENSITIVITY_FRAMES = 4  # each convolution is measured alone, and there may be a hundred


@dataclass(frozen=True)
class QuantizationReport:
    """What int8 costs and gains on this machine.

    Attributes:
        frames: How many were measured, the same that the ranges were taken from.
        measure: `mean IoU`, or `labels equal to f32's` where there are no masks.
        before: That measure of the float file, in percent.
        after: That of the int8 file.
        before_ms: Milliseconds a frame of the float file in float32, in the fastest engine.
        after_ms: Milliseconds of the int8 file in its fastest engine, where `after` was measured.
        convolutions: How many could be quantized.
        in_float: Names of those that were not, the most sensitive first.
    """

    frames: int
    measure: str
    before: float
    after: float
    before_ms: float
    before_backend: str
    after_ms: float
    after_backend: str
    convolutions: int
    in_float: tuple[str, ...]


def quantize_onnx(
    source: Path,
    path: Path,
    seen: Calibration,
    *,
    max_drop: float = 0.5,
) -> QuantizationReport:
    """Write an exported file once more with convolutions in int8, for ONNX Runtime and OpenVINO.

    Args:
        source: An exported file in float32.
        path: Where the int8 file goes.
        seen: Frames; with masks the measure is mean IoU at their own size, without them how many
            labels stay as they were.
        max_drop: What the measure may lose, in points of percent.

    Raises:
        UsageError: `max_drop` is below 0 or above 100, or the path does not end in .onnx.
        SwiftsegError: No set of convolutions stays within `max_drop`, or int8 is in no installed
            engine faster than float32 in the fastest; nothing is written.
    """
    check_max_drop(max_drop)
    check_suffix(path, ".onnx")
    measure = measure_against(load_backend(source), seen)
    before = measure(load_backend(source))
    with TemporaryDirectory() as folder, replacing(path) as temporary:
        quantizer = _Quantizer(source, seen.frames, Path(folder))
        after, in_float = _within_budget(quantizer, measure, temporary, before - max_drop, path)
        (before_ms, before_backend), (after_ms, after_backend) = _fastest([source, temporary])
        if after_ms >= before_ms:
            raise SwiftsegError(
                f"{path} not written: int8 takes {after_ms:.1f} ms per frame on this machine "
                f"({after_backend}) where float takes {before_ms:.1f} ms ({before_backend})"
            )
        if after_backend != DEFAULT_BACKEND:
            after = measure(load_backend(temporary, name=after_backend))
            if after < before - max_drop:
                raise _over_budget(path, after, before - max_drop, after_backend)
    return QuantizationReport(
        frames=len(seen.frames),
        measure=measure_name(seen),
        before=before,
        after=after,
        before_ms=before_ms,
        before_backend=before_backend,
        after_ms=after_ms,
        after_backend=after_backend,
        convolutions=len(quantizer.names),
        in_float=in_float,
    )


class _Quantizer:
    """Write a file with any of its convolutions quantized."""

    def __init__(self, source: Path, frames: Sequence[np.ndarray], folder: Path) -> None:
        self._source = source
        self._frames = frames
        self._folder = folder
        self._model = onnx.load(source)
        _free_names(self._model)
        for node in self._model.graph.node:
            node.name = node.output[0]  # what the quantizer knows nodes by
        self.names = [node.name for node in self._model.graph.node if _is_worthwhile(self, node)]
        if not self.names:
            raise SwiftsegError(f"{source}: holds no convolution to quantize")
        self._ranges = self._measured_ranges()

    def write(self, names: Iterable[str], path: Path) -> None:
        """Write the file with these convolutions in int8 and the rest in float."""
        quantizer = QDQQuantizer(
            deepcopy(self._model),
            True,  # a scale for each channel of a weight
            False,
            QuantType.QInt8,
            QuantType.QUInt8,
            self._ranges,
            list(names),
            [],
            ["Conv"],
            {},
        )
        quantizer.quantize_model()
        quantizer.model.topological_sort()
        model: ModelProto = quantizer.model.model
        del model.metadata_props[:]
        model.metadata_props.extend(self._model.metadata_props)
        save_onnx(model, path)

    def sensitivities(self) -> dict[str, float]:
        """Return the mean square by which the scores move, for each convolution by itself."""
        frames = self._frames[:: -(-len(self._frames) // SENSITIVITY_FRAMES)]
        right = _scores(self._source, frames)
        path = self._folder / "one.onnx"
        moved: dict[str, float] = {}
        for name in self.names:
            self.write([name], path)
            moved[name] = float(np.mean(np.square(_scores(path, frames) - right)))
        return moved

    def weight_names(self) -> set[str]:
        return {tensor.name for tensor in self._model.graph.initializer}

    def _measured_ranges(self) -> Any:
        calibrator = create_calibrator(
            self._named(), ["Conv"], augmented_model_path=str(self._folder / "augmented.onnx")
        )
        calibrator.collect_data(_Frames(self._frames))
        return calibrator.compute_data()

    def _named(self) -> Path:
        path = self._folder / "named.onnx"
        onnx.save(self._model, path)
        return path


class _Frames(CalibrationDataReader):
    """Hand frames to the calibrator one by one."""

    def __init__(self, frames: Sequence[np.ndarray]) -> None:
        self._frames = iter(frames)

    def get_next(self) -> dict[str, np.ndarray]:
        frame = next(self._frames, None)
        return {} if frame is None else {INPUT_NAME: frame[None]}  # nothing ends it


def _free_names(model: ModelProto) -> None:
    """Rename constants that bear a name which the quantizer gives to its own of some value."""
    ours = {t.name: f"{t.name}.constant" for t in model.graph.initializer if _is_taken(t.name)}
    for tensor in model.graph.initializer:
        tensor.name = ours.get(tensor.name, tensor.name)
    for node in model.graph.node:
        node.input[:] = [ours.get(name, name) for name in node.input]


def _is_taken(name: str) -> bool:
    return name.endswith(("_scale", "_zero_point", "_quantized"))


def _is_worthwhile(quantizer: _Quantizer, node: onnx.NodeProto) -> bool:
    """Leave out what only scales its channels, as half a PReLU does: that is memory, not work."""
    if node.op_type != "Conv" or node.input[1] not in quantizer.weight_names():
        return False
    return attribute(node, "group", 1) == 1 or set(attribute(node, "kernel_shape", [3])) != {1}


def _fastest(paths: Sequence[Path]) -> list[tuple[float, str]]:
    """Return each file's fastest engine, after the milliseconds it takes for a frame."""
    engines = [name for name in BACKENDS if find_spec(name)]
    times_ms = compare_ms([Trial(str(path), name) for path in paths for name in engines])
    return [
        min(zip(times_ms[start : start + len(engines)], engines, strict=True))
        for start in range(0, len(times_ms), len(engines))
    ]


def _within_budget(
    quantizer: _Quantizer,
    measure: Measure,
    path: Path,
    least: float,
    final: Path,
) -> tuple[float, tuple[str, ...]]:
    """Write `path` with as few convolutions in float as it takes, doubling their number.

    Returns:
        The measure, and the names of those in float.
    """
    quantizer.write(quantizer.names, path)
    best = reached = measure(load_backend(path))
    if reached >= least:
        return reached, ()
    moved = quantizer.sensitivities()
    by_sensitivity = sorted(quantizer.names, key=lambda name: -moved[name])
    kept = 1
    while kept < len(by_sensitivity):
        quantizer.write(by_sensitivity[kept:], path)
        reached = measure(load_backend(path))
        if reached >= least:
            return reached, tuple(by_sensitivity[:kept])
        best, kept = max(best, reached), 2 * kept
    raise _over_budget(final, best, least, DEFAULT_BACKEND)


def _over_budget(path: Path, best: float, least: float, backend: str) -> SwiftsegError:
    return SwiftsegError(
        f"{path} not written: with int8 the measure falls to {best:.2f} % at best in {backend}, "
        f"and --max-drop allows {least:.2f} %"
    )


def _scores(path: Path, frames: Sequence[np.ndarray]) -> np.ndarray:
    """Return logits or probabilities (N, C, H, W), whichever the file holds."""
    backend = load_backend(path)
    return np.concatenate([upsampled_of(backend, frame[None]) for frame in frames])
