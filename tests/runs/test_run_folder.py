from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swiftseg.core import SwiftsegError
from swiftseg.recipes import load_recipe
from swiftseg.runs import Environment, Epoch, RunFolder, best_epoch
from swiftseg.runs.history import validations_since_best, write_epochs

STARTED = Environment(
    command="swiftseg train enet_camvid",
    recipe="enet_camvid",
    data=("/data/camvid",),
    python="3.11",
    platform="Linux",
    torch_threads=2,
    gpus=(),
    versions={},
)
# Everything that `swiftseg train` leaves, and what is somebody's own.
OF_THE_RUN = (
    "last.pt", "best.pt", "best_encoder.pt", "metrics.csv", "recipe.yaml", "environment.json",
    "state.json", "tensorboard/full/events", "samples/full_0001.png", "model.onnx", "report.html",
    ".last-x1.pt", ".best_encoder-x1.pt", ".metrics-x1.csv", ".model-x1.onnx",
)  # fmt: skip
OF_THE_USER = ("notes.txt", "model_2.onnx", "my_report.html", "plots/last.pt", ".env", "best.txt")


def fill(folder: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("text")


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_overwriting_removes_all_of_the_run_and_nothing_else(tmp_path: Path):
    fill(tmp_path, (*OF_THE_RUN, *OF_THE_USER))
    run, recipe = RunFolder(tmp_path), load_recipe("enet_camvid")
    with pytest.raises(SwiftsegError, match="holds a run already"):
        run.start(recipe, STARTED)
    assert files_in(tmp_path) == {*OF_THE_RUN, *OF_THE_USER}
    run.start(recipe, STARTED, overwrite=True)
    assert files_in(tmp_path) == {"recipe.yaml", "environment.json", *OF_THE_USER}
    assert not (tmp_path / "samples").exists()
    assert run.read_recipe() == recipe
    assert run.read_environment() == STARTED


def test_what_a_link_leads_to_is_not_removed(tmp_path: Path):
    fill(tmp_path, ("elsewhere/mine.png",))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "samples").symlink_to(tmp_path / "elsewhere")
    RunFolder(tmp_path / "run").start(load_recipe("enet_camvid"), STARTED, overwrite=True)
    assert files_in(tmp_path) >= {"elsewhere/mine.png"}
    assert not (tmp_path / "run" / "samples").exists()


@pytest.mark.parametrize("left", ["best.pt", "best_encoder.pt", "metrics.csv", "samples/a.png"])
def test_work_without_its_last_checkpoint_is_not_begun_anew(tmp_path: Path, left: str):
    fill(tmp_path, ("recipe.yaml", "environment.json", "state.json", left))
    run = RunFolder(tmp_path)
    with pytest.raises(SwiftsegError, match=r"cannot resume without last\.pt, and \S+ would be"):
        run.refuse_lost_work()
    (tmp_path / "last.pt").touch()
    run.refuse_lost_work()


def test_a_run_killed_before_its_first_checkpoint_loses_nothing(tmp_path: Path):
    fill(tmp_path, ("recipe.yaml", "environment.json", "state.json"))
    RunFolder(tmp_path).refuse_lost_work()


def test_epochs_come_back_as_they_were_written(tmp_path: Path):
    epochs = [
        Epoch("a", 2.5, 0.1, epoch=1, images_per_second=3.5, wait_share=0.25),
        Epoch("a", 1.5, 1e-07, 0.5, 0.75, 2, 0.625, 0.875, 4.0, 0.0, "held_out"),
    ]
    write_epochs(tmp_path / "metrics.csv", epochs)
    assert RunFolder(tmp_path).read_history() == epochs
    assert RunFolder(tmp_path / "none").read_history() == []
    assert [Epoch.from_row(epoch.to_row()) for epoch in epochs] == epochs


def scored(*scores: tuple[float | None, float | None]) -> list[Epoch]:
    return [
        Epoch("full", 1.0, 0.1, iou, loss, number) for number, (iou, loss) in enumerate(scores, 1)
    ]


def test_the_first_of_the_best_epochs_is_the_best():
    epochs = scored((0.2, 1.0), (None, None), (0.5, 3.0), (0.5, 0.5), (0.1, 0.5), (0.3, None))
    assert best_epoch(epochs, "mean_iou") == epochs[2]
    assert best_epoch(epochs, "loss") == epochs[3]
    assert validations_since_best(epochs, "mean_iou") == 3
    assert validations_since_best(epochs, "loss") == 2


def test_scores_that_are_no_numbers_are_never_the_best():
    nan = float("nan")
    epochs = scored((nan, nan), (0.25, nan), (0.125, 9.0), (nan, 1.0))
    assert best_epoch(epochs, "mean_iou") == epochs[1]
    assert best_epoch(epochs, "loss") == epochs[2]
    assert best_epoch(scored((None, None)), "loss") is None
    assert validations_since_best(scored((nan, nan), (nan, nan)), "mean_iou") == 2


def test_a_damaged_environment_is_one_line(tmp_path: Path):
    (tmp_path / "environment.json").write_text('{"command": 3}')
    with pytest.raises(SwiftsegError, match=r"environment\.json: not a run's") as caught:
        RunFolder(tmp_path).read_environment()
    assert "\n" not in str(caught.value)


def test_samples_of_several_sizes_stand_in_one_picture(tmp_path: Path):
    rows = [
        [np.full((8, 10, 3), 50, np.uint8)] * 3,
        [np.full((4, 12, 3), 90, np.uint8)] * 3,
    ]
    RunFolder(tmp_path).write_samples("full", 3, rows)
    picture = np.asarray(Image.open(tmp_path / "samples/full_0003.png"))
    assert picture.shape == (12, 36, 3)
    assert (picture[:8, :30] == 50).all()
    assert not picture[:8, 30:].any()
    assert (picture[8:] == 90).all()
