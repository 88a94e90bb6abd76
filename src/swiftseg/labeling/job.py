"""A job as its target knows it: what it does, what there is to do, and what is done.

The target's folder `job/` holds `job.json` (the settings), `plan-00000.jsonl.gz` (the inputs, cut
into pieces; one more file when a later start finds more inputs) and `receipts/`, one file a piece,
written after all that the piece gave. Killed anywhere, a job goes on with the pieces that have no
receipt: what they had written is written over with the same bytes.
"""

import gzip
import json
import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from swiftseg.core import SwiftsegError
from swiftseg.core.errors import first_line
from swiftseg.core.in_threads import in_threads
from swiftseg.core.schema import first_problem
from swiftseg.core.shown_text import without_secrets
from swiftseg.labeling.inputs import Input, read_input
from swiftseg.labeling.pieces import Piece, Receipt, cut, read_receipt
from swiftseg.labeling.place import LocalPlace, Place

Form = Literal["png", "parquet"]
FORMS: tuple[Form, ...] = ("png", "parquet")
Saved = Literal["labels", "overlay", "probs", "shares"]
SAVED: tuple[Saved, ...] = ("labels", "overlay", "probs", "shares")

SHARDS = "shards"

_SETTINGS = "job/job.json"
_PLANS = "job/plan-"
_RECEIPTS = "job/receipts"


@dataclass(frozen=True)
class Settings:
    """What decides a job's results; a job goes on with the settings it began with.

    Attributes:
        digest: SHA-256 of its file.
        precision: What the engine computes in.
        fit: How images of other sizes are shown to the network.
        form: Files in the source's tree, or Parquet shards.
        batch: Frames of a piece; with another one, the ranges of a video would overlap those that
            are done.
    """

    model: str
    digest: str
    backend: str
    precision: str
    fit: str
    save: tuple[Saved, ...]
    form: Form
    classes: tuple[str, ...]
    device: str = "cpu"
    batch: int = 64


@dataclass
class Job:
    """A job with a target.

    Attributes:
        settings: What decides its results.
        done: The numbers of the pieces that have a receipt.
    """

    place: Place
    settings: Settings
    pieces: list[Piece]
    done: set[int]

    @property
    def pending(self) -> list[Piece]:
        return [piece for piece in self.pieces if piece.number not in self.done]

    def receipts(self) -> Iterator[Receipt]:
        """Read the receipts of all pieces that are done, in their order."""
        numbers = [piece.number for piece in self.pieces if piece.number in self.done]
        yield from in_threads(lambda number: receipt_of(self.place, number), numbers)


def begin_job(place: Place, settings: Settings, listed: Sequence[Input]) -> Job:
    """Begin a job, or go on with the one that the target holds.

    Inputs that the job already knows keep their pieces.

    Raises:
        SwiftsegError: The target holds results of other settings, of other inputs by the same names
            or of something else, or cannot be read or written.
    """
    known_files = list(place.files("job"))
    plans = [path for path in known_files if path.startswith(_PLANS)]
    has_begun = _SETTINGS in known_files
    if has_begun:
        _check_same(place, settings)
        if isinstance(place, LocalPlace):
            place.sweep()
    else:
        for folder in (*SAVED, SHARDS):
            if next(iter(place.files(folder)), None) is not None:
                raise SwiftsegError(
                    f"{place.address} holds {folder}/ of something else than a labeling job; "
                    "choose another --out"
                )
        plans = []
    now = {item.key: item for item in listed}
    pieces = [piece for plan in plans for piece in _read_plan(place, plan, now)]
    planned = [item for piece in pieces for item in piece.inputs]
    known = {item.key for item in planned} | {_place_of(item) for item in planned}
    fresh = [item for item in listed if not {item.key, _place_of(item)} & known]
    added = list(cut(fresh, settings.batch, first=len(pieces)))
    if added:
        # The piece's number, a tab and an input on each line.
        lines = [f"{piece.number}\t{item.to_json()}" for piece in added for item in piece.inputs]
        plan = gzip.compress("\n".join(lines).encode(), mtime=0)
        place.write(f"{_PLANS}{len(plans):05d}.jsonl.gz", plan)
    if not has_begun:
        place.write(_SETTINGS, json.dumps(asdict(settings), indent=1).encode())
    return Job(place, settings, pieces + added, done_pieces(place))


def _place_of(item: Input) -> object:
    """Return where an input lies, by which it is known under any name."""
    is_whole = item.address == without_secrets(item.address)  # else several have the same
    return (item.address, item.kind, item.at) if is_whole else item.key


def done_pieces(place: Place) -> set[int]:
    """Return the numbers of the pieces that have a receipt in a target."""
    paths = map(PurePosixPath, place.files(_RECEIPTS))
    return {int(path.stem) for path in paths if path.stem.isdecimal() and path.suffix == ".json"}


def receipt_of(place: Place, number: int) -> Receipt:
    """Read the receipt of a piece that is done. Raises SwiftsegError where it cannot be read."""
    path = _receipt(number)
    with _undamaged(place, path, "remove it, and its inputs are labeled again"):
        return read_receipt(place.read(path))


def write_receipt(place: Place, receipt: Receipt) -> None:
    """Note that all results of a piece are written."""
    place.write(_receipt(receipt.piece), receipt.to_json().encode())


def _receipt(number: int) -> str:
    return f"{_RECEIPTS}/{number:06d}.json"


def _check_same(place: Place, settings: Settings) -> None:
    with _undamaged(place, _SETTINGS, "choose another --out"):
        then = TypeAdapter(Settings).validate_json(place.read(_SETTINGS))
    if then.digest != settings.digest:
        raise SwiftsegError(
            f"{place.address} holds results of another model: {then.model} with the digest "
            f"{then.digest[:12]}, and this is {settings.model} with {settings.digest[:12]}; choose "
            "another --out, or go on with the model that the job began with"
        )
    for name, value in asdict(settings).items():
        if value != getattr(then, name):
            raise SwiftsegError(
                f"{place.address} was begun with the {name} {_said(getattr(then, name))}, not "
                f"{_said(value)}; choose another --out, or the same as before"
            )


@contextmanager
def _undamaged(place: Place, path: str, way_out: str) -> Generator[None]:
    """Raise SwiftsegError where a file of the job holds what no job has written."""
    try:
        yield
    except (OSError, EOFError, zlib.error, ValueError, LookupError, TypeError) as error:
        problem = first_problem(error) if isinstance(error, ValidationError) else first_line(error)
        raise SwiftsegError(f"{place.address}/{path} is damaged: {problem}; {way_out}") from error


def _said(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _read_plan(place: Place, path: str, now: Mapping[str, Input]) -> list[Piece]:
    """Read a plan's pieces; addresses are the source's, which have their secrets.

    Raises:
        SwiftsegError: The source has another input by the name of one in the plan.
    """
    inputs: dict[int, list[Input]] = {}
    for number, item in _planned(place, path):
        current = now.get(item.key, item)
        if read_input(current.to_json()) != item:
            raise SwiftsegError(
                f"{place.address} was begun with {item.key} from {item.address}, and the source "
                f"has another {item.key}, from {without_secrets(current.address)}; choose another "
                "--out, or the source that the job began with"
            )
        inputs.setdefault(number, []).append(current)
    return [Piece(number, tuple(items)) for number, items in inputs.items()]


def _planned(place: Place, path: str) -> list[tuple[int, Input]]:
    """Read a plan's lines: a piece's number and an input of it."""
    with _undamaged(place, path, "choose another --out"):
        text = gzip.decompress(place.read(path)).decode()
        lines = [line.partition("\t") for line in text.split("\n")]
        return [(int(number), read_input(item)) for number, _, item in lines]
