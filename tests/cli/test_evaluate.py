import json
from pathlib import Path

import numpy as np
import pytest

from swiftseg.cli.score_table import comparison_table
from swiftseg.core import LabelSet
from swiftseg.evaluation import NATIVE, PROTOCOLS, Evaluation
from tests.support.command_line import run_cli
from tests.support.exported import write_shade_model
from tests.support.shady_frames import write_shady_frames
from tests.support.tiny_camvid import make_tiny_camvid
from tests.support.tiny_training import run_tiny, tiny_recipe


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Four labeled frames for the model that tells shades; the third is half wrong."""

    def spoil(index: int, mask: np.ndarray) -> None:
        mask[:12] = (mask[:12] + (index == 2)) % 3
        mask[0] = 255

    return write_shady_frames(tmp_path_factory.mktemp("data"), 4, spoil)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return write_shade_model(tmp_path_factory.mktemp("model") / "m.onnx", size_hw=(24, 32))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    recipe = tiny_recipe("stages.0.epochs=1", "stages.1.epochs=1")
    return run_tiny(tmp_path_factory.mktemp("training"), recipe)[0].best


def test_the_table_has_the_interval_and_the_protocol(capsys, model, data):
    outcome = run_cli(capsys, "evaluate", model, "--data", data)
    assert outcome.code == 0
    assert "protocol native (labels as is, void ignored)" in outcome.out
    right = 4 * 23 * 32 - 11 * 32
    assert f"{100 * right / (4 * 23 * 32):.2f}" in outcome.out
    assert "95 % interval" in outcome.out
    [row] = [line for line in outcome.out.splitlines() if "mean" in line]
    assert "[" in row
    assert "100.0]" in row  # replicates without the wrong frame


def test_json_is_one_object_a_model_and_names_the_protocol(capsys, model, data):
    arguments = ["--data", data, "--json", "--calibration-error", "--protocol", "native"]
    outcome = run_cli(capsys, "evaluate", model, model, *arguments)
    reports = [json.loads(line) for line in outcome.out.splitlines()]
    assert len(reports) == 2
    assert reports[0] == reports[1]
    report = reports[0]
    assert report["protocol"]["name"] == "native"
    assert report["frames"] == 4
    assert report["mean_iou_interval_95"][0] <= report["mean_iou"]
    assert 0 <= report["expected_calibration_error"] <= 1
    assert (report["model"], report["file"], report["split"]) == ("shades", str(model), "val")


def test_several_models_stand_side_by_side(capsys, model, data):
    outcome = run_cli(capsys, "evaluate", model, model, "--data", data)
    assert outcome.code == 0
    assert "class average" in outcome.out


def test_unlike_numbers_do_not(data):
    labels = LabelSet(("a", "b"), ((0, 0, 0), (1, 1, 1)))
    native, enet = Evaluation(labels, NATIVE), Evaluation(labels, PROTOCOLS["enet"])
    with pytest.raises(ValueError, match=r"protocols differ: native .* and enet"):
        comparison_table([("a", native), ("b", enet)], "data")


def test_a_file_refuses_scales_and_does_windows(capsys, model, data):
    scales = ["--data", data, "--scales", "0.5,1.0", "--flip"]
    refused = run_cli(capsys, "evaluate", model, *scales)
    assert refused.code == 1
    assert "does not run at 12x16; take its checkpoint" in refused.err
    outcome = run_cli(capsys, "evaluate", model, *scales, "--sliding", "--json")
    assert outcome.code == 0
    protocol = json.loads(outcome.out)["protocol"]
    assert (protocol["scales"], protocol["flip"], protocol["sliding"]) == ([0.5, 1.0], True, True)


@pytest.mark.parametrize("given", ["one", "", "1.0,,2.0", "0", "nan"])
def test_scales_must_be_numbers(capsys, model, data, given):
    outcome = run_cli(capsys, "evaluate", model, "--data", data, "--scales", given)
    assert outcome.code == 2
    assert "expected" in outcome.err


def test_an_unknown_protocol_meets_its_nearest(capsys, model, data):
    outcome = run_cli(capsys, "evaluate", model, "--data", data, "--protocol", "nativ")
    assert outcome.code == 2
    assert "did you mean native?" in outcome.err


def test_a_checkpoint_runs_at_any_scale(capsys, checkpoint, tmp_path):
    camvid = make_tiny_camvid(tmp_path / "camvid", frames={"val": 2})
    arguments = ["--data", camvid, "--scales", "0.5,1.0,1.5", "--flip", "--json"]
    outcome = run_cli(capsys, "evaluate", checkpoint, *arguments)
    assert outcome.code == 0, outcome.err
    report = json.loads(outcome.out)
    assert report["protocol"]["scales"] == [0.5, 1.0, 1.5]
    assert np.sum(report["confusion_matrix"]) == 2 * 23 * 32


def test_segfasts_protocol_wants_void_among_the_classes(capsys, checkpoint, tmp_path):
    camvid = make_tiny_camvid(tmp_path / "camvid", frames={"val": 2})
    outcome = run_cli(capsys, "evaluate", checkpoint, "--data", camvid, "--protocol", "segfast")
    assert outcome.code == 1
    assert "has not learned the class void" in outcome.err
    assert "--set void_as_class=true" in outcome.err


def test_a_checkpoint_is_scored_as_its_recipe_says(capsys, tmp_path):
    recipe = tiny_recipe(
        "stages.0.epochs=1",
        "stages.1.epochs=1",
        "void_as_class=true",
        "num_classes=12",
        "evaluation.sliding_windows=true",
    )
    run, trained = run_tiny(tmp_path, recipe)
    scored = run_cli(capsys, "evaluate", run.best, "--data", tmp_path / "camvid", "--json")
    assert scored.code == 0, scored.err
    report = json.loads(scored.out)
    assert (report["protocol"]["void_as_class"], report["protocol"]["sliding"]) == (True, True)
    assert report["confusion_matrix"] == trained.matrix.tolist()


def test_models_of_two_protocols_need_one_by_name(capsys, checkpoint, tmp_path):
    recipe = tiny_recipe(
        "stages.0.epochs=1", "stages.1.epochs=1", "evaluation.sliding_windows=true"
    )
    other = run_tiny(tmp_path, recipe)[0].best
    arguments = ["evaluate", checkpoint, other, "--data", tmp_path / "camvid"]
    refused = run_cli(capsys, *arguments)
    assert refused.code == 2
    assert "in windows); choose one for all with --protocol" in refused.err
    assert run_cli(capsys, *arguments, "--protocol", "native").code == 0


def test_a_submission_needs_cityscapes_and_one_model(capsys, model, data, tmp_path):
    out = tmp_path / "out"
    one = run_cli(capsys, "evaluate", model, "--data", data, "--submission", out)
    two = run_cli(capsys, "evaluate", model, model, "--data", data, "--submission", out)
    assert (one.code, two.code) == (2, 2)
    assert "Cityscapes (19)" in one.err
    assert "one model" in two.err
    assert not out.exists()
