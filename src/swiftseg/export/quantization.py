"""Convolutions in int8, as many as an accuracy budget allows.

Ranges of activations come from real frames, weights have a scale a channel. Where all convolutions
together cost too much, each is measured alone and the most sensitive ones stay in float.
"""

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto
from onnxruntime.quantization import CalibrationDataReader, QuantType
from onnxruntime.quantization.calibrate import create_calibrator
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.core.files import replacing
from swiftseg.export.graph import attribute
from swiftseg.metrics import confusion_matrix, scores
from swiftseg.runtimes import load_backend, read_spec
from swiftseg.runtimes.base import INPUT_NAME
from swiftseg.runtimes.selection import labels_of
from swiftseg.runtimes.trial import Candidate, compare_ms

SENSITIVITY_FRAMES = 4  # each convolution is measured alone, and there may be a hundred


@dataclass(frozen=True)
class QuantizationReport:
    """What int8 costs and gains on this machine.

    Attributes:
        frames: How many were measured, the same that the ranges were taken from.
        measure: `mean IoU`, or `labels equal to f32's` where there are no masks.
        before: That measure of the float file, in percent.
        after: That of the int8 file.
        before_ms: Milliseconds a frame of the float file.
        after_ms: Those of the int8 file.
        convolutions: How many could be quantized.
        in_float: Names of those that were not, the most sensitive first.
    """

    frames: int
    measure: str
    before: float
    after: float
    before_ms: float
    after_ms: float
    convolutions: int
    in_float: tuple[str, ...]


def quantize_onnx(
    source: Path,
    path: Path,
    frames: Sequence[np.ndarray],
    *,
    masks: Sequence[np.ndarray] = (),
    max_drop: float = 0.5,
) -> QuantizationReport:
    """Writes an exported file once more with convolutions in int8, for ONNX Runtime and OpenVINO.

    Args:
        source: An exported file in float32.
        path: Where the int8 file goes.
        frames: uint8 (*size_hw, 3), RGB.
        masks: uint8 (*size_hw), one a frame, to measure mean IoU by; without them the measure is
            how many labels stay as they were.
        max_drop: What the measure may lose, in points of percent.

    Raises:
        UsageError: `max_drop` is below 0 or above 100, or the path does not end in .onnx.
        SwiftsegError: No set of convolutions stays within `max_drop`, or int8 is not faster than
            float on this machine; nothing is written.
    """
    if not 0 <= max_drop <= 100:
        raise UsageError(f"expected --max-drop of 0 to 100 points, got {max_drop:g}")
    if path.suffix != ".onnx":
        raise UsageError(f"expected a file name that ends in .onnx, got {path}")
    measure = _measure(source, frames, masks)
    before = measure(source)
    with TemporaryDirectory() as folder, replacing(path) as temporary:
        quantizer = _Quantizer(source, frames, Path(folder))
        after, in_float = _within_budget(quantizer, measure, temporary, before - max_drop, path)
        before_ms, after_ms = compare_ms([Candidate(str(source)), Candidate(str(temporary))])
        if after_ms >= before_ms:
            raise SwiftsegError(
                f"{path} not written: int8 takes {after_ms:.1f} ms a frame on this machine where "
                f"float takes {before_ms:.1f} ms"
            )
    return QuantizationReport(
        frames=len(frames),
        measure="mean IoU" if masks else "labels equal to f32's",
        before=before,
        after=after,
        before_ms=before_ms,
        after_ms=after_ms,
        convolutions=len(quantizer.names),
        in_float=in_float,
    )


class _Quantizer:
    """Writes a file with any of its convolutions quantized.

    Attributes:
        names: Of the convolutions that may be.
    """

    def __init__(self, source: Path, frames: Sequence[np.ndarray], folder: Path) -> None:
        self._source = source
        self._frames = frames
        self._folder = folder
        self._model = onnx.load(source)
        for node in self._model.graph.node:
            node.name = node.output[0]  # what the quantizer knows nodes by
        self.names = [node.name for node in self._model.graph.node if _is_worthwhile(self, node)]
        if not self.names:
            raise SwiftsegError(f"{source}: holds no convolution to quantize")
        self._ranges = self._measured_ranges()

    def write(self, names: Iterable[str], path: Path) -> None:
        """Writes the file with these convolutions in int8 and the rest in float."""
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
        onnx.save(model, path)

    def sensitivities(self) -> dict[str, float]:
        """Gives the mean square by which the scores move, for each convolution by itself."""
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
    """Hands frames to the calibrator one by one."""

    def __init__(self, frames: Sequence[np.ndarray]) -> None:
        self._frames = iter(frames)

    def get_next(self) -> dict[str, np.ndarray]:
        frame = next(self._frames, None)
        return {} if frame is None else {INPUT_NAME: frame[None]}  # nothing ends it


def _is_worthwhile(quantizer: _Quantizer, node: onnx.NodeProto) -> bool:
    """Leaves out what only scales its channels, as half a PReLU does: that is memory, not work."""
    if node.op_type != "Conv" or node.input[1] not in quantizer.weight_names():
        return False
    return attribute(node, "group", 1) == 1 or set(attribute(node, "kernel_shape", [3])) != {1}


def _within_budget(
    quantizer: _Quantizer,
    measure: Callable[[Path], float],
    path: Path,
    least: float,
    final: Path,
) -> tuple[float, tuple[str, ...]]:
    """Writes `path` with as few convolutions in float as it takes, doubling their number.

    Returns:
        The measure, and the names of those in float.
    """
    quantizer.write(quantizer.names, path)
    best = reached = measure(path)
    if reached >= least:
        return reached, ()
    moved = quantizer.sensitivities()
    by_sensitivity = sorted(quantizer.names, key=lambda name: -moved[name])
    kept = 1
    while kept < len(by_sensitivity):
        quantizer.write(by_sensitivity[kept:], path)
        reached = measure(path)
        if reached >= least:
            return reached, tuple(by_sensitivity[:kept])
        best, kept = max(best, reached), 2 * kept
    raise SwiftsegError(
        f"{final} not written: with int8 the measure falls to {best:.2f} % at best, and --max-drop "
        f"allows {least:.2f} %"
    )


def _measure(
    source: Path, frames: Sequence[np.ndarray], masks: Sequence[np.ndarray]
) -> Callable[[Path], float]:
    """Gives what scores a file in percent: mean IoU by masks, else labels equal to the source's."""
    if masks:
        labels = read_spec(source).labels

        def score(path: Path) -> float:
            matrix = np.zeros((len(labels), len(labels)), dtype=np.int64)
            for label_map, mask in zip(_label_maps(path, frames), masks, strict=True):
                matrix += confusion_matrix(label_map, mask, len(labels), labels.ignore_index)
            return 100 * scores(matrix).mean_iou

        return score
    right = list(_label_maps(source, frames))

    def equal(path: Path) -> float:
        pairs = zip(_label_maps(path, frames), right, strict=True)
        return 100 * float(np.mean([np.mean(own == other) for own, other in pairs]))

    return equal


def _label_maps(path: Path, frames: Sequence[np.ndarray]) -> Iterable[np.ndarray]:
    backend = load_backend(path)
    return (labels_of(backend.run(frame[None]))[0] for frame in frames)


def _scores(path: Path, frames: Sequence[np.ndarray]) -> np.ndarray:
    """Gives logits or probabilities (N, C, H, W), whichever the file holds."""
    backend = load_backend(path)
    run = backend.run if backend.spec.output != "labels" else backend.run_logits
    return np.concatenate([run(frame[None]) for frame in frames])
