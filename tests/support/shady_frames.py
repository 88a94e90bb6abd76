"""Labeled frames for the model that tells shades."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from tests.support.exported import SHADES, shade_labels


def write_shady_frames(root: Path, count: int, spoil: Callable[[int, np.ndarray], None]) -> Path:
    """Writes a val split of 24x32 whose masks are the model's answers, spoiled in place.

    Args:
        root: The new folder.
        count: Frames.
        spoil: Takes a frame's index and its mask, uint8 (24, 32).
    """
    rng = np.random.default_rng(0)
    for index in range(count):
        image = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)
        mask = shade_labels(image)
        spoil(index, mask)
        for folder, pixels in (("images", image), ("masks", mask)):
            path = root / folder / "val" / f"{index:02d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    (root / "dataset.yaml").write_text(f"names: [{', '.join(SHADES.names)}]\n")
    return root
