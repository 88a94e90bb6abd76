"""The way from a network to a file that can be trusted."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from torch import nn

from swiftseg.core import InputSpec, ModelSpec, OutputKind
from swiftseg.core.files import check_suffix, replacing
from swiftseg.core.log import warn
from swiftseg.data.toy_street import ToyStreet
from swiftseg.exporting.onnx_file import package_versions, rewrite_spec, write_onnx
from swiftseg.exporting.parity import ParityReport, measure_parity
from swiftseg.runtimes.torch_backend import TorchBackend

EQUAL_LABELS = "export/equal_labels"  # share of pixels with torch's label, 0..1, at export


def export_onnx(
    network: nn.Module,
    spec: ModelSpec,
    path: Path,
    *,
    output: OutputKind = "labels",
    frames: Iterable[np.ndarray] | None = None,
) -> ParityReport:
    """Write a network as one .onnx file, and compare the two on the same frames.

    The file appears only when every engine that is installed agrees with torch. How many labels
    are equal stays in it, as the metric `EQUAL_LABELS`; a warning tells of less than usual.

    Args:
        network: Maps float32 (N, 3, H, W) to logits (N, C, H, W); switched to eval
            mode and moved to the CPU.
        spec: Describes it; `spec.input.size_hw` becomes the file's fixed input size.
        path: Where the file goes.
        output: What the file gives first, see `swiftseg.runtimes.base`.
        frames: uint8 (*size_hw, 3), RGB, to compare on; None takes drawn street scenes.

    Raises:
        UsageError: The path does not end in .onnx.
        SwiftsegError: An engine's answers differ from torch's above tolerance, the file cannot be
            written, or there are no frames.
    """
    check_suffix(path, ".onnx")
    spec = replace(spec, output=output, versions=package_versions())
    with replacing(path, durable=True) as temporary:
        write_onnx(network.eval(), spec, temporary)
        report = measure_parity(
            TorchBackend(network, spec),
            temporary,
            drawn_frames(spec.input) if frames is None else frames,
        )
        report.check(path)
        metrics = {**spec.metrics, EQUAL_LABELS: report.equal_labels}
        rewrite_spec(temporary, replace(spec, metrics=metrics))
    warning = report.warning(path)
    if warning is not None:
        warn(warning)
    return report


def drawn_frames(spec: InputSpec) -> Iterator[np.ndarray]:
    """Draw frames (*size_hw, bands) with the surfaces, edges and noise that streets have.

    Other bands than RGB take turns with its channels, each with its own mean and deviation.
    """
    for sample in ToyStreet("test", 4, spec.size_hw):
        if spec.is_rgb:
            yield sample.image
            continue
        gray = sample.image[..., np.arange(spec.bands) % 3] / 127.5 - 1  # -1 to 1
        values = spec.largest * (np.array(spec.mean) + 2 * np.array(spec.std) * gray)
        if spec.dtype != "float32":
            limits = np.iinfo(spec.dtype)
            values = np.rint(values).clip(limits.min, limits.max)
        yield values.astype(spec.dtype)
