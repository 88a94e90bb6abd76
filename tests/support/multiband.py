"""Pictures of many bands whose classes only their bands tell apart."""

from pathlib import Path

import numpy as np
import tifffile
from PIL import Image


def make_multiband(folder: Path, *, count: int = 6, size_hw: tuple[int, int] = (32, 48)) -> Path:
    """Write `images/N.tif` of 5 bands uint16 and `masks/N.png` of three classes."""
    rng = np.random.default_rng(0)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for index in range(count):
        image, mask = multiband_sample(rng, size_hw)
        tifffile.imwrite(
            folder / f"images/{index}.tif", image, planarconfig="contig", photometric="minisblack"
        )
        Image.fromarray(mask).save(folder / f"masks/{index}.png")
    return folder


def multiband_sample(
    rng: np.random.Generator, size_hw: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return a picture uint16 (H, W, 5) and its mask uint8 (H, W)."""
    height, width = size_hw
    mask = np.zeros(size_hw, np.uint8)
    mask[:, width // 2 + int(rng.integers(-8, 8)) :] = 1
    mask[: height // 4] = 2
    image = rng.integers(0, 400, (height, width, 5)).astype(np.uint16)
    image[..., 3] += (mask == 1) * np.uint16(3000)
    image[..., 4] += (mask == 2) * np.uint16(1000)
    return image, mask
