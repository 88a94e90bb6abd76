from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from swiftseg.core import OUTPUT_KINDS, InputSpec, ModelSpec, OutputKind, SwiftsegError, UsageError
from swiftseg.exporting import export_onnx
from swiftseg.exporting.checked_export import EQUAL_LABELS
from swiftseg.exporting.parity import MIN_EQUAL_LABELS, EngineParity, ParityReport
from swiftseg.models.enet import ENet
from swiftseg.runtimes import read_spec
from tests.support.settled_networks import settled_enet, street_frames, street_spec

INPUT = InputSpec((48, 64), mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3))
SPEC = street_spec(
    5, INPUT, training_data="none", license_note="free", metrics={"val/mean_iou": 0.1}
)
FRAMES = street_frames(INPUT.size_hw, 3)


class TinyNetwork(nn.Module):
    """A factor but 1 gives other logits while it is exported, as a faulty operator would."""

    def __init__(self, factor: float = 1.0) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.norm, self.factor = nn.Conv2d(3, 5, 3, padding=1), nn.BatchNorm2d(5), factor

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        logits = self.norm(self.conv(image))
        return logits * self.factor if torch.onnx.is_in_onnx_export() else logits


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exported") / "enet.onnx"
    export_onnx(settled_enet(INPUT), SPEC, path)
    return path


def types_of(value: onnx.ValueInfoProto) -> tuple[int, list[int | str]]:
    tensor = value.type.tensor_type
    return tensor.elem_type, [dim.dim_param or dim.dim_value for dim in tensor.shape.dim]


def test_the_report_names_both_engines(tmp_path: Path):
    report = export_onnx(TinyNetwork(), SPEC, tmp_path / "enet.onnx", frames=FRAMES)
    assert report.frames == 3
    assert [parity.engine for parity in report.engines] == ["onnxruntime", "openvino"]
    assert all(parity.passed for parity in report.engines)


def test_what_the_file_takes_and_gives(exported: Path):
    graph = onnx.load(exported).graph
    takes = {value.name: types_of(value) for value in graph.input}
    gives = {value.name: types_of(value) for value in graph.output}
    assert takes == {"frames": (onnx.TensorProto.UINT8, ["N", 48, 64, 3])}
    assert list(gives) == ["labels", "logits"]
    assert gives["labels"] == (onnx.TensorProto.UINT8, ["N", 48, 64])
    assert gives["logits"] == (onnx.TensorProto.FLOAT, ["N", 5, 48, 64])


@pytest.mark.parametrize("output", ["logits", "probs"])
def test_scores_stand_alone(tmp_path: Path, output: OutputKind):
    export_onnx(TinyNetwork(), SPEC, tmp_path / "enet.onnx", output=output, frames=FRAMES)
    assert [value.name for value in onnx.load(tmp_path / "enet.onnx").graph.output] == [output]
    assert read_spec(tmp_path / "enet.onnx").output == output


def test_training_only_operators_are_gone(exported: Path):
    operators = {node.op_type for node in onnx.load(exported).graph.node}
    assert not operators & {"BatchNormalization", "Dropout", "MaxUnpool"}
    assert not operators & {"PRelu", "DepthToSpace"}


def test_the_file_describes_itself_and_needs_no_other(exported: Path):
    spec = read_spec(exported)
    assert set(spec.versions) == {"swiftseg", "torch", "onnx"}
    assert spec.metrics[EQUAL_LABELS] >= MIN_EQUAL_LABELS
    fields = spec.to_dict() | {"versions": {}, "metrics": SPEC.metrics}
    assert ModelSpec.from_dict(fields) == SPEC
    assert [file.name for file in exported.parent.iterdir()] == ["enet.onnx"]
    weights = sum(parameter.numel() for parameter in ENet(5).parameters())
    assert exported.stat().st_size < 4 * weights + 200_000


def test_the_file_tells_nothing_of_where_it_was_made(exported: Path):
    assert str(Path(torch.__file__).parents[1]).encode() not in exported.read_bytes()
    assert b".py" not in exported.read_bytes()


def test_the_network_keeps_its_weights(tmp_path: Path):
    network = TinyNetwork()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    export_onnx(network, SPEC, tmp_path / "enet.onnx", frames=FRAMES)
    assert network.state_dict().keys() == before.keys()
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize("factor", [1.001, -1.0, float("nan")])
@pytest.mark.parametrize("output", OUTPUT_KINDS)
def test_a_file_that_answers_otherwise_is_refused(
    tmp_path: Path, output: OutputKind, factor: float
):
    path = tmp_path / "wrong.onnx"
    path.write_text("what stood here before")
    with pytest.raises(SwiftsegError, match=r"wrong\.onnx not written: on 3 frames onnxruntime"):
        export_onnx(TinyNetwork(factor), SPEC, path, output=output, frames=FRAMES)
    assert [file.name for file in tmp_path.iterdir()] == ["wrong.onnx"]
    assert path.read_text() == "what stood here before"


def test_a_few_unequal_labels_are_warned_of_and_more_are_refused():
    path = Path("segnet.onnx")
    good = EngineParity("onnxruntime", 1.0, 1e-6, 1.0)
    report = ParityReport(3, (good, replace(good, engine="openvino", equal_labels=0.9995)))
    report.check(path)
    told = report.warning(path)
    assert told is not None
    assert told.startswith("segnet.onnx: on 3 frames openvino gives 99.9500% of torch's labels")
    assert ParityReport(3, (good,)).warning(path) is None
    with pytest.raises(SwiftsegError, match=r"segnet\.onnx not written: .* 99\.8900% of"):
        ParityReport(3, (replace(good, equal_labels=0.9989),)).check(path)


class TurnedChoices(TinyNetwork):
    """Gives, while it is exported, a few logits that are far off and leave the labels alone."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        lifted = torch.zeros(1, 1, 48, 64)
        lifted[..., :rows, :] = 1.0  # in all classes alike
        self.register_buffer("lifted", lifted)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        logits = super().forward(image)
        return logits + self.lifted if torch.onnx.is_in_onnx_export() else logits


def test_a_few_turned_choices_do_not_count_and_many_do(tmp_path: Path):
    path = tmp_path / "turned.onnx"
    report = export_onnx(TurnedChoices(2), SPEC, path, frames=FRAMES)
    assert report.engines[0].largest_difference == pytest.approx(1.0, abs=1e-3)
    assert report.engines[0].usual_difference < 1e-5
    with pytest.raises(SwiftsegError, match="90% of its scores are within"):
        export_onnx(TurnedChoices(10), SPEC, path, frames=FRAMES)


def test_without_frames_there_is_no_file(tmp_path: Path):
    with pytest.raises(SwiftsegError, match="no frames to compare on"):
        export_onnx(TinyNetwork(), SPEC, tmp_path / "enet.onnx", frames=np.zeros((0, 48, 64, 3)))
    assert not list(tmp_path.iterdir())


def test_another_suffix_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match=r"ends in \.onnx, got .*enet\.pt"):
        export_onnx(TinyNetwork(), SPEC, tmp_path / "enet.pt")
