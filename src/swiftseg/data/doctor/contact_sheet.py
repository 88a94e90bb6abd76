"""A picture of some pairs side by side, to be judged by eye."""

import numpy as np
from PIL import Image, ImageDraw

from swiftseg.core import LabelSet, SwiftsegError
from swiftseg.core.fonts import font_for, own_font
from swiftseg.data.own.mask_rules import MaskRules
from swiftseg.data.paired_files import Pair, PairedFiles
from swiftseg.kernels.bands import viewable

CELL_WH = (200, 150)
TEXT_HEIGHT, TEXT_SIZE = 14, 10
COLUMNS = 3
MAX_PAIRS = 12
MAX_NAMES = 255  # of a LabelSet
IGNORED = (255, 255, 255)  # many palettes begin with black


def contact_sheet(pairs: list[Pair], labels: LabelSet, rules: MaskRules) -> np.ndarray | None:
    """Draw up to `MAX_PAIRS` images and their colored masks; what is ignored is white.

    Returns:
        uint8 (H, W, 3) RGB, or None without any pair that can be read.
    """
    data = PairedFiles(pairs, labels, rules.reader(), resize_masks=True)
    cells: list[Image.Image] = []
    chosen = np.unique(np.linspace(0, len(pairs) - 1, min(MAX_PAIRS, len(pairs))).round())
    for index in chosen.astype(int).tolist():
        try:
            sample = data[index]
        except SwiftsegError:
            continue  # it is a finding already
        cells.append(_cell(sample.name, viewable(sample.image), sample.mask, labels))
    return np.asarray(_grid(cells)) if cells else None


def with_ignored(labels: LabelSet) -> LabelSet:
    """Return the classes and, behind them, the color of what is ignored, for a legend."""
    if labels.ignore_index is None or len(labels) == MAX_NAMES:
        return labels
    return LabelSet((*labels.names, "(ignored)"), (*labels.palette, IGNORED))


def _cell(name: str, image: np.ndarray, mask: np.ndarray, labels: LabelSet) -> Image.Image:
    """Draw the image, its mask's colors beside it, and the name above."""
    known = [*range(len(labels)), *labels.set_values]
    colors = np.full((256, 3), IGNORED, np.uint8)
    colors[known] = labels.value_colors[known]
    cell = Image.new("RGB", (2 * CELL_WH[0], CELL_WH[1] + TEXT_HEIGHT), (40, 40, 40))
    labels_shown = np.asarray(_fitted(mask, Image.Resampling.NEAREST))
    cell.paste(_fitted(image, Image.Resampling.BILINEAR), (0, TEXT_HEIGHT))
    cell.paste(Image.fromarray(colors[labels_shown]), (CELL_WH[0], TEXT_HEIGHT))
    text = name[-48:]
    font = font_for(text, TEXT_SIZE)
    if font is None:  # no font on this machine has all letters of the name
        text, font = text.encode("ascii", "replace").decode(), own_font(TEXT_SIZE)
    ImageDraw.Draw(cell).text((2, 1), text, fill=(255, 255, 255), font=font)
    return cell


def _fitted(array: np.ndarray, how: Image.Resampling) -> Image.Image:
    """Resize an image or a mask to fit a cell."""
    picture = Image.fromarray(array)
    factor = min(CELL_WH[0] / picture.width, CELL_WH[1] / picture.height)
    size = max(1, round(picture.width * factor)), max(1, round(picture.height * factor))
    return picture.resize(size, how)


def _grid(cells: list[Image.Image]) -> Image.Image:
    columns = min(COLUMNS, len(cells))
    rows = -(-len(cells) // columns)
    width, height = cells[0].size
    sheet = Image.new("RGB", (columns * width, rows * height), (40, 40, 40))
    for index, cell in enumerate(cells):
        sheet.paste(cell, (index % columns * width, index // columns * height))
    return sheet
