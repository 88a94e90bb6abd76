"""A job's pieces worked through by threads of this process, without Ray."""

from collections.abc import Iterator, Sequence

from swiftseg.core.in_threads import in_threads
from swiftseg.labeling.pieces import Piece, Receipt
from swiftseg.labeling.stages import Reading, Segmenting
from swiftseg.labeling.writing import Writing


def label_here(
    pieces: Sequence[Piece], read: Reading, segment: Segmenting, write: Writing, *, workers: int
) -> Iterator[Receipt]:
    """Yield each piece's receipt once its results are written.

    Engines, decoders and encoders let other threads run, so that the threads share the cores
    whatever each is at. They share one segmenter.
    """
    yield from in_threads(lambda piece: write(segment(read(piece))), pieces, threads=workers)
