"""One training with several seeds, and how far their scores lie apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swiftseg.core import UsageError
from swiftseg.core.log import say
from swiftseg.runs import RunFolder
from swiftseg.runs.listing import seed_folder, spread_of
from swiftseg.training.train_run import Data, TrainingResult, as_sources, train


@dataclass(frozen=True)
class SeedsResult:
    """What has come of trainings that differ in their seed alone.

    Attributes:
        mean: Of their mean IoU, 0..1.
        deviation: Their standard deviation, with n - 1 in its denominator.
    """

    results: tuple[TrainingResult, ...]
    mean: float
    deviation: float


def train_seeds(
    source: str | Path,
    seeds: Sequence[int],
    *,
    data: Data = (),
    out: Path | str | None = None,
    overrides: Sequence[str] = (),
    resume: bool = False,
    **options: Any,
) -> SeedsResult:
    """Train once a seed, one after the other, into `out/seed_0` and so on.

    Takes what `train` does, and two or more seeds that differ. With `resume`, those that have begun
    go on, and those that are done are only scored.

    Raises:
        UsageError: There are fewer than two seeds, or one comes twice; and as `train`.
        SwiftsegError: As `train`.
        StoppedError: Ctrl-C; `resume` goes on.
    """
    if len(set(seeds)) < 2 or len(set(seeds)) != len(seeds) or min(seeds) < 0:
        raise UsageError(f"expected two seeds or more, such as 0,1,2, got {list(seeds)}")
    own_data = as_sources(data).get("")
    of_data = "" if own_data is None else f"_{Path(own_data).resolve().stem}"
    folder = Path("runs") / f"{Path(source).stem}{of_data}_seeds" if out is None else Path(out)
    results: list[TrainingResult] = []
    for seed in seeds:
        run = seed_folder(folder, seed)
        say(f"seed {seed}: {run}")
        result = train(
            source,
            data=data,
            out=run,
            overrides=[*overrides, f"seed={seed}"],
            resume=resume and bool(RunFolder(run).found()),
            **options,
        )
        results.append(result)
    mean, deviation = spread_of([result.evaluation.scores.mean_iou for result in results])
    return SeedsResult(tuple(results), mean, deviation)
