"""Sources to label, and what a labeling job leaves behind."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

# Tell when and how, and differ from run to run.
TOLD = ("summary.json", "report.html")


def write_pictures(folder: Path, count: int, size_hw: tuple[int, int] = (12, 16)) -> Path:
    """Writes pictures of noise into two subfolders."""
    rng = np.random.default_rng(3)
    for index in range(count):
        path = folder / "ab"[index % 2] / f"{index:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8)).save(path)
    return folder


def results_in(target: Path) -> Mapping[str, bytes]:
    """The results by their paths in the target, without the job's own files."""
    files = (path for path in sorted(target.rglob("*")) if path.is_file())
    named = ((path.relative_to(target).as_posix(), path) for path in files)
    return {
        name: path.read_bytes()
        for name, path in named
        if name not in TOLD and not name.startswith("job/")
    }
