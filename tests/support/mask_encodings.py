"""One folder of images and masks, its masks written in each of the ways that people have them."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

COLORS = ((90, 60, 30), (0, 160, 0), (200, 0, 0))
NAMES = ("soil", "crop", "weed")
GRAYS = (0, 85, 170)


def _index(mask: np.ndarray) -> Image.Image:
    return Image.fromarray(mask)


def _binary(mask: np.ndarray) -> Image.Image:
    return Image.fromarray(np.where(mask > 0, 255, 0).astype(np.uint8))


def _colors(mask: np.ndarray) -> Image.Image:
    return Image.fromarray(np.array(COLORS, np.uint8)[mask])


def _palette(mask: np.ndarray) -> Image.Image:
    picture = Image.fromarray(mask)
    picture.putpalette([value for color in COLORS for value in color])
    return picture


def _grays(mask: np.ndarray) -> Image.Image:
    return Image.fromarray(np.array(GRAYS, np.uint8)[mask])


ENCODINGS: Mapping[str, Callable[[np.ndarray], Image.Image]] = {
    "index": _index,
    "binary": _binary,
    "colors": _colors,
    "palette": _palette,
    "grays": _grays,
}


def write_pairs(folder: Path, encoding: str, size_hw: tuple[int, int], count: int) -> Path:
    """Writes images/ and masks/, and for gray levels a dataset.yaml; gives what to name."""
    height, width = size_hw
    rows, columns = np.mgrid[:height, :width]
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for number in range(count):
        mask = ((rows * 3 // height + columns * 3 // width + number) % 3).astype(np.uint8)
        rng = np.random.default_rng(number)
        noise = rng.integers(-20, 20, (*size_hw, 3))
        image = np.clip(np.array(COLORS)[mask] + noise, 0, 255).astype(np.uint8)
        Image.fromarray(image).save(folder / f"images/{number:02}.jpg")
        ENCODINGS[encoding](mask).save(folder / f"masks/{number:02}.png")
    if encoding != "grays":
        return folder
    described = folder / "own.yaml"  # named by its path, not found in the folder
    mapping = dict(zip(GRAYS, NAMES, strict=True))
    described.write_text(f"names: [{', '.join(NAMES)}]\nlabel_mapping: {mapping}\n")
    return described
