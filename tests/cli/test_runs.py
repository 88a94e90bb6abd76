import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from swiftseg.recipes import load_recipe
from tests.support.command_line import run_cli
from tests.support.tiny_training import run_tiny, tiny_recipe

RECIPE = {
    **load_recipe("enet_camvid", ["precision=bf16", "seed=7"]).model_dump(mode="json"),
    "stages": [
        {"name": name, "network": network, "epochs": epochs, "schedule": {"name": "constant"}}
        for name, network, epochs in (("encoder", "enet_encoder", 2), ("full", "enet", 3))
    ],
}
GONE = 2**22 + 1  # no process has this number: Linux counts to 2**22 at most


def make_run(folder: Path, rows: list[str], recipe: object = RECIPE, **state: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    if rows:
        (folder / "metrics.csv").write_text("\n".join(rows) + "\n")
    if state:
        stored = {"host": platform.node(), "pid": os.getpid(), "wall_seconds": 3723.4, **state}
        (folder / "state.json").write_text(json.dumps(stored))


HEADER = "stage,epoch,loss,lr,val/mean_iou"
FINISHED = [
    HEADER,
    "encoder,1,2.5,0.1,0.9",
    "full,1,2.0,0.1,0.5",
    "full,2,1.5,0.1,0.625",
    "full,3,1.25,0.1,0.6",
]


def listed(capsys: pytest.CaptureFixture[str], folder: Path) -> dict[str, list[dict[str, object]]]:
    return json.loads(run_cli(capsys, "runs", folder, "--json").out)


def test_runs_are_sorted_by_the_best_score_of_the_stage_they_reached(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    make_run(tmp_path / "low", [HEADER, "full,1,2.0,0.1,0.25"], state="stopped")
    make_run(tmp_path / "high", FINISHED, state="finished")
    make_run(tmp_path / "none" / "yet", [], state="running")
    runs = listed(capsys, tmp_path)["runs"]
    assert [Path(str(run["folder"])).name for run in runs] == ["high", "low", "yet"]
    best = {key: value for key, value in runs[0].items() if key != "folder"}
    assert best == {
        "recipe": "enet-camvid", "network": "enet", "stage": "full", "epoch": 3, "epochs": 3,
        "mean_iou": 0.625, "scored_on": "val", "hold_out": None, "loss": 1.25,
        "wall_seconds": 3723.4, "precision": "bf16", "seed": 7, "state": "finished",
    }  # fmt: skip
    assert (runs[2]["mean_iou"], runs[2]["loss"], runs[2]["network"]) == (
        None,
        None,
        "enet_encoder",
    )


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({"state": "running"}, "running"),
        ({"state": "running", "pid": GONE}, "killed"),
        ({"state": "running", "pid": GONE, "host": "elsewhere"}, "running"),
        ({"state": "failed", "pid": GONE}, "failed"),
        ({}, "finished"),
    ],
)
def test_the_state_tells_a_killed_run_from_a_running_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], state: dict[str, object], told: str
):
    make_run(tmp_path / "run", FINISHED, **state)
    assert listed(capsys, tmp_path)["runs"][0]["state"] == told


def test_a_run_that_never_said_and_is_not_complete_is_unknown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    make_run(tmp_path, FINISHED[:-1])
    assert listed(capsys, tmp_path)["runs"][0]["state"] == "unknown"


def test_a_run_by_loss_shows_the_score_of_the_weights_it_keeps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    rows = [
        "stage,epoch,loss,lr,val/mean_iou,val/loss",
        "full,1,2,0.1,0.5,1.0",
        "full,2,1,0.1,0.75,1.5",
    ]
    make_run(tmp_path, rows, {**RECIPE, "best": "loss"})
    assert listed(capsys, tmp_path)["runs"][0]["mean_iou"] == 0.5


def test_a_held_out_group_is_named_beside_its_score(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "200")
    rows = ["stage,epoch,loss,lr,held_out/mean_iou", "full,1,2.0,0.1,0.5"]
    make_run(tmp_path / "a", rows, {**RECIPE, "hold_out": "0016E5"}, state="finished")
    result = run_cli(capsys, "runs", tmp_path)
    [line] = [line for line in result.out.splitlines() if "0016E5" in line]
    cells = [cell.strip() for cell in line.strip("│").split("│")]
    assert cells == [
        "a", "enet", "full", "1/3", "50.00", "0016E5 (held out)", "2.0000", "1:02:03", "bf16", "7",
        "finished",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "content", "problem"),
    [
        ("recipe.yaml", None, "recipe.yaml: no such recipe file"),
        ("recipe.yaml", "name: [", "recipe.yaml: not YAML"),
        ("recipe.yaml", "text", "recipe.yaml: expected keys and values"),
        ("recipe.yaml", "name: x", "recipe.yaml: training_data: Field required"),
        ("metrics.csv", "stage,epoch,loss,lr\nfull,x,1,1\n", "metrics.csv: expected the stage"),
        ("metrics.csv", "stage,epoch,loss,lr\nother,1,1,1\n", "metrics.csv: stage 'other' is none"),
        ("metrics.csv", "stage,epoch,loss,lr\nfull,1,1\n", "metrics.csv: expected the stage"),
        ("metrics.csv", "\0", "metrics.csv: "),
        ("state.json", "{", "state.json: expected the state of a run"),
        ("state.json", '{"state": "running", "host": 3, "pid": 1, "wall_seconds": 1}', "host: "),
        ("state.json", "[]", "state.json: expected the state of a run"),
    ],
)
def test_broken_folders_are_named_and_the_rest_is_listed(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    file: str,
    content: str | None,
    problem: str,
):
    make_run(tmp_path / "good", FINISHED)
    make_run(tmp_path / "bad", FINISHED)
    (tmp_path / "bad" / file).unlink(missing_ok=True)
    if content is not None:
        (tmp_path / "bad" / file).write_text(content)
    result = run_cli(capsys, "runs", tmp_path)
    assert result.code == 0
    assert "good" in result.out
    assert result.err.startswith("broken: ")
    assert "bad" in result.err
    assert problem in result.err
    assert result.err.count("\n") == 1


def test_a_folder_without_runs_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    result = run_cli(capsys, "runs", tmp_path)
    assert result.code == 1
    assert "no runs here; expected folders that swiftseg train has made" in result.err
    assert "no such folder" in run_cli(capsys, "runs", tmp_path / "gone").err


def test_runs_of_a_training_are_read_as_they_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    run_tiny(tmp_path, tiny_recipe("stages.1.epochs=1", "stages.0.epochs=1"))
    found = listed(capsys, tmp_path)
    assert found["broken"] == []
    [run] = found["runs"]
    assert (run["state"], run["stage"], run["epoch"]) == ("finished", "full", 1)
    assert isinstance(run["mean_iou"], float)
    assert isinstance(run["wall_seconds"], float)


def test_it_needs_no_torch(tmp_path: Path):
    make_run(tmp_path / "run", FINISHED)
    without = "import sys; sys.modules['torch'] = None; from swiftseg.cli.main import main; main()"
    command = [sys.executable, "-c", without, "runs", str(tmp_path)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "62.50" in told


def test_a_narrow_terminal_gets_fewer_columns_and_whole_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "80")
    rows = ["stage,epoch,loss,lr,held_out/mean_iou", "full,1,2.0,0.1,0.5"]
    make_run(tmp_path / "a", rows, {**RECIPE, "hold_out": "0016E5"}, state="finished")
    told = run_cli(capsys, "runs", tmp_path).out
    assert "precision" not in told
    for whole in ("1/3", "50.00", "1:02:03", "finished"):
        assert whole in told


def test_the_seeds_of_one_training_are_summed_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    for seed, score in ((0, 0.5), (1, 0.6), (2, 0.7)):
        rows = [HEADER, f"full,1,2.0,0.1,{score}"]
        make_run(tmp_path / f"street/seed_{seed}", rows, {**RECIPE, "seed": seed})
    make_run(tmp_path / "other/seed_9", FINISHED)  # whose recipe has the seed 7
    [summary] = listed(capsys, tmp_path)["seeds"]
    assert summary == {
        "folder": str(tmp_path / "street"),
        "seeds": [0, 1, 2],
        "mean_iou": pytest.approx(0.6),
        "deviation": pytest.approx(0.1),
    }
    told = run_cli(capsys, "runs", tmp_path).out.splitlines()[-1]
    assert told == (
        f"{tmp_path / 'street'}: mIoU 60.00 ± 10.00 %, mean and deviation of the seeds 0, 1, 2"
    )
