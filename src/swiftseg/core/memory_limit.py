"""A limit of the memory that this process may hold, kept by asking before work begins.

A limit that the system sets counts stacks and what libraries reserve too, and what fails in it may
hang. What a picture takes is known from its header, so that a large one is refused beforehand.
"""

import math
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from swiftseg.core.errors import SwiftsegError

# While its picture is decoded, labeled, drawn and encoded, a pixel takes 11 to 19, by the format
# (benchmarks/pixel_memory.py).
PIXEL_BYTES = 20
FRAME_PIXEL_BYTES = 56  # of a video's frame, the decoder's and the encoder's frames included
PROBABILITY_BYTES = 8  # of a class at a pixel, where probabilities are saved
AT_ONCE = 3  # pictures on their way at once, in all states, take so many times what one takes


@dataclass(frozen=True)
class _Limit:
    """A limit, and how much it left when it began: beside a loaded model, before any picture."""

    limit_bytes: int
    room_bytes: int


_limit: _Limit | None = None


@contextmanager
def memory_limit(limit_bytes: int | None) -> Generator[None]:
    """Keep a limit in this process, on top of what it holds now; None sets none."""
    global _limit
    before = _limit
    if limit_bytes is not None:
        _limit = _Limit(limit_bytes, limit_bytes - resident_bytes())
    try:
        yield
    finally:
        _limit = before


def resident_bytes() -> int:
    """Return the memory that this process holds, shared libraries included."""
    import psutil  # late: importing it takes as long as labeling a frame

    return psutil.Process().memory_info().rss


def left_by_limit() -> int | None:
    """Return how much a limit leaves now, None where there is none."""
    return None if _limit is None else max(0, _limit.limit_bytes - resident_bytes())


def fits_limit(needed_bytes: int) -> bool:
    """Whether a limit left so much when it began; True where there is none.

    Unlike what is left now, this does not depend on what is worked on meanwhile.
    """
    return _limit is None or needed_bytes <= _limit.room_bytes


def check_limit(
    name: str, size_hw: tuple[int, int], needed_bytes: int, also: str = ", or --tile for a TIFF"
) -> None:
    """Raise SwiftsegError where a limit leaves less than a picture or a frame needs.

    `also` ends the message: what helps beside a larger limit.
    """
    left = left_by_limit()
    if _limit is None or left is None or needed_bytes <= left:
        return
    megapixels = size_hw[0] * size_hw[1] / 1e6
    raise SwiftsegError(
        f"{name}: {megapixels:.3g} megapixels may need {megabytes(needed_bytes)}, and "
        f"{megabytes(left)} of --max-memory {megabytes(_limit.limit_bytes)} are left; give a "
        f"larger limit{also}"
    )


def megabytes(count: int) -> str:
    """Return bytes as text, rounded up to whole megabytes."""
    return f"{math.ceil(count / 1e6)} MB"
