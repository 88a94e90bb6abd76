import platform
import re
from pathlib import Path

import pytest

from swiftseg.data import open_dataset
from swiftseg.recipes import load_recipe
from swiftseg.runs import RunFolder
from swiftseg.trained.checkpoint import load_checkpoint
from swiftseg.training.overfit import overfit_one_batch
from tests.support.command_line import run_cli
from tests.support.run_lock import holding_lock
from tests.support.tiny_camvid import make_tiny_camvid

RECIPE = "segfast_camvid"
OVERRIDES = ("input.size_hw=[32, 32]", "batch_size=2", "stages.0.epochs=1")
SETTINGS = [part for override in OVERRIDES for part in ("--set", override)]


@pytest.fixture(scope="module")
def camvid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_camvid(tmp_path_factory.mktemp("data") / "camvid")


@pytest.fixture(scope="module")
def grouped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frames of the groups 001 and 002, which YAML would read as numbers."""
    root = make_tiny_camvid(tmp_path_factory.mktemp("data") / "camvid")
    for folder in ("train", "trainannot"):
        for index, path in enumerate(sorted((root / folder).iterdir())):
            path.rename(path.with_name(f"00{1 + index // 4}_{index}.png"))
    return root


def test_options_stand_above_the_recipe(
    grouped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "run"
    result = run_cli(
        capsys, "train", RECIPE, "--data", grouped, "--out", out, *SETTINGS,
        "--set", "precision=fp16", "--precision", "f32", "--no-compile", "--hold-out", "002",
    )  # fmt: skip
    assert result.code == 0, result.err
    assert "segfast-camvid on 002, held out of train, 2 frames" in result.out
    recipe = load_checkpoint(out / "best.pt").recipe
    assert (recipe.precision, recipe.compile, recipe.hold_out) == ("f32", False, "002")


def test_another_run_is_refused_or_overwritten(
    camvid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    note = tmp_path / "notes.txt"
    note.write_text("mine")
    (tmp_path / "best_of_before.pt").write_bytes(b"an earlier run's")
    command = ["train", RECIPE, "--data", camvid, "--out", tmp_path, *SETTINGS]
    refused = run_cli(capsys, *command)
    assert refused.code == 1
    assert re.search(r"holds a run already; .*--resume, .*--overwrite, .*--out", refused.err)
    assert run_cli(capsys, *command, "--overwrite").code == 0
    assert not (tmp_path / "best_of_before.pt").exists()
    assert note.read_text() == "mine"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--preset", "tinny"], "unknown preset 'tinny'"),
        (["--resume", "--overwrite"], "--resume continues a run and --overwrite starts over"),
        (["--overfit-one-batch", "--processes", "2"], "leave out --processes"),
        (["--precision", "int8"], "precision: .*'fp16'.*got 'int8'"),
        (
            ["--hold-out", "0016E5", "--precision", "f32"],
            "the group '0016E5' does not exist; choose from 001 .4 frames",
        ),
    ],
)
def test_a_wrong_option_is_one_line(
    grouped: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
):
    result = run_cli(
        capsys, "train", RECIPE, "--data", grouped, "--out", tmp_path / "run", *options
    )
    assert result.code == 2
    assert re.search(message, result.err)
    assert result.err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_short_options_are_the_recipes_values_and_a_run_goes_on_by_its_folder(
    camvid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "run"
    short = ["--epochs", 1, "--batch-size", 2, "--size", "32x64", "--lr", 0.001, "--workers", 0]
    first = run_cli(capsys, "train", RECIPE, "--data", camvid, "--out", out, *short)
    assert first.code == 0, first.err
    recipe = load_checkpoint(out / "last.pt").recipe
    [stage] = recipe.stages
    assert (stage.epochs, stage.lr) == (1, 0.001)
    assert (recipe.batch_size, recipe.input.size_hw) == (2, (32, 64))
    longer = run_cli(capsys, "train", "--resume", "--out", out, "--epochs", 2)
    assert longer.code == 0, longer.err
    assert "segfast-camvid on val, 2 frames" in longer.out
    assert [epoch.epoch for epoch in RunFolder(out).read_history()] == [1, 2]
    environment = RunFolder(out).read_environment()
    assert environment is not None
    assert (environment.recipe, environment.data) == (RECIPE, (str(camvid),))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected a recipe or a network"),
        (["--resume"], "expected a recipe or a network"),
        (["--resume", "--out", "nowhere"], "nowhere: nothing to resume, there is no run here"),
        (["--resume", "runs/mine"], "runs/mine: nothing to resume, there is no such folder"),
        (["--resume", "mine"], "mine: nothing to resume, there is no such folder"),
        (["enet_camvid", "--epochs", "5"], "set one of stages.0.epochs, stages.1.epochs"),
        ([RECIPE, "--size", "32"], "expected --size as HEIGHTxWIDTH"),
    ],
)
def test_what_is_missing_or_unclear_is_one_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
):
    monkeypatch.chdir(tmp_path)
    result = run_cli(capsys, "train", *arguments)
    assert result.code == 2
    assert message in result.err
    assert not list(tmp_path.iterdir())


def test_a_folder_that_another_process_trains_into_is_refused(
    camvid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "run"
    command = ["train", RECIPE, "--data", camvid, "--out", out, *SETTINGS]
    with holding_lock(out) as process:
        for way in ([], ["--overwrite"]):
            result = run_cli(capsys, *command, *way)
            assert result.code == 1
            assert f"process {process.pid} on {platform.node()} is training into" in result.err
            assert result.err.count("\n") == 1
    assert run_cli(capsys, *command).code == 0


def test_the_preset_says_what_it_changes_and_overrides_have_the_last_word(
    camvid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    few = ["--set", "stages.0.epochs=2", "--set", "validate_every=2"]
    size = ["--set", "input.size_hw=[32,32]"]
    out = tmp_path / "run"
    result = run_cli(
        capsys, "train", RECIPE, "--data", camvid, "--out", out, "--preset", "tiny",
        *few, *size,
    )  # fmt: skip
    assert result.code == 0, result.err
    assert "preset tiny for 6 training images:" in result.err
    assert re.search(r"^  ema: None -> 0\.99\d*$", result.err, re.MULTILINE)
    assert "  early_stopping: none\n" in result.err
    assert "  augmentation.scale: [0.5, 2.0]\n" in result.err
    assert "epochs" not in result.err.partition("full 1/2")[0]
    recipe = load_checkpoint(out / "best.pt").recipe
    assert recipe.stages[0].epochs == 2
    assert recipe.augmentation is not None
    assert recipe.early_stopping is None


def test_one_batch_is_learned_by_heart_or_not(
    camvid: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.chdir(tmp_path)
    command = [
        "train", "fast_scnn_camvid_modern", "--data", camvid, "--overfit-one-batch",
        "--set", "input.size_hw=[64,64]", "--set", "batch_size=2", "--precision", "f32",
    ]  # fmt: skip
    passing = run_cli(capsys, *command)
    assert passing.code == 0, passing.err
    assert passing.out.startswith("pass: the loss of one batch went from ")
    assert not list(tmp_path.iterdir())


def test_a_rate_that_is_too_low_fails_the_self_test(camvid: Path):
    recipe = load_recipe(
        "fast_scnn_camvid_modern",
        ["input.size_hw=[64, 64]", "batch_size=2", "precision=f32", "optimizer.lr=1.0e-9"],
    )
    test = overfit_one_batch(recipe, lambda _, split: open_dataset(camvid, split), max_steps=5)
    assert not test.passed
    assert len(test.losses) == 5
