"""An evaluation shared out over workers: each counts some frames, which are summed up here.

What is unpickled here are counts that the workers have pickled, never a user's file.
"""

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from swiftseg.cluster.attempts import TRIES
from swiftseg.cluster.ray_session import (
    Row,
    engine_cpus,
    engine_gpus,
    import_ray,
    own_error,
    passing_errors,
    ray_session,
    set_up_data,
    start_attempts,
    without_errors,
)
from swiftseg.cluster.remote_model import RemoteModel
from swiftseg.core import SwiftsegError
from swiftseg.core.progress import LateProgress
from swiftseg.data import open_dataset
from swiftseg.evaluation import Evaluation, FrameCounts, ScoringProtocol, count_frames
from swiftseg.inference import Segmenter
from swiftseg.labeling.model_files import read_model_files

SHARD = 16  # frames that a worker counts before it hands them in


@dataclass(frozen=True)
class _Counting:
    """What a worker does, wherever it is."""

    data: str
    split: str
    dataset: str | None
    protocol: ScoringProtocol
    calibration_error: bool


def evaluate_on_ray(
    segmenter: Segmenter,
    data: str,
    *,
    split: str,
    dataset: str | None,
    workers: int,
    protocol: ScoringProtocol,
    calibration_error: bool,
    address: str | None,
) -> Evaluation:
    """Score a model on labeled data with several workers, to the last count as one would.

    Each worker runs the engine of the segmenter, which was loaded from a file, with one thread. All
    machines see the data at the same path, and no address starts Ray on this machine; the other
    arguments are those of `swiftseg.evaluation.evaluate`.

    Raises:
        MissingExtraError: Ray is not installed.
        SwiftsegError: As `evaluate`, no cluster answers, or frames end the workers that count them.
    """
    found = open_dataset(data, split, dataset)
    opening = RemoteModel(read_model_files(segmenter), segmenter.engine, 1, segmenter.fit)
    where = str(Path(data).absolute()) if Path(data).exists() else data
    counting = _Counting(where, split, dataset, protocol, calibration_error)
    evaluation = Evaluation(protocol.view(found).labels, protocol)
    with ray_session(address) as cpus, LateProgress(f"evaluating {segmenter.spec.name}") as bar:
        bar.expect(len(found))
        share = engine_cpus(cpus, workers, threads=1)
        for counts in _in_order(_shards(opening, counting, len(found), workers, share)):
            evaluation.add_counts(counts)
            bar.advance()
    return evaluation


def _shards(
    opening: RemoteModel, counting: _Counting, count: int, workers: int, cpus: float
) -> Iterator[tuple[int, list[FrameCounts]]]:
    """Yield (number, counts) of all shards, in any order."""
    ray = import_ray()
    from ray.data import ActorPoolStrategy, from_items

    set_up_data()
    attempts = start_attempts()
    shards = [
        {"number": number, "first": first, "last": min(first + SHARD, count)}
        for number, first in enumerate(range(0, count, SHARD))
    ]
    work = from_items(shards, override_num_blocks=len(shards)).map(
        cast(Any, _Counter),
        fn_constructor_args=([ray.put(opening)], counting, attempts),
        compute=ActorPoolStrategy(size=min(workers, len(shards))),
        num_cpus=cpus,
        num_gpus=engine_gpus(opening.engine.device, workers),
    )
    try:
        for row in without_errors(work.iter_rows()):
            yield row["number"], pickle.loads(row["counts"])
    except Exception as error:
        raise own_error(error) from error
    finally:
        ray.kill(attempts)


def _in_order(shards: Iterator[tuple[int, list[FrameCounts]]]) -> Iterator[FrameCounts]:
    """Yield all counts in the order of their frames, which the interval's draws depend on."""
    early: dict[int, list[FrameCounts]] = {}
    due = 0
    for number, counts in shards:
        early[number] = counts
        while due in early:
            yield from early.pop(due)
            due += 1


class _Counter:
    """Counts the frames of shards, in an actor that keeps its engine and the open data."""

    def __init__(self, opening: list[Any], counting: _Counting, attempts: Any) -> None:
        segmenter: Segmenter = import_ray().get(opening[0]).open()
        self._segmenter = counting.protocol.segmenter(segmenter)
        self._dataset = open_dataset(counting.data, counting.split, counting.dataset)
        self._counting, self._attempts = counting, attempts

    def __call__(self, row: Row) -> Row:
        return passing_errors(self._counted, row)

    def _counted(self, row: Row) -> Row:
        begun = self._attempts.begin_piece.remote((row["number"], "count"))
        if import_ray().get(begun) >= TRIES:  # Ray itself would try again without end
            raise SwiftsegError(
                f"{TRIES} workers died while counting frames {row['first'] + 1} to {row['last']}; "
                "without --workers the frame that ends them shows"
            )
        counts = count_frames(
            self._segmenter,
            self._dataset,
            range(row["first"], row["last"]),
            protocol=self._counting.protocol,
            calibration_error=self._counting.calibration_error,
        )
        return {"number": row["number"], "counts": pickle.dumps(list(counts))}
