"""CamVid in the split and size of the SegNet tutorial: 11 classes, index masks.

Brostow, Fauqueur, Cipolla, "Semantic object classes in video: a high-definition ground truth
database", Pattern Recognition Letters 30(2), 2009.

The tree, as the SegNet tutorial gives it: `train/*`, `trainannot/*.png`, `val/*`, `valannot/*.png`
and `test/*`, `testannot/*.png`; a frame and its mask share the stem.
"""

from pathlib import Path

from swiftseg.core import LabelSet
from swiftseg.data.paired_files import PairedFiles
from swiftseg.data.paired_folder import open_paired_folder
from swiftseg.data.published.tree import are_named

SPLITS = ("train", "val", "test")
FRAME_NAME = r"(0001TP|0006R0|0016E5|Seq05VD)_f?\d{5,6}"

COLORS = {
    "sky": (128, 128, 128),
    "building": (128, 0, 0),
    "pole": (192, 192, 128),
    "road": (128, 64, 128),
    "sidewalk": (60, 40, 222),
    "tree": (128, 128, 0),
    "sign": (192, 128, 128),
    "fence": (64, 64, 128),
    "car": (64, 0, 128),
    "pedestrian": (64, 64, 0),
    "bicyclist": (0, 128, 192),
}
CAMVID_LABELS = LabelSet(tuple(COLORS), tuple(COLORS.values()), ignore_index=11)


def is_camvid(folder: Path) -> bool:
    """Whether a folder has the tree of the SegNet tutorial's CamVid."""
    return any(
        (folder / f"{split}annot").is_dir() and are_named(folder / split, FRAME_NAME)
        for split in SPLITS
    )


def open_camvid(folder: Path, split: str) -> PairedFiles:
    """Open a split of CamVid where it lies.

    Raises:
        SwiftsegError: The split's folders are missing or do not pair up.
    """
    return open_paired_folder(folder / split, folder / f"{split}annot", CAMVID_LABELS)
