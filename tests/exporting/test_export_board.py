"""Folders for boards: what their own runtimes give is what torch gives."""

import json
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from swiftseg.core import InputSpec, MissingExtraError, ModelSpec, SwiftsegError, UsageError
from swiftseg.exporting.export_board import export_board
from swiftseg.exporting.formats import FORMATS
from swiftseg.exporting.formats.score_graph import run, score_graph
from swiftseg.inference import Segmenter, find_model
from swiftseg.inference.calibration_frames import Calibration
from swiftseg.models import create_model
from swiftseg.runtimes import labels_of
from swiftseg.runtimes.board_backend import BOARD_ENGINES, BoardBackend
from swiftseg.runtimes.board_folder import read_board_folder
from swiftseg.runtimes.torch_backend import FrameGraph
from swiftseg.trained import load_trained
from swiftseg.weights import shipped_weights
from tests.support.settled_networks import settled_enet, street_frames, street_spec

INPUT = InputSpec((48, 64), mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3))
SPEC = street_spec(5, INPUT, training_data="none", license_note="free", metrics={"val/x": 0.1})
FRAMES = street_frames(INPUT.size_hw, 3)

# The packages of the formats, by what imports them; those of the others have a table made by
# benchmarks/board_formats.py.
PACKAGES = {"openvino": "openvino", "ncnn": "pnnx", "litert": "litert_torch"}
PACKAGES |= {"executorch": "executorch", "coreml": "coremltools", "tensorrt": "onnx"}
INSTALLED = [name for name, package in PACKAGES.items() if find_spec(package)]
RUN = [name for name in INSTALLED if name in BOARD_ENGINES]
KINDS = [(name, kind) for name in RUN for kind in FORMATS[name].precisions if kind != "int8"]
IN_INT8 = [name for name in INSTALLED if "int8" in FORMATS[name].precisions]


@pytest.fixture(scope="module")
def enet() -> nn.Module:
    return settled_enet(INPUT)


@pytest.fixture(scope="module")
def folder(enet: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exported") / "enet"
    export_board(enet, SPEC, path, format_name=RUN[0], frames=FRAMES)
    return path


@pytest.fixture(scope="module")
def segfast() -> tuple[nn.Module, ModelSpec]:
    network, spec = load_trained(shipped_weights()["segfast-camvid"])
    return network, replace(spec, input=replace(spec.input, size_hw=(96, 128)))


@pytest.mark.parametrize(("format_name", "precision"), KINDS)
def test_the_runtime_gives_torchs_labels(
    segfast: tuple[nn.Module, ModelSpec], format_name: str, precision: str, tmp_path: Path
):
    """Of shipped weights: random ones are sure of nothing, and rounding turns labels."""
    network, spec = segfast
    out = tmp_path / "model"
    parity = export_board(network, spec, out, format_name=format_name, precision=precision)
    least = 0.9999 if precision == "f32" else 0.995
    assert parity.frames > 0
    assert parity.equal_labels is not None
    assert parity.equal_labels >= least
    segmenter = Segmenter.load(out)
    assert segmenter.engine == (format_name, precision, "cpu")
    frames = street_frames((96, 128), 2)
    with torch.inference_mode():
        graph = FrameGraph(network.eval(), spec.input, "labels")
        expected = graph(torch.from_numpy(frames))[0].numpy()
    labels = np.stack([segmenter(frame).label_map for frame in frames])
    assert (labels == expected).mean() >= least


@pytest.mark.parametrize("format_name", IN_INT8)
def test_int8_stays_within_the_budget(format_name: str, tmp_path: Path):
    """Of labels in float32, where there are no masks; by the graph that the folder holds."""
    network = Tiny()
    exported = partial(
        export_board,
        *(network, SPEC, tmp_path / "model"),
        format_name=format_name,
        precision="int8",
        calibration=Calibration(tuple(FRAMES), (None,) * len(FRAMES)),
    )
    with pytest.raises(SwiftsegError, match=r"falls from 100.00 % to .* --max-drop allows 100.00"):
        exported(max_drop=0)
    assert list(tmp_path.iterdir()) == []
    parity = exported(max_drop=10)
    assert (parity.before, parity.measure) == (100, "labels equal to f32's")
    assert 90 <= parity.after < 100
    backend = BoardBackend(tmp_path / "model", by_stand_in=True)
    with torch.inference_mode():
        graph = FrameGraph(network.eval(), SPEC.input, "labels")
        expected = graph(torch.from_numpy(FRAMES))[0].numpy()
    labels = np.stack([labels_of(backend, frame[None])[0] for frame in FRAMES])
    assert 100 * (labels == expected).mean() == pytest.approx(parity.after)


def test_int8_and_frames_go_together(tmp_path: Path):
    with pytest.raises(UsageError, match="int8 takes calibration frames"):
        export_board(
            Tiny(), SPEC, tmp_path / "m", format_name="tensorrt", precision="int8", frames=FRAMES
        )


def test_tensorrts_graph_is_compared_in_onnx_runtime_and_runs_nowhere_else(tmp_path: Path):
    out = tmp_path / "model"
    for precision in ("f32", "fp16"):
        parity = export_board(
            Tiny(), SPEC, out, format_name="tensorrt", precision=precision, frames=FRAMES
        )
        assert parity.ran_in == "onnxruntime"
        assert parity.equal_labels is not None
        assert parity.equal_labels >= 0.995
    with pytest.raises(UsageError, match="tensorrt does not run here"):
        Segmenter.load(out)
    described = json.loads((out / "swiftseg.json").read_text("utf-8"))
    model = onnx.load(out / "model.onnx")
    assert [value.name for value in model.graph.input] == [described["input"]]
    assert [value.name for value in model.graph.output] == [described["output"]]


def test_an_operator_that_tensorrt_lacks_is_named(tmp_path: Path):
    with pytest.raises(SwiftsegError, match=r"tensorrt cannot be made: TensorRT lacks .* Det"):
        export_board(Determinant(), SPEC, tmp_path / "m", format_name="tensorrt", frames=FRAMES)


def test_unpooling_by_arithmetic_is_torchs(enet: nn.Module):
    """On frames of few colors, whose pooled blocks have equal elements, the first one wins too."""
    frames = (street_frames(INPUT.size_hw, 2) // 64) * 64
    graph = score_graph(enet, INPUT)
    with torch.inference_mode():
        expected = FrameGraph(enet, INPUT, "logits")(torch.from_numpy(frames))[0]
    for frame, logits in zip(frames, expected, strict=True):
        image = torch.from_numpy(frame.transpose(2, 0, 1)[None].astype(np.float32))
        torch.testing.assert_close(run(graph, image)[0], logits, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("network_name", ["fast_scnn", "shelfnet18_lw"])
def test_upsampling_and_pooling_are_torchs(network_name: str, tmp_path: Path):
    size_hw = 64, 96
    torch.manual_seed(0)
    network = create_model(network_name, num_classes=5).eval()
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.uniform_(norm.running_var, 0.5, 1.5)
            nn.init.normal_(norm.running_mean, std=0.2)
    spec = replace(SPEC, network=network_name, input=replace(INPUT, size_hw=size_hw))
    export_board(network, spec, tmp_path / "model", format_name=RUN[0])
    frame = street_frames(size_hw, 1)
    with torch.inference_mode():
        expected = FrameGraph(network, spec.input, "logits")(torch.from_numpy(frame))[0].numpy()
    with BoardBackend(tmp_path / "model").running(frame) as scores:
        np.testing.assert_allclose(scores.upsampled(), expected, atol=1e-3 * expected.std())


def test_the_folder_says_all_about_itself(folder: Path):
    described = json.loads((folder / "swiftseg.json").read_text("utf-8"))
    assert described["format"] == RUN[0]
    assert described["precision"] == "f32"
    assert described["upsampling"] == "none"  # ENet's last layer gives the frames' size
    spec = described["spec"]
    assert spec["labels"]["names"] == list(SPEC.labels.names)
    assert spec["input"] == {"size_hw": [48, 64], "mean": [0.4, 0.5, 0.6], "std": [0.2, 0.25, 0.3]}
    assert (spec["license_note"], spec["metrics"]) == ("free", {"val/x": 0.1})
    assert set(described["files"]) == {
        path.name for path in folder.iterdir() if path.name != "swiftseg.json"
    }
    assert read_board_folder(folder).spec.labels == SPEC.labels


def test_a_folder_is_a_model_like_any_other(folder: Path):
    assert find_model(folder).exported == folder
    assert Segmenter.load(folder, backend=RUN[0]).spec.name == SPEC.name
    with pytest.raises(UsageError, match=rf"is exported for {RUN[0]}; export .* --format litert"):
        Segmenter.load(folder, backend="litert")
    with pytest.raises(UsageError, match="unknown backend"):
        Segmenter.load(folder, backend="onnxruntime")
    with pytest.raises(UsageError, match=r"is exported in f32; .* with --precision bf16"):
        Segmenter.load(folder, precision="bf16")
    with pytest.raises(SwiftsegError, match=r"exported for frames of 48x64 .* --size 96x128"):
        BoardBackend(folder).at_size((96, 128))


def test_a_file_that_was_changed_is_refused(folder: Path, tmp_path: Path):
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    [name, *_] = json.loads((copy / "swiftseg.json").read_text("utf-8"))["files"]
    (copy / name).write_bytes((copy / name).read_bytes() + b" ")
    with pytest.raises(SwiftsegError, match=f"{name} is not the file that was exported"):
        Segmenter.load(copy)
    (copy / name).unlink()
    with pytest.raises(SwiftsegError, match=r"cannot read .*: No such file"):
        Segmenter.load(copy)
    for text in ("", "[]", "{}", '{"spec": 5}'):
        (copy / "swiftseg.json").write_text(text)
        with pytest.raises(
            SwiftsegError, match=r"swiftseg\.json is damaged, or of another version"
        ):
            Segmenter.load(copy)


class Tiny(nn.Module):
    """A convolution; with another factor than 1 it gives other labels once it is traced."""

    def __init__(self, factor: float = 1.0) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.factor = nn.Conv2d(3, 5, 3, padding=1), factor

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        logits = self.conv(image)
        return logits * self.factor if torch.compiler.is_exporting() else logits


class Determinant(Tiny):
    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.conv(image) * torch.linalg.det(image[..., :3, :3])[..., None, None].mean()


def test_other_labels_than_torchs_write_nothing(tmp_path: Path):
    out = tmp_path / "model"
    with pytest.raises(SwiftsegError, match=r"not written: on 3 frames .* of torch's labels"):
        export_board(Tiny(-1.0), SPEC, out, format_name=RUN[0], frames=FRAMES)
    assert list(tmp_path.iterdir()) == []
    export_board(Tiny(), SPEC, out, format_name=RUN[0], frames=FRAMES)
    before = (out / "swiftseg.json").read_bytes()
    with pytest.raises(SwiftsegError, match="not written"):
        export_board(Tiny(-1.0), SPEC, out, format_name=RUN[0], frames=FRAMES)
    assert (out / "swiftseg.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_folder_of_something_else_stays(tmp_path: Path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="is there and holds no exported model"):
        export_board(Tiny(-1.0), SPEC, tmp_path / "mine", format_name=RUN[0], frames=FRAMES)
    assert (tmp_path / "mine/notes.txt").read_text() == "mine"


def test_no_frames_write_nothing(tmp_path: Path):
    with pytest.raises(SwiftsegError, match="no frames to compare on"):
        export_board(Tiny(), SPEC, tmp_path / "m", format_name=RUN[0], frames=[])
    assert list(tmp_path.iterdir()) == []


class Bessel(Tiny):
    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return torch.special.bessel_j0(self.conv(image))


@pytest.mark.skipif("ncnn" not in RUN, reason="needs ncnn and pnnx")
def test_an_operator_that_ncnn_lacks_is_named(tmp_path: Path):
    with pytest.raises(SwiftsegError, match=r"ncnn cannot be made: ncnn lacks .*bessel_j0"):
        export_board(Bessel(), SPEC, tmp_path / "model", format_name="ncnn", frames=FRAMES)


def test_unknown_names_are_told(tmp_path: Path):
    with pytest.raises(UsageError, match="unknown format 'ncn'; did you mean ncnn"):
        export_board(Tiny(-1.0), SPEC, tmp_path / "model", format_name="ncn")
    with pytest.raises(UsageError, match="unknown precision of ncnn 'bf16'"):
        export_board(Tiny(-1.0), SPEC, tmp_path / "model", format_name="ncnn", precision="bf16")


@pytest.mark.parametrize("format_name", sorted(set(FORMATS) - set(INSTALLED)))
def test_a_missing_package_names_its_extra(format_name: str, tmp_path: Path):
    with pytest.raises(MissingExtraError, match=rf"pip install 'swiftseg\[{format_name}\]'"):
        export_board(Tiny(-1.0), SPEC, tmp_path / "model", format_name=format_name)
