"""A strip beneath the picture that says which color is which class."""

from collections.abc import Mapping

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from swiftseg.core import LabelSet

_BACKGROUND = (24, 26, 30)
_TEXT = (235, 235, 235)
_SMALLEST_SHARE = 0.0005  # what would read 0.0 %


def with_legend(
    image: np.ndarray, labels: LabelSet, shares: Mapping[str, float] | None = None
) -> np.ndarray:
    """Puts a legend of swatches and names beneath a picture.

    Args:
        image: uint8 (H, W, 3) RGB.
        labels: The classes and their colors.
        shares: Each class's part of the pixels, 0..1. Given, the legend names the classes that are
            present, largest first, with their percentages; else it names all, in their order.

    Returns:
        uint8 (H + strip, W or more, 3): a picture narrower than one entry is widened.
    """
    entries = _entries(labels, shares)
    size = min(max(image.shape[1] // 48, 12), 36)
    font = ImageFont.load_default(size)
    row, margin = round(size * 1.6), round(size * 0.6)
    column = row + round(max(font.getlength(text) for text, _ in entries)) + 2 * margin
    columns = max(1, (image.shape[1] - margin) // column)
    rows = -(-len(entries) // columns)
    width = max(image.shape[1], column + margin)
    strip = Image.new("RGB", (width, rows * row + 2 * margin), _BACKGROUND)
    draw = ImageDraw.Draw(strip)
    for index, (text, color) in enumerate(entries):
        left = margin + index // rows * column
        top = margin + index % rows * row
        draw.rectangle((left, top + row - size - 2, left + size, top + row - 2), fill=color)
        draw.text((left + row, top + row - size // 2 - 2), text, fill=_TEXT, font=font, anchor="lm")
    canvas = np.full((image.shape[0] + strip.height, width, 3), _BACKGROUND, dtype=np.uint8)
    canvas[: image.shape[0], : image.shape[1]] = image
    canvas[image.shape[0] :] = np.asarray(strip)
    return canvas


def _entries(
    labels: LabelSet, shares: Mapping[str, float] | None
) -> list[tuple[str, tuple[int, int, int]]]:
    colors = dict(zip(labels.names, labels.palette, strict=True))
    if shares is None:
        return list(colors.items())
    present = [(name, share) for name, share in shares.items() if share >= _SMALLEST_SHARE]
    present.sort(key=lambda entry: -entry[1])
    return [(f"{name} {share:.1%}", colors[name]) for name, share in present]
