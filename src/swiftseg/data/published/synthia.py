"""SYNTHIA-RAND-CITYSCAPES: 9,400 rendered street scenes.

Ros et al., "The SYNTHIA dataset", CVPR 2016; ids as in the set's readme.

The tree: `RGB/*.png` and `GT/LABELS/*.png`, 16-bit color PNGs whose first channel is the class (the
second is the instance). The set has one split, train; who must hold frames out takes `fifth`, every
fifth of them by name, and learns from `four_fifths`, the others.
"""

from pathlib import Path
from typing import Literal

from swiftseg.core import LabelSet
from swiftseg.data.images.image_file import read_first_channel
from swiftseg.data.mask_values import IndexMasks
from swiftseg.data.paired_files import PairedFiles
from swiftseg.data.paired_folder import pair_by_stem
from swiftseg.data.published.cityscapes import CITYSCAPES_LABELS
from swiftseg.data.published.tree import are_named, find_tree

ClassSet = Literal["13", "16"]

IMAGES, MASKS = "RGB", "GT/LABELS"
NUM_IDS = 23
IGNORED = 255

# By Cityscapes' names and in its order.
SYNTHIA_ID = {
    "road": 3,
    "sidewalk": 4,
    "building": 2,
    "wall": 21,
    "fence": 5,
    "pole": 7,
    "traffic light": 15,
    "traffic sign": 9,
    "vegetation": 6,
    "sky": 1,
    "person": 10,
    "rider": 17,
    "car": 8,
    "bus": 19,
    "motorcycle": 12,
    "bicycle": 11,
}
NOT_AMONG_13 = ("wall", "fence", "pole")


def _labels(names: tuple[str, ...]) -> LabelSet:
    colors = dict(zip(CITYSCAPES_LABELS.names, CITYSCAPES_LABELS.palette, strict=True))
    return LabelSet(names, tuple(colors[name] for name in names), IGNORED)


SYNTHIA_16_LABELS = _labels(tuple(SYNTHIA_ID))
SYNTHIA_13_LABELS = _labels(tuple(name for name in SYNTHIA_ID if name not in NOT_AMONG_13))


def is_synthia(folder: Path) -> bool:
    """Whether a folder has the tree of SYNTHIA-RAND-CITYSCAPES."""
    return find_tree(folder, ["."], IMAGES, MASKS) is not None and are_named(
        folder / IMAGES, r"\d{7}"
    )


def open_synthia(folder: Path, split: str, *, class_set: ClassSet = "13") -> PairedFiles:
    """Open SYNTHIA-RAND-CITYSCAPES where it lies.

    Args:
        folder: Holds `RGB` and `GT/LABELS`.
        split: train for all frames, or one of the two parts of it.
        class_set: The 13 or 16 classes in common with Cityscapes that papers train on; others,
            such as lane markings, are ignored.

    Raises:
        SwiftsegError: A folder is missing, or images and masks do not pair up.
    """
    labels = SYNTHIA_13_LABELS if class_set == "13" else SYNTHIA_16_LABELS
    table = dict.fromkeys(range(NUM_IDS), IGNORED)
    table |= {SYNTHIA_ID[name]: index for index, name in enumerate(labels.names)}
    pairs = pair_by_stem(folder / IMAGES, folder / MASKS)
    if split != "train":
        pairs = [pair for at, pair in enumerate(pairs) if (at % 5 == 0) == (split == "fifth")]
    return PairedFiles(pairs, labels, IndexMasks(table, IGNORED, read_first_channel))
