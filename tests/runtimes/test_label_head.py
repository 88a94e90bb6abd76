"""Files whose end is done outside the engine, against the graphs as they stand."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from onnx import helper
from torch.nn import functional as F

from swiftseg.runtimes import BACKENDS, load_backend, read_spec
from swiftseg.runtimes.array_scores import ArrayScores
from swiftseg.runtimes.base import labels_of, upsampled_of
from swiftseg.runtimes.label_head import cut_label_head
from swiftseg.weights import shipped_models
from tests.support.exported import (
    SHADES,
    shade_spec,
    write_shade_model,
    write_upsampled_model,
)

SIZE_HW = (48, 96)  # together above 128, so that torch takes its usual path


def graph_outputs(path: Path, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels and logits as anyone gets them who runs the file alone."""
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    labels, logits = session.run(["labels", "logits"], {"frames": frames})
    return np.asarray(labels), np.asarray(logits)


def frames_of(size_hw: tuple[int, int]) -> np.ndarray:
    """Two frames of smooth light, so that no label hangs on a rounding."""
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.uniform(0, 255, (2, 3, 5, 6)).astype(np.float32))
    image = F.interpolate(coarse, size=size_hw, mode="bilinear")
    return np.ascontiguousarray(image.permute(0, 2, 3, 1).numpy().astype(np.uint8))


@pytest.fixture(params=BACKENDS)
def engine(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.parametrize("align_corners", [False, True])
def test_labels_and_logits_are_those_of_the_whole_graph(
    tmp_path: Path, engine: str, align_corners: bool
):
    path = write_upsampled_model(tmp_path / "m.onnx", SIZE_HW, align_corners=align_corners)
    frames = frames_of(SIZE_HW)
    labels, logits = graph_outputs(path, frames)
    backend = load_backend(path, name=engine)

    got = labels_of(backend, frames)

    head = cut_label_head(path)
    assert head is not None
    assert (head.scores, head.align_corners) == ("coarse", align_corners)
    assert got.dtype == np.uint8
    np.testing.assert_array_equal(got, labels)
    np.testing.assert_allclose(upsampled_of(backend, frames), logits, atol=1e-6)


def test_labels_are_torchs_for_what_the_cut_graph_gives(tmp_path: Path):
    path = write_upsampled_model(tmp_path / "m.onnx", SIZE_HW, align_corners=True)
    frames = np.random.default_rng(1).integers(0, 256, (2, *SIZE_HW, 3), dtype=np.uint8)
    head = cut_label_head(path)
    assert head is not None
    session = ort.InferenceSession(head.model, providers=["CPUExecutionProvider"])
    scores = np.asarray(session.run([head.scores], {"frames": frames})[0])
    assert scores.shape == (2, len(SHADES), 12, 24)
    fourth = np.full_like(scores[:, :1], -1e30)  # torch rounds otherwise for three classes
    tensor = torch.from_numpy(np.concatenate((scores, fourth), axis=1))
    upsampled = F.interpolate(tensor, size=SIZE_HW, mode="bilinear", align_corners=True)
    np.testing.assert_array_equal(
        ArrayScores(scores, SIZE_HW, align_corners=True).labels(), upsampled.argmax(dim=1).numpy()
    )


def test_without_an_upsampling_the_graph_is_cut_before_its_argmax(tmp_path: Path):
    head = cut_label_head(write_shade_model(tmp_path / "m.onnx"))
    assert head is not None
    assert (head.scores, head.align_corners) == ("logits", None)


def test_what_is_left_is_a_whole_onnx_file(tmp_path: Path):
    head = cut_label_head(write_upsampled_model(tmp_path / "m.onnx", SIZE_HW))
    assert head is not None
    model = onnx.load_from_string(head.model)
    onnx.checker.check_model(model, full_check=True)
    assert [output.name for output in model.graph.output] == ["coarse"]
    assert {node.op_type for node in model.graph.node}.isdisjoint({"Resize", "ArgMax"})
    assert {entry.key for entry in model.metadata_props} == {"swiftseg"}


def test_another_interpolation_stays_in_the_graph(tmp_path: Path, engine: str):
    path = write_upsampled_model(tmp_path / "m.onnx", SIZE_HW, mode="cubic")
    head = cut_label_head(path)
    assert head is not None
    assert (head.scores, head.align_corners) == ("logits", None)
    frames = frames_of(SIZE_HW)
    backend = load_backend(path, name=engine)
    np.testing.assert_array_equal(
        labels_of(backend, frames), upsampled_of(backend, frames).argmax(axis=1)
    )


def test_labels_made_in_another_way_stay_in_the_graph(tmp_path: Path, engine: str):
    path = write_shade_model(tmp_path / "m.onnx")
    model = onnx.load(path)
    cast = next(node for node in model.graph.node if "labels" in node.output)
    cast.output[0] = "first"
    model.graph.node.append(helper.make_node("Max", ["first", "first"], ["labels"]))
    onnx.save(model, path)
    frames = frames_of(shade_spec().input.size_hw)
    assert cut_label_head(path) is None
    expected = graph_outputs(path, frames)[0]
    np.testing.assert_array_equal(labels_of(load_backend(path, name=engine), frames), expected)


@pytest.mark.parametrize("output", ["logits", "probs"])
def test_files_that_give_no_labels_are_not_cut(tmp_path: Path, output):
    assert cut_label_head(write_shade_model(tmp_path / "m.onnx", output=output)) is None


def test_a_damaged_graph_is_left_to_the_engine(tmp_path: Path):
    path = tmp_path / "m.onnx"
    path.write_bytes(b"\x3a\x04\x0a\x7fab")  # a graph whose operator is longer than the file
    assert cut_label_head(path) is None


@pytest.mark.parametrize("name", sorted(shipped_models()))
def test_shipped_models_give_their_own_graphs_labels(name: str):
    path = shipped_models()[name]
    frames = frames_of(read_spec(path).input.size_hw)
    assert cut_label_head(path) is not None
    labels, _ = graph_outputs(path, frames)
    np.testing.assert_array_equal(labels_of(load_backend(path), frames), labels)
