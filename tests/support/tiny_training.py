"""A training that takes a second: the shipped ENet recipe on tiny frames."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from swiftseg.data import open_dataset
from swiftseg.evaluation import Evaluation
from swiftseg.recipes import Recipe, load_recipe
from swiftseg.runs import RunFolder
from swiftseg.training.loop import train_recipe
from swiftseg.training.run_log import environment
from swiftseg.training.stage import StageTraining
from tests.support.tiny_camvid import make_tiny_camvid

OVERRIDES = [
    "input.size_hw=[24, 32]",
    "batch_size=2",
    "precision=f32",
    "compile=false",
    "validate_every=1",
    "stages.0.epochs=1",
    "stages.1.epochs=2",
]


def tiny_recipe(*overrides: str) -> Recipe:
    """Return that recipe; an override that comes later may replace a whole section."""
    replaced = {override.split("=")[0] for override in overrides}
    kept = [o for o in OVERRIDES if o.split("=")[0].split(".")[0] not in replaced]
    return load_recipe("enet_camvid", [*kept, *overrides])


def run_tiny(
    folder: Path, recipe: Recipe | None = None, *, resume: bool = False, name: str = "run"
) -> tuple[RunFolder, Evaluation]:
    """Trains on tiny frames below `folder`; the run is in `folder / name`."""
    data = folder / "camvid"
    if not data.exists():
        make_tiny_camvid(data)
    run = RunFolder(folder / name)
    evaluation = train_recipe(
        recipe or tiny_recipe(),
        lambda dataset, split: open_dataset(data, split),
        run,
        environment=environment(["swiftseg", "train", "enet_camvid"]),
        resume=resume,
    )
    return run, evaluation


@contextmanager
def stop_after(steps: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sends this process a Ctrl-C after some steps, as a terminal would."""
    run_step, done = StageTraining.run_step, 0

    def stopping(training: StageTraining, *args: object, **options: object) -> object:
        nonlocal done
        result = run_step(training, *args, **options)  # type: ignore[arg-type]
        done += 1
        if done == steps:
            signal.raise_signal(signal.SIGINT)
        return result

    with monkeypatch.context() as patch:
        patch.setattr(StageTraining, "run_step", stopping)
        yield
