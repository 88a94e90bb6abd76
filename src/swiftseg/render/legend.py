"""A strip beneath or beside the picture that says which color is which class."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from swiftseg.core import LabelSet
from swiftseg.core.fonts import Font, font_for, own_font
from swiftseg.render.colors import drawn_classes

Entry = tuple[str, tuple[int, int, int]]  # what is written, and its color

WIDE = 1.7  # times the height, from where on a legend beside costs less than one beneath
BACKGROUND = (24, 26, 30)
_TEXT = (235, 235, 235)
_SMALLEST_SHARE = 0.0005  # what would read 0.0 %


def with_legend(
    image: np.ndarray,
    labels: LabelSet,
    shares: Mapping[str, float] | None = None,
    *,
    hide: Sequence[str] = (),
) -> np.ndarray:
    """Put a legend of swatches and names beneath a picture, or beside one of 16:9 or wider.

    Args:
        image: uint8 (H, W, 3) RGB.
        labels: The classes and their colors.
        shares: Each class's part of the pixels, 0..1. Given, the legend names the classes that are
            present, largest first, with their percentages; else it names all, in their order.
        hide: Names of classes that are left out, as the background is.

    Returns:
        uint8 (H or more, W or more, 3), the picture in its upper left corner; beneath, a picture
        narrower than one entry is widened.
    """
    height, width = image.shape[:2]
    legend = legend_of((height, width), labels, shares, hide=hide)
    if legend is None:
        return image
    canvas = np.empty((*legend.page_hw, 3), dtype=np.uint8)
    canvas[:] = BACKGROUND
    canvas[:height, :width] = image
    canvas[legend.top :, legend.left :] = legend.panel
    return canvas


class Legend(NamedTuple):
    """A drawn legend, and where it lies on the page that also holds its picture.

    Attributes:
        panel: uint8 (h, w, 3).
    """

    panel: np.ndarray
    top: int
    left: int
    page_hw: tuple[int, int]


def legend_of(
    image_hw: tuple[int, int],
    labels: LabelSet,
    shares: Mapping[str, float] | None = None,
    *,
    hide: Sequence[str] = (),
) -> Legend | None:
    """Return what `with_legend` adds to a picture of that size; None without any class."""
    entries = _entries(labels, shares, tuple(hide))
    if not entries:
        return None
    height, width = image_hw
    if width >= WIDE * height:
        panel = _column(entries, height)
        return Legend(panel, 0, width, (panel.shape[0], width + panel.shape[1]))
    panel = _strip(entries, width)
    return Legend(panel, height, 0, (height + panel.shape[0], panel.shape[1]))


@lru_cache(maxsize=8)  # a video's strip stays the same, and its letters take longer than the rest
def _strip(entries: tuple[Entry, ...], image_width: int) -> np.ndarray:
    """Draw the legend beneath a picture, uint8 (h, image_width or more, 3)."""
    size = min(max(image_width // 48, 12), 36)
    cell = _Cell.of(entries, size)
    columns = max(1, (image_width - cell.margin) // cell.width)
    rows = -(-len(entries) // columns)
    width = max(image_width, cell.width + cell.margin)
    return _drawn(entries, cell, rows, (rows * cell.height + 2 * cell.margin, width))


@lru_cache(maxsize=8)
def _column(entries: tuple[Entry, ...], image_height: int) -> np.ndarray:
    """Draw the legend beside a picture, uint8 (image_height or more, w, 3)."""
    cell = _Cell.of(entries, min(max(image_height // 28, 12), 36))
    rows = min(len(entries), max(1, (image_height - 2 * cell.margin) // cell.height))
    columns = -(-len(entries) // rows)
    height = max(image_height, cell.height + 2 * cell.margin)
    return _drawn(entries, cell, rows, (height, columns * cell.width + cell.margin))


class _Cell(NamedTuple):
    """The place of one entry, in pixels: a swatch of `size`, and a text of one line."""

    size: int
    height: int
    width: int
    margin: int
    fonts: list[Font]

    @classmethod
    def of(cls, entries: tuple[Entry, ...], size: int) -> "_Cell":
        """Return a cell that has room for each of the entries."""
        fonts = [font_for(text, size) or own_font(size) for text, _ in entries]
        height, margin = round(size * 1.6), round(size * 0.6)
        widths = [font.getlength(text) for (text, _), font in zip(entries, fonts, strict=True)]
        return cls(size, height, height + round(max(widths)) + 2 * margin, margin, fonts)


def _drawn(
    entries: tuple[Entry, ...], cell: _Cell, rows: int, size_hw: tuple[int, int]
) -> np.ndarray:
    """Draw the entries column after column, `rows` in each."""
    panel = Image.new("RGB", (size_hw[1], size_hw[0]), BACKGROUND)
    draw = ImageDraw.Draw(panel)
    for index, ((text, color), font) in enumerate(zip(entries, cell.fonts, strict=True)):
        left = cell.margin + index // rows * cell.width
        top = cell.margin + index % rows * cell.height
        bottom, middle = top + cell.height - 2, top + cell.height - cell.size // 2 - 2
        draw.rectangle((left, bottom - cell.size, left + cell.size, bottom), fill=color)
        draw.text((left + cell.height, middle), text, fill=_TEXT, font=font, anchor="lm")
    return np.asarray(panel)


def _entries(
    labels: LabelSet, shares: Mapping[str, float] | None, hide: tuple[str, ...]
) -> tuple[Entry, ...]:
    drawn = {labels.names[index]: index for index in drawn_classes(labels, hide)}
    colors = {name: labels.palette[index] for name, index in drawn.items()}
    # A class is numbered where no font on this machine has the letters of its name.
    shown = {name: name if font_for(name, 12) else f"class {n}" for name, n in drawn.items()}
    if shares is None:
        return tuple((shown[name], color) for name, color in colors.items())
    present = [
        (name, share)
        for name, share in shares.items()
        if name in colors and share >= _SMALLEST_SHARE
    ]
    present.sort(key=lambda entry: -entry[1])
    return tuple((f"{shown[name]} {share:.1%}", colors[name]) for name, share in present)
