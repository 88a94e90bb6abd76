"""A job's pieces worked through by Ray Data: three stages, of which the engines are actors.

Reading and writing are tasks, the engines a pool of actors; `ray_session` says what each asks for.
What is unpickled here are pieces that the job's own stages have pickled, on their way between Ray's
processes; what a user hands in travels inside of them as bytes and texts.
"""

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from swiftseg.cluster.attempts import PieceStage, refusing
from swiftseg.cluster.ray_session import (
    Row,
    engine_cpus,
    engine_gpus,
    import_ray,
    own_error,
    passing_errors,
    set_up_data,
    start_attempts,
    task_cpus,
    without_errors,
)
from swiftseg.cluster.remote_model import RemoteModel
from swiftseg.core import SwiftsegError
from swiftseg.inference import Segmenter
from swiftseg.labeling.job import done_pieces, receipt_of
from swiftseg.labeling.pieces import Piece, Receipt, read_receipt
from swiftseg.labeling.stages import LabeledFrame, ReadFrame, ReadStage, SegmentStage, StagedPiece
from swiftseg.labeling.writing import WriteStage

_LOOK_S = 1.0  # between two looks at the target


@dataclass(frozen=True)
class RayStages:
    """What workers do to a piece.

    Attributes:
        opening: Of the model, which each worker opens itself.
        segmenting: Makes the second stage of the model.
    """

    read: ReadStage
    opening: RemoteModel
    segmenting: Callable[[Segmenter], SegmentStage]
    write: WriteStage


def label_on_ray(
    pieces: Sequence[Piece], stages: RayStages, *, workers: int, cpus: float
) -> Iterator[Receipt]:
    """Yield each piece's receipt once its results are written, in any order.

    A worker that dies is replaced, and its piece done again; an input that kills workers is set
    aside. Ray Data starts no more reading than its object store holds.

    Raises:
        SwiftsegError: The target refuses results, or the cluster has gone.
    """
    if not pieces:
        return
    ray = import_ray()
    from ray.data import ActorPoolStrategy, from_items

    set_up_data()
    attempts = start_attempts()
    opening = ray.put(stages.opening)  # once a node, however many engines are there
    for_tasks = task_cpus(cpus)
    rows = [{"payload": pickle.dumps(piece)} for piece in pieces]
    work = (
        from_items(rows, override_num_blocks=len(rows))
        .map(partial(passing_errors, partial(_read, stages.read, attempts)), num_cpus=for_tasks)
        .map(
            cast(Any, _Engine),
            fn_constructor_args=([opening], stages.segmenting, attempts),
            compute=ActorPoolStrategy(size=min(workers, len(pieces))),
            num_cpus=engine_cpus(cpus, workers, stages.opening.threads),
            num_gpus=engine_gpus(stages.opening.engine.device, workers),
        )
        .map(partial(passing_errors, partial(_write, stages.write, attempts)), num_cpus=for_tasks)
    )
    try:
        for row in without_errors(work.iter_rows()):
            yield read_receipt(row["payload"])
    except Exception as error:
        raise own_error(error) from error
    finally:
        ray.kill(attempts)


def label_through_client(
    pieces: Sequence[Piece], stages: RayStages, *, workers: int, cpus: float
) -> Iterator[Receipt]:
    """Do what `label_on_ray` does where this process is a client of the cluster (ray://).

    Ray Data does not run in clients. So a task of the cluster runs it, and the receipts are read
    from the target as they come.

    Raises:
        SwiftsegError: As `label_on_ray`, or this machine does not see what the cluster has written.
    """
    ray = import_ray()
    place, due = stages.write.place, {piece.number for piece in pieces}
    task = ray.remote(num_cpus=0, max_retries=0)(_run_all)
    whole = task.remote(pieces, stages, workers, cpus)
    while due:
        ended, _ = ray.wait([whole], timeout=_LOOK_S)
        if ended:
            try:
                ray.get(whole)
            except Exception as error:
                raise own_error(error) from error
        for number in sorted(due & done_pieces(place)):
            yield receipt_of(place, number)
            due.discard(number)
        if ended and due:
            raise SwiftsegError(
                f"the cluster is done, and {place.address} lacks {len(due)} of its receipts here; "
                "choose an --out that this machine and the cluster see by the same path or address"
            )


def _run_all(pieces: Sequence[Piece], stages: RayStages, workers: int, cpus: float) -> None:
    for _ in label_on_ray(pieces, stages, workers=workers, cpus=cpus):
        pass


def _read(read: ReadStage, attempts: Any, row: Row) -> Row:
    piece: Piece = pickle.loads(row["payload"])
    done = _tried(read, piece, (piece.number, "read"), attempts)
    return {"payload": pickle.dumps(done, protocol=5)}


class _Engine:
    """The second stage, in an actor that keeps its engine."""

    def __init__(
        self, opening: list[Any], segmenting: Callable[[Segmenter], SegmentStage], attempts: Any
    ) -> None:
        self._attempts = attempts
        self._segment = segmenting(import_ray().get(opening[0]).open())

    def __call__(self, row: Row) -> Row:
        return passing_errors(self._segmented, row)

    def _segmented(self, row: Row) -> Row:
        read: StagedPiece[ReadFrame] = pickle.loads(row["payload"])
        done = _tried(self._segment, read, (read.piece.number, "segment"), self._attempts)
        return {"payload": pickle.dumps(done, protocol=5)}


def _write(write: WriteStage, attempts: Any, row: Row) -> Row:
    labeled: StagedPiece[LabeledFrame] = pickle.loads(row["payload"])
    receipt: Receipt = _tried(write, labeled, (labeled.piece.number, "write"), attempts)
    return {"payload": receipt.to_json().encode()}


def _tried(work: Callable[..., Any], piece: Any, stage: PieceStage, attempts: Any) -> Any:
    """Do a stage's work; where a worker has died at it before, its inputs are announced."""
    get = import_ray().get
    if get(attempts.begin_piece.remote(stage)):
        done = work(piece, refusing(lambda key: get(attempts.begin_input.remote(stage, key))))
    else:
        done = work(piece)
    get(attempts.finish.remote(stage))
    return done
