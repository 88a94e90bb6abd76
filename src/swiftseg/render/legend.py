"""A strip beneath the picture that says which color is which class."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from swiftseg.core import LabelSet
from swiftseg.render.fonts import Font, font_for, own_font

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
    fonts = [font_for(text, size) or own_font(size) for text, _ in entries]
    row, margin = round(size * 1.6), round(size * 0.6)
    column = row + _longest(entries, fonts) + 2 * margin
    columns = max(1, (image_width - margin) // column)
    rows = -(-len(entries) // columns)
    width = max(image_width, column + margin)
    strip = Image.new("RGB", (width, rows * row + 2 * margin), _BACKGROUND)
    draw = ImageDraw.Draw(strip)
    for index, ((text, color), font) in enumerate(zip(entries, fonts, strict=True)):
        left = margin + index // rows * column
        top = margin + index % rows * row
        draw.rectangle((left, top + row - size - 2, left + size, top + row - 2), fill=color)
        draw.text((left + row, top + row - size // 2 - 2), text, fill=_TEXT, font=font, anchor="lm")
    return np.asarray(strip)


def _longest(entries: tuple[Entry, ...], fonts: list[Font]) -> int:
    """Return the width of the longest text in pixels."""
    widths = [font.getlength(text) for (text, _), font in zip(entries, fonts, strict=True)]
    return round(max(widths))


def _entries(labels: LabelSet, shares: Mapping[str, float] | None) -> tuple[Entry, ...]:
    colors = dict(zip(labels.names, labels.palette, strict=True))
    shown = {name: _shown(name, index) for index, name in enumerate(labels.names)}
    if shares is None:
        return tuple((shown[name], color) for name, color in colors.items())
    present = [(name, share) for name, share in shares.items() if share >= _SMALLEST_SHARE]
    present.sort(key=lambda entry: -entry[1])
    return tuple((f"{shown[name]} {share:.1%}", colors[name]) for name, share in present)


def _shown(name: str, index: int) -> str:
    """Return a class's name, or its number where no font on this machine has the name's letters."""
    return name if font_for(name, 12) else f"class {index}"
