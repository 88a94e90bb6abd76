"""A strip beneath the picture that says which color is which class."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from swiftseg.core import LabelSet

Entry = tuple[str, tuple[int, int, int]]  # what is written, and its color

_BACKGROUND = (24, 26, 30)
_TEXT = (235, 235, 235)
_SMALLEST_SHARE = 0.0005  # what would read 0.0 %


def with_legend(
    image: np.ndarray, labels: LabelSet, shares: Mapping[str, float] | None = None
) -> np.ndarray:
    """Put a legend of swatches and names beneath a picture.

    Args:
        image: uint8 (H, W, 3) RGB.
        labels: The classes and their colors.
        shares: Each class's part of the pixels, 0..1. Given, the legend names the classes that are
            present, largest first, with their percentages; else it names all, in their order.

    Returns:
        uint8 (H + strip, W or more, 3): a picture narrower than one entry is widened.
    """
    strip = _strip(_entries(labels, shares), image.shape[1])
    height, width = image.shape[:2]
    canvas = np.empty((height + strip.shape[0], strip.shape[1], 3), dtype=np.uint8)
    canvas[:height, :width] = image
    canvas[:height, width:] = _BACKGROUND
    canvas[height:] = strip
    return canvas


@lru_cache(maxsize=8)  # a video's strip stays the same, and its letters take longer than the rest
def _strip(entries: tuple[Entry, ...], image_width: int) -> np.ndarray:
    """Draw the legend of a picture, uint8 (h, image_width or more, 3)."""
    size = min(max(image_width // 48, 12), 36)
    font = _font(size)
    row, margin = round(size * 1.6), round(size * 0.6)
    column = row + round(max(font.getlength(text) for text, _ in entries)) + 2 * margin
    columns = max(1, (image_width - margin) // column)
    rows = -(-len(entries) // columns)
    width = max(image_width, column + margin)
    strip = Image.new("RGB", (width, rows * row + 2 * margin), _BACKGROUND)
    draw = ImageDraw.Draw(strip)
    for index, (text, color) in enumerate(entries):
        left = margin + index // rows * column
        top = margin + index % rows * row
        draw.rectangle((left, top + row - size - 2, left + size, top + row - 2), fill=color)
        draw.text((left + row, top + row - size // 2 - 2), text, fill=_TEXT, font=font, anchor="lm")
    return np.asarray(strip)


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _entries(labels: LabelSet, shares: Mapping[str, float] | None) -> tuple[Entry, ...]:
    colors = dict(zip(labels.names, labels.palette, strict=True))
    if shares is None:
        return tuple(colors.items())
    present = [(name, share) for name, share in shares.items() if share >= _SMALLEST_SHARE]
    present.sort(key=lambda entry: -entry[1])
    return tuple((f"{name} {share:.1%}", colors[name]) for name, share in present)
