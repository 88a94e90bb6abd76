"""A search over the values of a recipe: Ray Tune runs the trials and ends the hopeless ones early.

The values of all trials are drawn before the first begins and stand in the search's own file, so
that a search that was stopped goes on with the same trials. What a trial has measured is read from
its run's folder; nothing that Ray has pickled is ever read again.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from accelerate.tracking import GeneralTracker

from swiftseg.cluster.ray_session import cluster_gpus, own_error, ray_session
from swiftseg.cluster.search_space import Space, Values, draw_trials
from swiftseg.core import SwiftsegError, UsageError
from swiftseg.core.files import write_file
from swiftseg.core.progress import LateProgress
from swiftseg.core.schema import Section, read_json
from swiftseg.recipes import as_overrides
from swiftseg.recipes.recipe_file import parse_recipe
from swiftseg.runs import RunFolder
from swiftseg.runs.history import best_epoch
from swiftseg.runs.lock import locked
from swiftseg.runs.state import StoppedError
from swiftseg.training import train
from swiftseg.training.train_run import Data, absolute_sources, as_sources
from swiftseg.training.training_recipe import find_recipe

SEARCH_FILE = "tune.json"
REDUCTION = 3  # of ASHA: of the trials that reach a rung, the best third goes on
SCORE = "val/mean_iou"

TrialState = Literal["waiting", "done", "stopped early", "failed"]


class SearchTrial(Section):
    """One training of a search.

    Attributes:
        number: From 0.
        values: What it changes in the recipe.
        state: What has become of it.
        epochs: How many it has trained.
        mean_iou: Of its best epoch, in 0..1; None before the first validation.
        error: Why it failed.
    """

    number: int
    values: dict[str, Any]
    state: TrialState = "waiting"
    epochs: int = 0
    mean_iou: float | None = None
    error: str | None = None


class Search(Section):
    """A search as its file keeps it.

    Attributes:
        recipe: As the user named it.
        recipe_sha256: Of the recipe with what all trials change.
        data: Where the data are.
        weights_sha256: Of the file that trials start from; None where they start anew.
        overrides: What all trials change.
        trials: By number.
    """

    recipe: str
    recipe_sha256: str
    data: tuple[str, ...]
    weights_sha256: str | None
    overrides: tuple[str, ...]
    trials: tuple[SearchTrial, ...]

    def question(self) -> dict[str, object]:
        """Return what must be the same for a search to go on, each by what the user gives."""
        return {
            "RECIPE": self.recipe,
            "--space": [trial.values for trial in self.trials],
            "--set or --hold-out": self.overrides,
            "--data": self.data,
            "--weights": self.weights_sha256,
            "content of RECIPE": self.recipe_sha256,
        }

    @property
    def ranking(self) -> list[SearchTrial]:
        """The trials that have a score, the best first."""
        scored = [trial for trial in self.trials if trial.mean_iou is not None]
        return sorted(scored, key=lambda trial: -(trial.mean_iou or 0.0))


@dataclass
class _Basis:
    """What a trial needs, wherever it runs."""

    source: str
    data: list[str]
    weights: str | None
    overrides: list[str]
    folder: str


def trial_folder(out: Path, number: int) -> Path:
    """Return the folder of a trial's run."""
    return out / f"trial_{number:03d}"


def tune(
    source: str | Path,
    space: Space,
    *,
    data: Data = (),
    out: Path | str,
    trials: int | None = None,
    workers: int = 1,
    weights: Path | str | None = None,
    overrides: Sequence[str] = (),
    address: str | None = None,
    resume: bool = False,
) -> Search:
    """Train a recipe with many values, and end early those that fall behind (ASHA).

    Each trial is a run in `out/trial_NNN`. After every validation it is compared with the others
    at the same epoch, and two thirds of them end (Li et al., arXiv:1810.05934).

    Args:
        source: What `train` takes.
        space: What may change, see `read_space`.
        data: As `train` takes it.
        out: The folder of the search; all machines see it at the same path.
        trials: How many are drawn; None takes every combination of lists once.
        workers: Trials at the same time, which share the CPUs and GPUs.
        weights: As `train` takes it.
        overrides: Other values of the recipe for all trials.
        address: Of a Ray cluster; None starts Ray on this machine.
        resume: Go on with the search in `out`.

    Raises:
        MissingExtraError: Ray is not installed.
        UsageError: The recipe, the data or a value of the space is impossible, or `out` holds
            another search.
        SwiftsegError: All trials have failed, or no cluster answers.
        StoppedError: Ctrl-C; `resume` goes on.
    """
    folder, sources = Path(out).absolute(), as_sources(data)
    places = absolute_sources(sources)
    drawn = draw_trials(space, trials)
    found = find_recipe(source, sources, overrides, weights=weights)
    start = found.initial_weights
    text = json.dumps(found.recipe.model_dump(mode="json", exclude_none=True))  # JSON is YAML
    epochs = _most_epochs(text, str(source), drawn)
    job = _Basis(
        source=str(Path(source).absolute()) if Path(source).is_file() else str(source),
        data=places,
        weights=_absolute(weights),
        overrides=list(overrides),
        folder=str(folder),
    )
    fresh = Search(
        recipe=str(source),
        recipe_sha256=hashlib.sha256(text.encode()).hexdigest(),
        data=tuple(places),
        weights_sha256=start and hashlib.sha256(start.read_bytes()).hexdigest(),
        overrides=tuple(overrides),
        trials=tuple(SearchTrial(number=i, values=values) for i, values in enumerate(drawn)),
    )
    with locked(folder / f"{SEARCH_FILE}.lock"):
        begun = _begin(Path(out), fresh, resume=resume)
        with ray_session(address) as cpus, LateProgress("trials") as progress:
            record = _Record(folder, begun)  # which is written when all that may fail has not
            _run(job, record, epochs, progress, workers=workers, cpus=cpus)
    search = record.search
    if any(trial.state == "waiting" for trial in search.trials):
        raise StoppedError(f"{out}: the search was stopped; continue it with --resume")
    if not search.ranking:
        raise SwiftsegError(f"all trials have failed; the first: {search.trials[0].error}")
    return search


def read_search(folder: Path) -> Search | None:
    """Return the search in a folder, or None.

    Raises:
        SwiftsegError: The file is damaged.
    """
    path = folder / SEARCH_FILE
    return read_json(path, Search, "is no file of a search") if path.exists() else None


def _absolute(weights: Path | str | None) -> str | None:
    if weights is None:
        return None
    return str(Path(weights).absolute()) if Path(weights).exists() else str(weights)


def _most_epochs(text: str, origin: str, drawn: Sequence[Values]) -> int:
    """Try the values of every trial on the recipe; return how many epochs a trial has at most."""
    recipes = [parse_recipe(text, origin=origin, overrides=as_overrides(one)) for one in drawn]
    return max(sum(stage.epochs for stage in recipe.stages) for recipe in recipes)


def _begin(folder: Path, fresh: Search, *, resume: bool) -> Search:
    stored = read_search(folder)
    if not resume:
        if stored is not None:
            raise UsageError(f"{folder}: holds a search already; continue it with --resume")
        return fresh
    if stored is None:
        raise UsageError(f"{folder}: holds no search to continue")
    asked = fresh.question()
    for what, value in stored.question().items():
        if value != asked[what]:
            raise UsageError(
                f"{folder}: holds a search of {stored.recipe} with another {what}; give the same "
                "to continue"
            )
    return stored


class _Record:
    """The search's file, which always shows how far the trials are."""

    def __init__(self, folder: Path, search: Search) -> None:
        self.folder, self.search = folder, search
        self._write()

    def note(self, number: int, state: TrialState, error: str | None = None) -> SearchTrial:
        """Note what has become of a trial, with what its run's folder says."""
        epochs, mean_iou = measured(trial_folder(self.folder, number))
        changed = {"state": state, "error": error, "epochs": epochs, "mean_iou": mean_iou}
        trials = list(self.search.trials)
        trials[number] = trials[number].model_copy(update=changed)
        self.search = self.search.model_copy(update={"trials": tuple(trials)})
        self._write()
        return trials[number]

    def _write(self) -> None:
        write_file(self.folder / SEARCH_FILE, self.search.model_dump_json(indent=1) + "\n")


def measured(run: Path) -> tuple[int, float | None]:
    """Return how many epochs a run has trained, and the mean IoU of its best one."""
    history = RunFolder(run).read_history()
    best = best_epoch(history, "mean_iou")
    return len(history), best.val_mean_iou if best else None


class _Reporter(GeneralTracker):
    """Tells Ray Tune of every validation, as a tracker of the training."""

    name = "ray"
    requires_logging_directory = False

    @property
    def tracker(self) -> None:
        return None

    def store_init_configuration(self, values: dict[str, Any]) -> None:
        """The values stand in the search's file."""

    def log(self, values: dict[str, Any], step: int | None = None, **options: Any) -> None:
        """Report a validation; Ray may end the trial then."""
        scores = (values.get(f"{frames}/mean_iou") for frames in ("val", "held_out"))
        report(step or 0, next((score for score in scores if score is not None), None))


def report(epoch: int, mean_iou: float | None) -> None:
    """Tell Ray Tune of an epoch's validation, if there was one."""
    from ray import tune as ray_tune

    if mean_iou is not None:
        ray_tune.report({SCORE: mean_iou, "epoch": epoch})


def _run(
    job: _Basis, record: _Record, epochs: int, progress: LateProgress, *, workers: int, cpus: float
) -> None:
    """Run all trials that are not done, the done ones telling what they have measured."""
    # Read when Ray Tune is imported: no loggers of its own, and no frames around its lines.
    os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
    os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
    from ray import tune as ray_tune
    from ray.tune.schedulers import ASHAScheduler

    share = {"cpu": _share(cpus, workers), "gpu": _share(cluster_gpus(), workers)}
    progress.expect(len(record.search.trials))
    scheduler = ASHAScheduler(
        time_attr="epoch",
        max_t=epochs,
        grace_period=max(1, epochs // REDUCTION**2),
        reduction_factor=REDUCTION,
    )
    with tempfile.TemporaryDirectory() as storage:
        tuner = ray_tune.Tuner(
            ray_tune.with_resources(_train_trial, share),
            param_space={"job": job, "trial": ray_tune.grid_search(list(record.search.trials))},
            tune_config=ray_tune.TuneConfig(
                metric=SCORE, mode="max", scheduler=scheduler, max_concurrent_trials=workers
            ),
            run_config=ray_tune.RunConfig(
                storage_path=storage, verbose=0, callbacks=[_follower(record, progress, epochs)]
            ),
        )
        for result in tuner.fit():
            if result.error is not None and result.config is not None:
                reason = own_error(result.error)  # known once Ray has written it down
                record.note(result.config["trial"].number, "failed", str(reason))


def _share(count: float, workers: int) -> float:
    """Return what each worker may take of CPUs or GPUs; above 1, Ray gives whole ones alone."""
    return float(count // workers) if count >= workers else count / workers


def _follower(record: _Record, progress: LateProgress, epochs: int) -> Any:
    """Return what notes in the driver how each trial has ended."""
    from ray.tune import Callback

    class Follower(Callback):
        def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
            number = trial.config["trial"].number
            done = measured(trial_folder(record.folder, number))[0] >= epochs
            noted = record.note(number, "done" if done else "stopped early")
            progress.advance(f"trial {number}: {noted.mean_iou or 0:.3f}")

        def on_trial_error(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
            record.note(trial.config["trial"].number, "failed")
            progress.advance()

    return Follower()


def _train_trial(config: dict[str, Any]) -> None:
    """Train a trial in a worker of Ray, or tell again what it had measured before."""
    job: _Basis = config["job"]
    trial: SearchTrial = config["trial"]
    run = RunFolder(trial_folder(Path(job.folder), trial.number))
    begun = run.last.exists()
    for number, epoch in enumerate(run.read_history() if begun else [], start=1):
        report(number, epoch.val_mean_iou)
    if trial.state in ("done", "stopped early"):
        return
    train(
        job.source,
        data=job.data,
        out=run.path,
        weights=job.weights,
        overrides=[*job.overrides, *as_overrides(trial.values)],
        trackers=[_Reporter()],
        resume=begun,
        overwrite=not begun,
    )
