"""A job's pieces worked through by Ray Data: three stages, of which the engines are actors.

Reading and writing are tasks, the engines a pool of actors. Ray asks for CPUs before it starts
anything, so that the engines ask for less than they use: on two cores, two actors of a whole CPU
each would leave none for reading, and nothing would ever start.
"""

import logging
import pickle
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

from swiftseg.cluster.attempts import Attempts, Stage, refusing
from swiftseg.cluster.ray_session import import_ray
from swiftseg.core import SwiftsegError
from swiftseg.core.cache import cache_folder
from swiftseg.inference import Segmenter
from swiftseg.inference.fitting import Fit
from swiftseg.labeling.model_files import ModelFiles
from swiftseg.labeling.pieces import Piece, Receipt, read_receipt
from swiftseg.labeling.stages import LabeledPiece, Reading, ReadPiece, Segmenting
from swiftseg.labeling.writing import Writing

Row = dict[str, Any]

ENGINES_SHARE = 0.75  # of the CPUs; the rest is for reading and writing
_TASK_CPUS = 0.25


@dataclass(frozen=True)
class Opening:
    """From what, and how, each worker opens the model."""

    files: ModelFiles
    backend: str
    precision: str
    threads: int
    fit: Fit

    def open(self) -> Segmenter:
        """Open the model on the machine that this runs on."""
        folder = cache_folder() or Path(tempfile.mkdtemp(prefix="swiftseg-"))
        return Segmenter.load(
            self.files.unpacked(folder / "models"),
            backend=self.backend,
            precision=self.precision,
            threads=self.threads,
            fit=self.fit,
        )


@dataclass(frozen=True)
class RayStages:
    """What workers do to a piece; the engine's stage is made on arrival, by `opening`.

    Attributes:
        read: The first stage.
        opening: Of the model.
        keeps_probabilities: As in `Segmenting`.
        wants_confidence: As in `Segmenting`.
        write: The last stage.
    """

    read: Reading
    opening: Opening
    keeps_probabilities: bool
    wants_confidence: bool
    write: Writing


def label_on_ray(
    pieces: Sequence[Piece], stages: RayStages, *, workers: int, cpus: float
) -> Iterator[Receipt]:
    """Yield each piece's receipt once its results are written, in any order.

    A worker that dies is replaced, and its piece done again; an input that kills workers is set
    aside. Ray Data starts no more reading than its object store holds.

    Args:
        pieces: What is to be done.
        stages: What is done to each.
        workers: Engines.
        cpus: Of the cluster.

    Raises:
        SwiftsegError: The target refuses results, or the cluster has gone.
    """
    ray = import_ray()
    from ray.data import ActorPoolStrategy, DataContext, from_items

    _set_up(DataContext.get_current())
    attempts = (
        ray.remote(Attempts).options(num_cpus=0, max_restarts=-1, max_task_retries=-1).remote()
    )
    opening = ray.put(stages.opening)  # once a node, however many engines are there
    task_cpus = min(_TASK_CPUS, (1 - ENGINES_SHARE) * cpus / 2)
    rows = [{"payload": pickle.dumps(piece)} for piece in pieces]
    work = (
        from_items(rows, override_num_blocks=len(rows))
        .map(partial(_read, stages.read, attempts), num_cpus=task_cpus)
        .map(
            cast(Any, _Engine),
            fn_constructor_args=([opening], stages, attempts),
            compute=ActorPoolStrategy(size=workers),
            num_cpus=ENGINES_SHARE * cpus / workers,
        )
        .map(partial(_write, stages.write), num_cpus=task_cpus)
    )
    try:
        for row in work.iter_rows():
            yield read_receipt(row["payload"])
    except Exception as error:
        raise _own_error(error) from error
    finally:
        ray.kill(attempts)


def _read(read: Reading, attempts: Any, row: Row) -> Row:
    piece: Piece = pickle.loads(row["payload"])
    return {"payload": _tried(read, piece, (piece.number, "read"), attempts)}


class _Engine:
    """The second stage, in an actor that keeps its engine."""

    def __init__(self, opening: list[Any], stages: RayStages, attempts: Any) -> None:
        self._attempts = attempts
        self._segment = Segmenting(
            import_ray().get(opening[0]).open(),
            keeps_probabilities=stages.keeps_probabilities,
            wants_confidence=stages.wants_confidence,
        )

    def __call__(self, row: Row) -> Row:
        read: ReadPiece = pickle.loads(row["payload"])
        stage = (read.piece.number, "segment")
        return {"payload": _tried(self._segment, read, stage, self._attempts)}


def _write(write: Writing, row: Row) -> Row:
    labeled: LabeledPiece = pickle.loads(row["payload"])
    return {"payload": write(labeled).to_json().encode()}


def _tried(work: Callable[..., Any], piece: Any, stage: Stage, attempts: Any) -> bytes:
    """Do a stage's work; where a worker has died at it before, its inputs are announced."""
    get = import_ray().get
    if get(attempts.begin_piece.remote(stage)):
        done = work(piece, refusing(lambda key: get(attempts.begin_input.remote(stage, key))))
    else:
        done = work(piece)
    get(attempts.finish.remote(stage))
    return pickle.dumps(done, protocol=5)


def _set_up(context: Any) -> None:
    """Make Ray Data keep each piece whole and say nothing."""
    context.enable_progress_bars = False
    context.target_max_block_size = None
    logging.getLogger("ray.data").setLevel(logging.ERROR)


def _own_error(error: BaseException) -> SwiftsegError:
    """Return the error that a worker has raised, or one that says that Ray has given up."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, SwiftsegError):
            return SwiftsegError(str(cause).partition("\n")[0])
        cause = getattr(cause, "cause", None) or cause.__cause__
    reason = f"{type(error).__name__}: {error}".partition("\n")[0]
    return SwiftsegError(f"Ray has given up: {reason}")
