"""Pieces of work: inputs that are read, segmented and written together, and what came of them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from itertools import groupby
from typing import Any

from pydantic import TypeAdapter

from swiftseg.labeling.inputs import Input


@dataclass(frozen=True)
class Piece:
    """Inputs that travel together; what they give is one shard of a Parquet target.

    Attributes:
        number: Its place in the job's plan, which names its files.
    """

    number: int
    inputs: tuple[Input, ...]

    @property
    def name(self) -> str:
        return f"{self.number:06d}"

    @property
    def num_frames(self) -> int:
        return sum(item.num_frames for item in self.inputs)


def cut(inputs: Sequence[Input], size: int, first: int) -> Iterator[Piece]:
    """Cut inputs into pieces of at most `size` frames, numbered from `first`.

    A range of a video is a piece of its own, and rows of two row groups are not mixed, so that a
    piece reads one part of one file.
    """
    number = first
    for kind, group in groupby(inputs, key=_belongs_with):
        alike = list(group)
        step = 1 if kind[0] == "frames" else size
        for start in range(0, len(alike), step):
            yield Piece(number, tuple(alike[start : start + step]))
            number += 1


def _belongs_with(item: Input) -> tuple[Any, ...]:
    return (item.kind, item.address, item.at[0]) if item.kind == "row" else (item.kind,)


@dataclass
class FrameResult:
    """What is kept of a labeled frame.

    Attributes:
        name: What its files are called.
        size_hw: Of the label map.
        confidence: The mean probability of the chosen class, 0..1; None where nobody asked.
    """

    name: str
    size_hw: tuple[int, int]
    pixels: list[int]
    confidence: float | None = None


@dataclass
class Outcome:
    """What came of an input.

    Attributes:
        frames: Those that were labeled; empty where it failed.
        reason: Why it failed, or what is missing; empty where all is well.
    """

    key: str
    address: str
    frames: list[FrameResult] = field(default_factory=list[FrameResult])
    reason: str = ""

    @property
    def status(self) -> str:
        return "done" if self.frames else "failed"


@dataclass
class Receipt:
    """What came of a piece; written when all of its results are.

    Attributes:
        outcomes: One an input, in order.
        seconds: By stage: `read`, `segment`, `write`.
    """

    piece: int
    outcomes: list[Outcome]
    seconds: dict[str, float]

    def to_json(self) -> str:
        """Return JSON from which `read_receipt` makes the same receipt."""
        return json.dumps(asdict(self), separators=(",", ":"))


def read_receipt(text: str | bytes) -> Receipt:
    """Read what `Receipt.to_json` made."""
    return _receipts().validate_json(text)


@cache
def _receipts() -> TypeAdapter[Receipt]:
    return TypeAdapter(Receipt)
