from importlib.util import find_spec
from pathlib import Path
from statistics import mean, stdev

import pytest

from swiftseg.cli.train import print_seeds
from swiftseg.core import UsageError
from swiftseg.runs import Epoch, RunFolder
from swiftseg.training.seeds import train_seeds
from tests.support.broken_datasets import make_good
from tests.support.command_line import run_cli


@pytest.mark.parametrize("seeds", ["0", "0,0", "a,b", "0,-1"])
def test_seeds_are_two_numbers_or_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], seeds: str
):
    refused = run_cli(capsys, "train", "enet", "--data", tmp_path, "--seeds", seeds)
    assert refused.code == 2
    assert "such as 0,1,2" in refused.err


def test_unknown_and_missing_trackers_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    common = ("train", "enet", "--data", tmp_path, "--track")
    assert "unknown tracker 'wand'; did you mean wandb?" in run_cli(capsys, *common, "wand").err
    if find_spec("wandb") is None:
        assert "pip install 'swiftseg[wandb]'" in run_cli(capsys, *common, "wandb").err


@pytest.mark.slow
def test_each_seed_has_its_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    data = make_good(tmp_path / "field")
    options = {"epochs": 1, "size_hw": (32, 32), "batch_size": 2}
    found = train_seeds("fast_scnn", [0, 3], data=data, out=tmp_path / "runs", **options)
    scores = [result.evaluation.scores.mean_iou for result in found.results]
    assert (found.mean, found.deviation) == (mean(scores), stdev(scores))
    assert [RunFolder(tmp_path / f"runs/seed_{n}").read_recipe().seed for n in (0, 3)] == [0, 3]
    with pytest.raises(UsageError, match="expected two seeds or more"):
        train_seeds("fast_scnn", [1], data=data)
    capsys.readouterr()
    print_seeds(found)
    printed = capsys.readouterr().out.splitlines()
    assert {line for result in found.results for line in result.advice} <= set(printed)
    assert any("predict" in line for line in printed)  # one epoch teaches nobody three classes


def train_tracked(folder: Path, capsys: pytest.CaptureFixture[str], tracker: str) -> list[Epoch]:
    data, run = make_good(folder / "field"), folder / "run"
    options = ("--epochs", 2, "--size", "32x32", "--batch-size", 2, "--track", tracker)
    result = run_cli(capsys, "train", "fast_scnn", "--data", data, "--out", run, *options)
    assert result.code == 0, result.err
    return RunFolder(run).read_history()


@pytest.mark.slow
@pytest.mark.skipif(find_spec("mlflow") is None, reason="mlflow is not installed")
def test_mlflow_gets_the_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    history = train_tracked(tmp_path, capsys, "mlflow")
    [run] = mlflow.search_runs(experiment_names=["swiftseg"], output_format="list")
    assert run.data.params["input.size_hw"] == "[32, 32]"
    told = mlflow.MlflowClient().get_metric_history(run.info.run_id, "loss")
    assert [(m.step, m.value) for m in told] == [(e.epoch, e.loss) for e in history]


@pytest.mark.slow
@pytest.mark.skipif(find_spec("wandb") is None, reason="wandb is not installed")
def test_wandb_gets_the_numbers_offline(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    history = train_tracked(tmp_path, capsys, "wandb")
    [stored] = (tmp_path / "wandb").glob("offline-run-*/*.wandb")
    for text in ("val/mean_iou", "input.size_hw", repr(history[-1].loss)):
        assert text.encode() in stored.read_bytes()
