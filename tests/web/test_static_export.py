"""What `swiftseg export --format web` writes."""

import gzip
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from swiftseg.core import InputSpec, SwiftsegError
from swiftseg.exporting import web
from swiftseg.exporting.web import export_web, web_manifest
from swiftseg.inference import find_model
from swiftseg.kernels.upsample_argmax import upsample_argmax
from swiftseg.runtimes import labels_of, load_backend
from tests.support.command_line import run_cli
from tests.support.exported import shade_spec, write_shade_model, write_upsampled_model


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page as the build leaves it."""
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "index.html").write_text("the page")
    (folder / "ort").mkdir()
    (folder / "ort/runtime.wasm.gz").write_bytes(gzip.compress(b"the runtime"))
    monkeypatch.setattr(web, "built_page", lambda: folder)
    return folder


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize("align_corners", [False, True])
def test_the_graph_and_the_manifest_give_the_files_labels(
    tmp_path: Path, align_corners: bool
) -> None:
    model = write_upsampled_model(tmp_path / "m.onnx", (24, 32), align_corners=align_corners)
    export_web(model, tmp_path / "out")
    assert (tmp_path / "out/index.html").read_text() == "the page"
    assert [path.name for path in (tmp_path / "out/ort").iterdir()] == ["runtime.wasm"]
    assert (tmp_path / "out/ort/runtime.wasm").read_bytes() == b"the runtime"
    about = json.loads((tmp_path / "out/page.json").read_text())
    assert about["engine"] == "browser"
    manifest = json.loads((tmp_path / "out" / about["manifest"]).read_text())
    session = ort.InferenceSession(tmp_path / "out" / manifest["file"])
    frame = np.random.default_rng(0).integers(0, 256, (1, 24, 32, 3), dtype=np.uint8)
    [scores] = session.run([manifest["output"]], {manifest["input"]: frame})
    assert manifest["size_hw"] == [24, 32]
    assert not manifest["labels"]
    labels = upsample_argmax(scores, (24, 32), align_corners=manifest["align_corners"])
    np.testing.assert_array_equal(labels, labels_of(load_backend(model), frame))


@pytest.mark.usefixtures("page")
def test_the_pages_kernel_gets_a_plan_of_what_it_computes(tmp_path: Path) -> None:
    manifests = {}
    for name in ("fast_scnn-streets", "enet-toystreet"):
        export_web(find_model(name).path, tmp_path / name)
        manifests[name] = json.loads((tmp_path / name / "manifest.json").read_text())
    plan = manifests["fast_scnn-streets"]["plan"]
    assert plan["shape"] == [len(manifests["fast_scnn-streets"]["classes"]), 90, 120]
    content = (tmp_path / "fast_scnn-streets" / plan["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest()[:12] in plan["file"]
    assert manifests["enet-toystreet"]["plan"] is None
    assert not list((tmp_path / "enet-toystreet").glob("*.plan"))


def test_manifests_of_other_outputs() -> None:
    assert web_manifest(shade_spec(output="labels"), None, "m.onnx")["labels"]
    logits = web_manifest(shade_spec(output="logits"), None, "m.onnx")
    assert (logits["labels"], logits["output"], logits["align_corners"]) == (False, "logits", None)
    with pytest.raises(SwiftsegError, match="--output labels"):
        web_manifest(shade_spec(output="probs"), None, "m.onnx")


def test_a_model_of_other_bands_is_refused() -> None:
    bands = InputSpec(size_hw=(12, 16), mean=(0.5,) * 4, std=(0.5,) * 4)
    with pytest.raises(SwiftsegError, match="8-bit RGB, and this model 4 bands of uint8"):
        web_manifest(replace(shade_spec(), input=bands), None, "m.onnx")


@pytest.mark.usefixtures("page")
def test_a_folder_with_files_is_left_alone(tmp_path: Path) -> None:
    model = write_shade_model(tmp_path / "m.onnx")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine").write_text("mine")
    with pytest.raises(SwiftsegError, match="not an empty folder"):
        export_web(model, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]


def test_a_package_without_its_page_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(web, "built_page", lambda: None)
    model = write_shade_model(tmp_path / "m.onnx")
    outcome = run_cli(capsys, "export", model, "--format", "web", "--out", tmp_path / "out")
    assert outcome.code == 1
    assert "install node" in outcome.err
    assert not (tmp_path / "out").exists()


def test_formats_and_options_that_do_not_go_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = write_shade_model(tmp_path / "m.onnx")
    out = ("--out", tmp_path / "out")
    unknown = run_cli(capsys, "export", model, "--format", "wep", *out)
    assert unknown.code == 2
    assert "did you mean web" in unknown.err
    resized = run_cli(capsys, "export", model, "--format", "web", "--size", "8x8", *out)
    assert resized.code == 2
    assert "leave out the other options" in resized.err
