"""LabelMeFacade: facades and streets of many cities in 8 classes, seen by a pedestrian.

Fröhlich, Rodner, Denzler, "A fast approach for pixelwise labeling of facade images", ICPR 2010.

The tree: `images/{name}.jpg` and `masks/{name}.png` of class indices, with 255 for what
is of no class. The release has colors in place of indices.
"""

from pathlib import Path

from swiftseg.core import LabelSet
from swiftseg.data.paired_files import PairedFiles
from swiftseg.data.paired_folder import open_paired_folder

COLORS = {
    "building": (128, 0, 0),
    "car": (128, 0, 128),
    "door": (128, 128, 0),
    "pavement": (128, 128, 128),
    "road": (128, 64, 0),
    "sky": (0, 128, 128),
    "vegetation": (0, 128, 0),
    "window": (0, 0, 128),
}
LABELMEFACADE_LABELS = LabelSet(tuple(COLORS), tuple(COLORS.values()), ignore_index=255)


def open_labelmefacade(folder: Path, split: str) -> PairedFiles:
    """Open the pictures where they lie; they have one split, `train`.

    Raises:
        SwiftsegError: A folder is missing, or they do not pair up.
    """
    del split  # the only one
    return open_paired_folder(folder / "images", folder / "masks", LABELMEFACADE_LABELS)
