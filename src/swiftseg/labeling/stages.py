"""The three stages of a piece of work: read, segment, write. Whoever schedules them calls these.

What travels between them is small: the frame at the network's size, and the labels at that size. A
frame at its own size travels only where an overlay is asked for or windows go over it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Generic, TypeVar

import numpy as np

from swiftseg.core import InputSpec, MissingExtraError, SwiftsegError
from swiftseg.core.errors import unexpected
from swiftseg.data.images.image_file import decode_image
from swiftseg.inference import Segmenter
from swiftseg.inference.fitting import Fit
from swiftseg.inference.preparing import Prepared, prepare
from swiftseg.inference.video_ranges import frame_ranges, read_range
from swiftseg.labeling.inputs import Input
from swiftseg.labeling.picture_tables import PictureRows
from swiftseg.labeling.pieces import Piece
from swiftseg.labeling.place import is_remote, opened_if_remote, read_address

Check = Callable[[str], None]  # raises SwiftsegError for the key of an input to be left out

_NO_FRAME = np.empty((0, 0, 3), np.uint8)


def passed(key: str) -> None:
    """Refuse no input."""
    del key


@dataclass
class ReadFrame:
    """A frame on its way to the network."""

    name: str
    size_hw: tuple[int, int]
    prepared: Prepared
    kept: np.ndarray | None


@dataclass
class LabeledFrame:
    """A frame on its way to its files; the labels and probabilities are at the network's size."""

    name: str
    size_hw: tuple[int, int]
    labels: np.ndarray
    confidence: float | None
    probabilities: np.ndarray | None
    kept: np.ndarray | None


Frame = TypeVar("Frame", ReadFrame, LabeledFrame)


@dataclass
class Staged(Generic[Frame]):
    """An input's frames after a stage, or why there are none."""

    frames: list[Frame]
    reason: str = ""


@dataclass
class StagedPiece(Generic[Frame]):
    """A piece after a stage, and the seconds that each stage has taken so far."""

    piece: Piece
    inputs: list[Staged[Frame]]
    seconds: dict[str, float]


@dataclass(frozen=True)
class ReadStage:
    """The first stage.

    Attributes:
        keeps_frames: Whether frames travel on at their own size, for their overlays.
    """

    spec: InputSpec
    fit: Fit
    keeps_frames: bool

    def __call__(self, piece: Piece, check: Check = passed) -> StagedPiece[ReadFrame]:
        """Read the inputs of a piece; `check` may refuse one."""
        begin = perf_counter()
        rows = PictureRows()
        inputs = [self._read(item, rows, check) for item in piece.inputs]
        return StagedPiece(piece, inputs, {"read": perf_counter() - begin})

    def _read(self, item: Input, rows: PictureRows, check: Check) -> Staged[ReadFrame]:
        """Read an input; what makes it unreadable costs this input alone."""
        found: Staged[ReadFrame] = Staged([])
        try:
            check(item.key)
            for name, image in _images(item, rows):
                found.frames.append(self._prepared(name, image))
        except MissingExtraError:  # which no input is to blame for
            raise
        except SwiftsegError as error:
            found.reason = str(error)
        except Exception as error:  # whatever a decoder raises
            found.reason = f"{item.address}: cannot be read ({unexpected(error)})"
        missing = item.num_frames - len(found.frames)
        if found.frames and missing and not found.reason:
            found.reason = f"{missing} of {item.num_frames} frames cannot be decoded"
        return found

    def _prepared(self, name: str, image: np.ndarray | str) -> ReadFrame:
        prepared = prepare(image, self.spec, self.fit)
        frame = prepared.frame
        if prepared.batch is not None:
            prepared = replace(prepared, frame=_NO_FRAME)
        size_hw = (frame.shape[0], frame.shape[1])
        return ReadFrame(name, size_hw, prepared, frame if self.keeps_frames else None)


def _images(item: Input, rows: PictureRows) -> Iterator[tuple[str, np.ndarray | str]]:
    """Yield what an input holds as (name, image or the file of one)."""
    if item.kind == "row":
        group, row = item.at
        yield (
            item.name,
            decode_image(rows.read(item.address, item.column, group, row), item.name),
        )
    elif item.kind == "frames" and not item.at:
        with opened_if_remote(item.address) as data:
            list(frame_ranges(item.address, 1, data))  # raises why it could not be cut
        raise SwiftsegError(f"{item.address} can be read now; start the job again to label it")
    elif item.kind == "frames":
        with opened_if_remote(item.address) as data:
            for number, image in read_range(item.address, item.at[0], item.at[1:], data):
                yield f"{item.name}/{number:06d}", image
    elif is_remote(item.address):
        yield item.name, decode_image(read_address(item.address), item.address)
    else:
        yield item.name, item.address


@dataclass(frozen=True)
class SegmentStage:
    """The second stage.

    Attributes:
        keeps_probabilities: Whether probabilities travel on.
        wants_confidence: Whether each frame's mean probability of its classes is taken.
    """

    segmenter: Segmenter
    keeps_probabilities: bool
    wants_confidence: bool

    def __call__(
        self, read: StagedPiece[ReadFrame], check: Check = passed
    ) -> StagedPiece[LabeledFrame]:
        """Label the frames of a piece; `check` may refuse an input."""
        begin = perf_counter()
        pairs = zip(read.piece.inputs, read.inputs, strict=True)
        inputs = [self._segment(item, found, check) for item, found in pairs]
        return StagedPiece(read.piece, inputs, {**read.seconds, "segment": perf_counter() - begin})

    def _segment(self, item: Input, read: Staged[ReadFrame], check: Check) -> Staged[LabeledFrame]:
        """Label an input's frames; a frame that cannot be shown to the network fails the input."""
        try:
            check(item.key)
            return Staged([self._labeled(frame) for frame in read.frames], read.reason)
        except SwiftsegError as error:
            return Staged([], str(error))

    def _labeled(self, frame: ReadFrame) -> LabeledFrame:
        asked = self.keeps_probabilities or self.wants_confidence
        found = self.segmenter.network_labels(frame.prepared, with_probabilities=asked)
        probs, confidence = found.probabilities, None
        if probs is not None and self.wants_confidence:
            confidence = float(probs.max(axis=0).mean(dtype=np.float64))
        return LabeledFrame(
            frame.name,
            frame.size_hw,
            found.labels,
            confidence,
            probs if self.keeps_probabilities else None,
            frame.kept,
        )
