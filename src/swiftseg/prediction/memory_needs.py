"""How much memory a picture or a frame takes on its way, by its size and what is written of it."""

import math
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

import numpy as np

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.core.memory_limit import (
    FRAME_PIXEL_BYTES,
    PIXEL_BYTES,
    PROBABILITY_BYTES,
    megabytes,
    resident_bytes,
)
from swiftseg.inference import Segmenter
from swiftseg.inference.fitting import choose_fit
from swiftseg.inference.large_pictures import SHOWN_SIDE
from swiftseg.prediction.outputs import Kind, overlay_jpeg

LEAST_ROOM_BYTES = 64_000_000  # for a frame of 1024x2048, and others on their way


def warm_up(segmenter: Segmenter, limit_bytes: int, *, has_videos: bool) -> None:
    """Label and draw an empty frame: afterward the process holds all but pictures.

    Raises:
        UsageError: The network sees pictures at their own size, so that no need can be foretold.
        SwiftsegError: The limit leaves less than small pictures need.
    """
    if segmenter.fit == "native":
        raise UsageError(
            "--max-memory goes with every --fit but native, where a network's need is not known"
        )
    spec = segmenter.spec
    frame = np.zeros((*spec.input.size_hw, spec.input.bands), spec.input.dtype)
    result = segmenter.fitted("stretch")(frame)
    overlay_jpeg(result.overlay(), result.labels, result.class_shares())
    if has_videos:
        with suppress(ModuleNotFoundError):  # who opens the video says what is missing
            import_module("av")  # its libraries count too
    held = resident_bytes()
    if held + LEAST_ROOM_BYTES > limit_bytes:
        raise SwiftsegError(
            f"--max-memory {megabytes(limit_bytes)} is too little: {spec.name} takes "
            f"{megabytes(held)} before any picture; give {megabytes(held + LEAST_ROOM_BYTES)} or "
            "more"
        )


def picture_bytes(
    segmenter: Segmenter, kinds: Sequence[Kind], size_hw: tuple[int, int], *, in_windows: bool
) -> int:
    """Return how much a picture takes at most, alone on its way."""
    spec = segmenter.spec
    value_bytes = spec.input.bands * np.dtype(spec.input.dtype).itemsize
    pixel_bytes = PIXEL_BYTES + 4 * max(0, value_bytes - 3) + _probability_bytes(segmenter, kinds)
    pixels = SHOWN_SIDE**2 if in_windows else size_hw[0] * size_hw[1]
    tiles = 0
    if choose_fit(segmenter.fit, size_hw, spec.input.size_hw) == "tile":
        # A row of tiles is added up in float32 and divided into another array; one is on its way.
        values = 2 * segmenter.tile_hw[0] * size_hw[1] + 3 * math.prod(spec.input.size_hw)
        tiles = 4 * len(spec.labels) * values
    return pixels * pixel_bytes + tiles


def frame_bytes(segmenter: Segmenter, kinds: Sequence[Kind], size_hw: tuple[int, int]) -> int:
    """Return how much a video takes at most whose frames are worked on one at a time."""
    pixels = size_hw[0] * size_hw[1]
    return pixels * (FRAME_PIXEL_BYTES + _probability_bytes(segmenter, kinds))


def _probability_bytes(segmenter: Segmenter, kinds: Sequence[Kind]) -> int:
    return PROBABILITY_BYTES * len(segmenter.spec.labels) if "probs" in kinds else 0
