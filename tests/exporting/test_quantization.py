"""Quantized files on a network and masks that are made so that int8 is nearly right."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from swiftseg.core import InputSpec, SwiftsegError, UsageError
from swiftseg.exporting import quantization
from swiftseg.exporting.onnx_file import write_onnx
from swiftseg.exporting.quantization import quantize_onnx
from swiftseg.inference.calibration_frames import Calibration
from swiftseg.runtimes import BACKENDS, load_backend, read_spec
from swiftseg.runtimes.base import labels_of
from swiftseg.runtimes.trial import Trial
from tests.support.settled_networks import street_frames, street_spec

SIZE_HW = (48, 64)
FRAMES = street_frames(SIZE_HW, 6)
SEEN = Calibration(tuple(FRAMES), (None,) * len(FRAMES))


class ThreeConvolutions(nn.Module):
    """The second one's inputs span six orders of magnitude, which 8 bits do not hold."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.wide = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.last = nn.Conv2d(8, 5, 1, bias=False)
        self.register_buffer("spread", torch.logspace(-3, 3, 8).reshape(1, 8, 1, 1))
        with torch.no_grad():
            self.wide.weight /= self.get_buffer("spread")

    def forward(self, image: Tensor) -> Tensor:
        features = torch.relu(self.first(image - 0.5)) * self.get_buffer("spread")
        return self.last(self.wide(features))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("float") / "float.onnx"
    write_onnx(ThreeConvolutions().eval(), street_spec(5, InputSpec(SIZE_HW)), path)
    return path


@pytest.fixture(params=BACKENDS)
def faster(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    """Whether and where int8 gains time is the machine's; here it does in one engine."""
    name: str = request.param

    def compared(candidates: Sequence[Trial]) -> list[float]:
        return [
            1.0 if one.backend == name and not one.path.endswith("float.onnx") else 2.0
            for one in candidates
        ]

    monkeypatch.setattr(quantization, "compare_ms", compared)
    return name


def label_maps(path: Path, name: str = BACKENDS[0]) -> list[np.ndarray]:
    backend = load_backend(path, name=name)
    return [labels_of(backend, frame[None])[0] for frame in FRAMES]


def test_the_sensitive_convolution_stays_in_float(source: Path, tmp_path: Path, faster: str):
    out = tmp_path / "int8.onnx"
    report = quantize_onnx(source, out, SEEN, max_drop=5)
    assert report.convolutions == 3
    assert report.in_float == ("conv2d_1",)  # the tracer's name of the second one
    assert (report.before_ms, report.after_ms, report.after_backend) == (2, 1, faster)
    equal = np.mean(np.stack(label_maps(out, faster)) == np.stack(label_maps(source)))
    assert (report.before, report.after) == (100, pytest.approx(100 * equal))
    assert report.after >= 95
    assert read_spec(out) == read_spec(source)
    weights = [tensor.data_type for tensor in onnx.load(out).graph.initializer]
    assert weights.count(onnx.TensorProto.INT8) >= 2


@pytest.mark.usefixtures("faster")
def test_frames_may_be_normalized(tmp_path: Path):
    """Its constants are called like the scales that the quantizer adds."""
    path = tmp_path / "float.onnx"
    normalized = InputSpec(SIZE_HW, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4))
    write_onnx(ThreeConvolutions().eval(), street_spec(5, normalized), path)
    assert any(tensor.name.endswith("_scale") for tensor in onnx.load(path).graph.initializer)
    report = quantize_onnx(path, tmp_path / "int8.onnx", SEEN, max_drop=100)
    assert report.in_float == ()


@pytest.mark.usefixtures("faster")
@pytest.mark.parametrize("enlarged", [1, 2])
def test_masks_make_it_mean_iou(source: Path, tmp_path: Path, enlarged: int):
    masks = [labels.repeat(enlarged, 0).repeat(enlarged, 1) for labels in label_maps(source)]
    seen = replace(SEEN, masks=tuple(masks))
    report = quantize_onnx(source, tmp_path / "int8.onnx", seen, max_drop=40)
    assert report.measure == "mean IoU"
    assert report.before == 100
    assert 60 <= report.after <= 100


@pytest.mark.usefixtures("faster")
def test_a_budget_that_cannot_be_kept_leaves_no_file(source: Path, tmp_path: Path):
    out = tmp_path / "int8.onnx"
    with pytest.raises(SwiftsegError, match=r"int8\.onnx not written: with int8 the measure falls"):
        quantize_onnx(source, out, SEEN, max_drop=0.1)
    assert not list(tmp_path.iterdir())


def test_what_is_not_faster_is_not_written(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(quantization, "compare_ms", lambda candidates: [1.0] * len(candidates))
    with pytest.raises(SwiftsegError, match=r"int8 takes 1\.0 ms .* where float takes 1\.0 ms"):
        quantize_onnx(source, tmp_path / "int8.onnx", SEEN, max_drop=100)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("max_drop", [-0.1, 101])
def test_impossible_budgets_are_refused(source: Path, tmp_path: Path, max_drop: float):
    with pytest.raises(UsageError, match="expected --max-drop of 0 to 100 points"):
        quantize_onnx(source, tmp_path / "int8.onnx", SEEN, max_drop=max_drop)
