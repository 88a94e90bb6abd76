from pathlib import Path

import numpy as np
import pytest

from tests.support.command_line import run_cli
from tests.support.exported import write_shade_model
from tests.support.parsed_html import Element, decode_picture, parse_html, urls
from tests.support.shady_frames import write_shady_frames
from tests.support.tiny_camvid import make_tiny_camvid
from tests.support.tiny_training import run_tiny, tiny_recipe


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Twelve labeled frames for the model that tells shades, each worse than the one before."""

    def spoil(index: int, mask: np.ndarray) -> None:
        mask[: 2 * index] = (mask[: 2 * index] + 1) % 3
        mask[-1] = 255

    return write_shady_frames(tmp_path_factory.mktemp("made") / "shady", 12, spoil)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return write_shade_model(tmp_path_factory.mktemp("model") / "m.onnx", size_hw=(24, 32))


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    recipe = tiny_recipe("stages.0.epochs=1", "stages.1.epochs=1")
    return run_tiny(tmp_path_factory.mktemp("training"), recipe)[0].path


def facts(page: Element) -> dict[str, str]:
    terms, told = page.all("dt"), page.all("dd")
    return {term.text: text.text for term, text in zip(terms, told, strict=True)}


def test_a_files_report(capsys, model, data, tmp_path):
    out = tmp_path / "new" / "r.html"
    arguments = ["--data", data, "--out", out, "--calibration-error"]
    outcome = run_cli(capsys, "report", model, *arguments)
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith(f"{out}: shades on val of {data}, mIoU ")
    page = parse_html(out.read_text("utf-8"))
    assert all(url.startswith("data:image/") for url in urls(page))
    assert [decode_picture(img.attributes["src"]).size for img in page.all("img")]
    told = facts(page)
    assert told["protocol"] == "native (labels as is, void ignored)"
    assert told["weights"] == str(model)
    assert told["resolution"].startswith("32x24 pixels")
    assert "onnxruntime" in told["versions"]
    assert {"command", "date", "machine"} <= told.keys()
    assert "Calibration" in {h.text for h in page.all("h2")}


def test_the_frames_are_the_best_median_and_worst_ones(capsys, model, data, tmp_path):
    out = tmp_path / "r.html"
    run_cli(capsys, "report", model, "--data", data, "--out", out)
    page = parse_html(out.read_text("utf-8"))
    names = [shown.all("code")[0].text for shown in page.all("div", "frame")]
    assert names[:3] == ["00", "01", "02"]
    assert names[6:] == ["11", "10", "09"]
    assert set(names[3:6]) <= {"04", "05", "06", "07"}
    assert page.all("div", "frame")[0].all("b")[0].text == "mean IoU 100.00 %"


def test_a_shipped_model_comes_with_its_card(capsys, tmp_path):
    camvid = make_tiny_camvid(tmp_path / "camvid", frames={"val": 1})
    out = tmp_path / "r.html"
    outcome = run_cli(capsys, "report", "enet-camvid", "--data", camvid, "--out", out)
    assert outcome.code == 0, outcome.err
    page = parse_html(out.read_text("utf-8"))
    assert "# enet-camvid" in page.all("pre")[0].text
    assert facts(page)["weights"] == "enet-camvid, shipped"


def test_a_runs_report_lies_in_its_folder_and_has_its_curves(capsys, run, tmp_path):
    camvid = make_tiny_camvid(tmp_path / "camvid", frames={"val": 2})
    outcome = run_cli(capsys, "report", run, "--data", camvid)
    assert outcome.code == 0, outcome.err
    page = parse_html((run / "report.html").read_text("utf-8"))
    assert len(page.all("div", "charts")[0].all("svg")) == 3
    assert facts(page)["trained by"] == "swiftseg train enet_camvid"
    assert "torch" in facts(page)["versions"]


def test_a_folder_without_a_run_is_refused(capsys, tmp_path, data):
    outcome = run_cli(capsys, "report", tmp_path, "--data", data)
    assert outcome.code == 1
    assert "holds no model: expected the folder of a training run" in outcome.err


def test_a_run_whose_metrics_are_damaged_is_refused(capsys, run, tmp_path):
    camvid = make_tiny_camvid(tmp_path / "camvid", frames={"val": 2})
    broken = tmp_path / "run"
    broken.mkdir()
    (broken / "best.pt").write_bytes((run / "best.pt").read_bytes())
    (broken / "metrics.csv").write_text("epoch;loss\n1;2\n")
    outcome = run_cli(capsys, "report", broken, "--data", camvid)
    assert outcome.code == 1
    assert "metrics.csv: expected the stage, loss and lr" in outcome.err
    assert not (broken / "report.html").exists()


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        ("no.onnx", 1, "no.onnx"),
        ("enet-camvit", 2, "did you mean enet-camvid"),
        ("no.pt", 1, "no such file"),
    ],
)
def test_a_model_that_is_not_there(capsys, data, source, code, words):
    outcome = run_cli(capsys, "report", source, "--data", data)
    assert (outcome.code, outcome.err.count("\n")) == (code, 1)
    assert words in outcome.err


def test_wrong_places_are_refused_before_the_work(capsys, model, data, tmp_path):
    folder = run_cli(capsys, "report", model, "--data", data, "--out", tmp_path)
    assert folder.code == 2
    assert "expected a file, such as" in folder.err
    (tmp_path / "file").write_text("")
    below = run_cli(capsys, "report", model, "--data", data, "--out", tmp_path / "file" / "r.html")
    assert below.code == 1
    assert "cannot write" in below.err
