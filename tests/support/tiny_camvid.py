"""Makes a small data set in CamVid's tree: bands of color whose class is told by the color."""

from pathlib import Path

import numpy as np
from PIL import Image

from swiftseg.data.published.camvid import CAMVID_LABELS


def make_tiny_camvid(
    root: Path, *, size_hw: tuple[int, int] = (24, 32), frames: dict[str, int] | None = None
) -> Path:
    """Writes `train`, `trainannot`, `val` and `valannot` below `root` and gives it back."""
    rng = np.random.default_rng(0)
    for split, count in (frames or {"train": 6, "val": 2}).items():
        for folder in (split, f"{split}annot"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            mask = banded_mask(rng, size_hw)
            colors = np.vstack([CAMVID_LABELS.colors, [(0, 0, 0)]])
            noise = rng.integers(-20, 20, (*size_hw, 3))
            image = np.clip(colors[mask].astype(int) + noise, 0, 255).astype(np.uint8)
            Image.fromarray(image).save(root / split / f"0001TP_{index:06d}.png")
            Image.fromarray(mask).save(root / f"{split}annot" / f"0001TP_{index:06d}.png")
    return root


def banded_mask(rng: np.random.Generator, size_hw: tuple[int, int]) -> np.ndarray:
    """Return a mask uint8 of three bands of random classes above one row of void."""
    mask = np.empty(size_hw, np.uint8)
    for rows, value in zip(np.array_split(mask, 3), rng.choice(11, 3, replace=False), strict=True):
        rows[:] = value
    mask[-1] = 11
    return mask
