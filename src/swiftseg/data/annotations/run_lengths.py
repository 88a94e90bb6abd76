"""Run lengths: how tools write bitmaps as numbers, and back.

COCO counts runs down the columns, beginning with what is not covered, and packs the counts into a
text (pycocotools, `common/maskApi.c`). CVAT counts along the rows of a box. Label Studio packs all
four channels of a picture with `@thi.ng/rle-pack`.
"""

from typing import Any, Literal

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.core.budgets import MAX_PIXELS
from swiftseg.data.annotations.tool_files import as_list

_FIRST_CODE = 48  # "0"; each character holds five bits and whether more follow
_MAX_CHARACTERS = 7  # 35 bits for a count


def as_counts(value: Any) -> np.ndarray:
    """Return run lengths int64 (n,) from a list of numbers, or of texts of numbers.

    Raises:
        SwiftsegError: They are no whole numbers.
    """
    try:
        lengths = np.array([int(count) for count in as_list(value, "counts")], np.int64)
    except (TypeError, ValueError, OverflowError) as error:
        raise SwiftsegError("the run lengths are no whole numbers") from error
    return lengths


def bitmap_from_counts(
    lengths: np.ndarray, size_hw: tuple[int, int], order: Literal["C", "F"]
) -> np.ndarray:
    """Return a bitmap, bool (H, W).

    Args:
        lengths: Of runs, int64 (n,), alternately not covered and covered.
        size_hw: The bitmap's size.
        order: `C` where runs go along the rows, `F` where they go down the columns.

    Raises:
        SwiftsegError: A length is negative, or their sum is not the number of pixels.
    """
    pixels = size_hw[0] * size_hw[1]
    if pixels > MAX_PIXELS:
        raise SwiftsegError(f"the bitmap exceeds {MAX_PIXELS // 10**6} megapixels")
    if (lengths < 0).any() or lengths.max(initial=0) > pixels:
        raise SwiftsegError("the run lengths are broken")
    if lengths.sum() != pixels:
        raise SwiftsegError(
            f"the run lengths add up to {lengths.sum()} pixels where the bitmap is "
            f"{size_hw[0]}x{size_hw[1]} (height x width)"
        )
    values = np.arange(len(lengths)) % 2 == 1
    return np.repeat(values, lengths).reshape(size_hw, order=order)


def counts_from_text(text: str) -> list[int]:
    """Return the run lengths that COCO's compressed text holds.

    Raises:
        SwiftsegError: The text is no such code.
    """
    counts: list[int] = []
    value = places = 0
    for character in text:
        code = ord(character) - _FIRST_CODE
        if not 0 <= code < 64 or places == _MAX_CHARACTERS:
            raise SwiftsegError(f"the compressed run lengths are broken (at {character!r})")
        value |= (code & 31) << 5 * places
        places += 1
        if code & 32:
            continue
        if code & 16:  # negative
            value -= 1 << 5 * places
        # From the third on, the difference to the count before the last is written.
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value = places = 0
    if places:
        raise SwiftsegError("the compressed run lengths are cut off")
    return counts


def unpack_label_studio(rle: bytes, size_hw: tuple[int, int]) -> np.ndarray:
    """Return what Label Studio's brush has covered, bool (H, W): where its alpha is not 0.

    The bytes begin with the number of values (32 bits), the bits of a value less one (5) and of
    four kinds of lengths less one (4 each). Then each block tells whether it is a run (1 bit), the
    kind of its length (2), the length less one, and its value or values.

    Raises:
        SwiftsegError: The bytes are no such code, or of another size.
    """
    pixels = size_hw[0] * size_hw[1]
    if pixels > MAX_PIXELS:
        raise SwiftsegError(f"the brush exceeds {MAX_PIXELS // 10**6} megapixels")
    bits = _Bits(rle)
    count, word = bits.read(32), bits.read(5) + 1
    kinds = [bits.read(4) + 1 for _ in range(4)]
    if count != 4 * pixels or word != 8:
        raise SwiftsegError(
            f"the brush has {count} values of {word} bits, where the picture is "
            f"{size_hw[0]}x{size_hw[1]} (height x width) with 4 channels of 8 bits"
        )
    values = np.empty(count, np.uint8)
    done = 0
    while done < count:
        is_run = bits.read(1)
        length = bits.read(kinds[bits.read(2)]) + 1
        if length > count - done:
            raise SwiftsegError("the brush's code is broken: it goes beyond its end")
        values[done : done + length] = bits.read(8) if is_run else bits.read_bytes(length)
        done += length
    return values.reshape(*size_hw, 4)[..., 3] > 0


class _Bits:
    """Reads numbers of any number of bits, the highest first."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def read(self, count: int) -> int:
        end = self._at + count
        self._check(end)
        held = int.from_bytes(self._data[self._at >> 3 : (end + 7) >> 3])
        self._at = end
        return held >> (-end & 7) & ((1 << count) - 1)

    def read_bytes(self, count: int) -> np.ndarray:
        end = self._at + 8 * count
        self._check(end)
        held = np.frombuffer(self._data[self._at >> 3 : (end + 7) >> 3], np.uint8)
        bits = np.unpackbits(held)[self._at & 7 :][: 8 * count]
        self._at = end
        return np.packbits(bits)

    def _check(self, end: int) -> None:
        if end > 8 * len(self._data):
            raise SwiftsegError("the brush's code is cut off")
