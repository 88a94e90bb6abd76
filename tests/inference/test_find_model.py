from pathlib import Path

import pytest

import swiftseg
from swiftseg.core import SwiftsegError, UsageError
from swiftseg.inference import Segmenter, find_model
from swiftseg.weights import DEFAULT_MODEL, shipped_models, shipped_weights
from tests.support.exported import shade_spec, write_shade_model


@pytest.mark.parametrize("name", sorted(shipped_models()))
def test_a_shipped_name_has_all_its_files(name: str):
    found = find_model(name)
    assert (found.kind, found.name) == ("shipped", name)
    assert found.exported == found.path == shipped_models()[name]
    assert found.weights == shipped_weights()[name]
    assert found.card is not None
    assert found.card.read_text(encoding="utf-8").startswith(f"# {name}")


@pytest.mark.parametrize(
    ("file", "kind", "runs_in_engines"),
    [
        ("m.onnx", "exported", True),
        ("best.pt", "checkpoint", False),
        ("port.pth", "checkpoint", False),
        ("imported.safetensors", "weights", False),
    ],
)
def test_files_are_told_by_their_suffix(file: str, kind: str, runs_in_engines: bool):
    found = find_model(file)
    assert (found.kind, found.name, found.path) == (kind, file, Path(file))
    assert (found.exported is not None) == runs_in_engines
    assert (found.weights is not None) == (not runs_in_engines)


def test_a_runs_folder_stands_for_its_exported_model_and_before_that_for_its_best(tmp_path: Path):
    (tmp_path / "best.pt").touch()
    assert find_model(tmp_path).path == tmp_path / "best.pt"
    (tmp_path / "model.onnx").touch()
    found = find_model(tmp_path)
    assert (found.kind, found.path) == ("exported", tmp_path / "model.onnx")


def test_a_folder_without_a_model_says_what_was_expected(tmp_path: Path):
    with pytest.raises(SwiftsegError, match=r"holds no model: .*model\.onnx or best\.pt"):
        find_model(tmp_path)


def test_an_unknown_name_meets_its_nearest():
    with pytest.raises(UsageError, match="unknown model 'enet-camvit'; did you mean enet-camvid"):
        find_model("enet-camvit")


def test_a_missing_file_is_named():
    with pytest.raises(SwiftsegError, match=r"no such model file: gone\.onnx"):
        Segmenter.load("gone.onnx")


def test_the_default_is_the_shipped_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shipped = {DEFAULT_MODEL: write_shade_model(tmp_path / "m.onnx")}
    monkeypatch.setattr("swiftseg.inference.found_model.shipped_models", lambda: shipped)
    assert swiftseg.Segmenter.load().spec == shade_spec()
