"""BDD100K: Cityscapes' 19 classes, in 10,000 frames from the United States.

Yu et al., "BDD100K: a diverse driving dataset for heterogeneous multitask learning", CVPR 2020; the
classes as in doc.bdd100k.com/format.html.

The trees: `images/10k/{train,val}/*.jpg` and `labels/sem_seg/masks/{train,val}/*.png`; or, as
first released, `seg/images/{train,val}/*.jpg` and `seg/labels/{train,val}/*_train_id.png` (7,000
and 1,000 frames). The test split has no masks.
"""

from pathlib import Path
from typing import Literal, NamedTuple

from swiftseg.core import LabelSet, SwiftsegError
from swiftseg.data.mask_values import IndexMasks
from swiftseg.data.paired_files import PairedFiles
from swiftseg.data.paired_folder import pair_by_stem
from swiftseg.data.published.cityscapes import CITYSCAPES_LABELS
from swiftseg.data.published.tree import are_named

ClassSet = Literal["19", "20"]

SPLITS = ("train", "val")
UNKNOWN = 255


class FolderLayout(NamedTuple):
    """Where images and masks lie, and what a mask's stem has behind the name."""

    images: str
    masks: str
    mask_suffix: str


LAYOUTS = (
    FolderLayout("images/10k", "labels/sem_seg/masks", ""),
    FolderLayout("seg/images", "seg/labels", "_train_id"),
    FolderLayout("images", "labels", "_train_id"),
)

BDD100K_LABELS = CITYSCAPES_LABELS
BDD100K_20_LABELS = LabelSet(
    (*CITYSCAPES_LABELS.names, "unknown"), (*CITYSCAPES_LABELS.palette, (0, 0, 0))
)


def is_bdd100k(folder: Path) -> bool:
    """Whether a folder has the tree of BDD100K's semantic segmentation."""
    layout = _layout(folder)
    return layout is not None and are_named(folder / layout.images, r"[0-9a-f]{8}-[0-9a-f]{8}")


def open_bdd100k(folder: Path, split: str, *, class_set: ClassSet = "19") -> PairedFiles:
    """Open a split of BDD100K's semantic segmentation where it lies.

    Args:
        folder: Holds `images` and `labels`, or `seg`.
        split: train or val.
        class_set: 19 ignores the unknown, as the benchmark does; 20 makes it the last class.

    Raises:
        SwiftsegError: A folder is missing, or images and masks do not pair up.
    """
    layout = _layout(folder)
    if layout is None:
        raise SwiftsegError(
            f"{folder}: no BDD100K masks here; expected {folder / LAYOUTS[0].masks / split}"
        )
    pairs = pair_by_stem(
        folder / layout.images / split,
        folder / layout.masks / split,
        mask_suffix=layout.mask_suffix,
    )
    labels = BDD100K_LABELS if class_set == "19" else BDD100K_20_LABELS
    table = {value: value for value in range(len(BDD100K_LABELS))}
    unknown = UNKNOWN if class_set == "19" else len(BDD100K_LABELS)
    return PairedFiles(pairs, labels, IndexMasks(table | {UNKNOWN: unknown}, labels.ignore_index))


def _layout(folder: Path) -> FolderLayout | None:
    for layout in LAYOUTS:
        for split in SPLITS:
            masks = folder / layout.masks / split
            if masks.is_dir() and next(masks.glob(f"*{layout.mask_suffix}.png"), None):
                return layout
    return None
