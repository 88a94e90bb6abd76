"""PASCAL Context: the 59 most frequent classes, with or without the background as one more.

Mottaghi et al., "The role of context for object detection and semantic segmentation in the wild",
CVPR 2014; the classes in the order of its `59_labels.txt`. (MMSegmentation's converted masks are in
alphabetical order: these are not they.)

The tree: `VOCdevkit/VOC2010` with `JPEGImages` and `ImageSets/Main/{train,val}.txt` (4,998 and
5,105 frames), and beside `VOCdevkit` either `59_context_labels/*.png`, or `trainval/*.mat` of all
459 classes with `labels.txt`, as the site's archives unpack.
"""

from pathlib import Path
from typing import Literal

import numpy as np

from swiftseg.core import LabelSet, SwiftsegError
from swiftseg.data.images.matlab_file import read_matlab_array
from swiftseg.data.mask_values import IndexMasks
from swiftseg.data.paired_files import MaskReader, Pair, PairedFiles
from swiftseg.data.published.tree import existing_folder, find_tree, read_names
from swiftseg.data.published.voc import refuse_missing
from swiftseg.data.voc_colors import voc_colors

ClassSet = Literal["59", "60"]

PLACES = (".", "VOC2010", "VOCdevkit/VOC2010")
MASK_PLACES = (".", "..", "../..")  # beside VOCdevkit, wherever in it the user points
PNG_FOLDER, MAT_FOLDER = "59_context_labels", "trainval"
IGNORED = 255

NAMES = (  # noqa: SIM905 rows are easier to compare with 59_labels.txt
    "aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike "
    "person pottedplant sheep sofa train tvmonitor bag bed bench book building cabinet ceiling "
    "clothes computer cup door fence floor flower food grass ground keyboard light mountain mouse "
    "curtain platform sign plate road rock shelves sidewalk sky snow bedcloth track tree truck "
    "wall water window wood"
).split()

# Three of the 59 have another name among the 459.
NAMES_AMONG_459 = {"diningtable": "table", "bedcloth": "bedclothes", "clothes": "cloth"}

CONTEXT_59_LABELS = LabelSet(tuple(NAMES), voc_colors(60)[1:], IGNORED)
CONTEXT_60_LABELS = LabelSet(("background", *NAMES), voc_colors(60), IGNORED)


class ContextMatlabMasks:
    """Read `LabelMap`, of 459 classes, as uint8 (H, W): 1 to 59, and 0 for all others.

    Args:
        names: The 459 names, in the order of their indices from 1.

    Raises:
        SwiftsegError: One of the 59 is not among the names.
    """

    def __init__(self, names: list[str], source: Path) -> None:
        self.table = np.zeros(1 << 16, np.uint8)
        for index, name in enumerate(NAMES, start=1):
            name = NAMES_AMONG_459.get(name, name)
            if name not in names:
                raise SwiftsegError(f"{source}: expected the class {name!r} among its names")
            self.table[names.index(name) + 1] = index

    def __call__(self, path: Path) -> np.ndarray:
        return self.table[read_matlab_array(path, "LabelMap").astype(np.uint16, order="C")]


def is_pascal_context(folder: Path) -> bool:
    """Whether a folder has the tree of PASCAL Context."""
    root = find_tree(folder, PLACES, "JPEGImages", "ImageSets/Main")
    return root is not None and any(
        (folder / place / masks).is_dir()
        for place in MASK_PLACES
        for masks in (PNG_FOLDER, MAT_FOLDER)
    )


def open_pascal_context(folder: Path, split: str, *, class_set: ClassSet = "60") -> PairedFiles:
    """Open a split of PASCAL Context where it lies.

    Args:
        folder: `VOC2010`, `VOCdevkit`, or the folder that holds `VOCdevkit` and the masks.
        split: train or val.
        class_set: 60 has the background as the class 0; 59 ignores it.

    Raises:
        SwiftsegError: A folder, a list or a file that it names is missing.
    """
    voc = find_tree(folder, PLACES, "JPEGImages", "ImageSets/Main")
    if voc is None:
        raise SwiftsegError(f"{folder}: no VOC2010 here; expected {folder}/VOCdevkit/VOC2010")
    places = [f"{place}/{name}" for name in (PNG_FOLDER, MAT_FOLDER) for place in MASK_PLACES]
    masks = existing_folder(folder, places, "masks of PASCAL Context")
    suffix = ".png" if masks.name == PNG_FOLDER else ".mat"
    pairs = [
        Pair(name, voc / "JPEGImages" / f"{name}.jpg", masks / f"{name}{suffix}")
        for name in read_names(voc / "ImageSets" / "Main" / f"{split}.txt")
    ]
    refuse_missing(pairs)
    labels = CONTEXT_60_LABELS if class_set == "60" else CONTEXT_59_LABELS
    return PairedFiles(pairs, labels, _mask_reader(masks, class_set))


def _mask_reader(masks: Path, class_set: ClassSet) -> MaskReader:
    table = {value: value for value in range(60)}
    if class_set == "59":
        table = {value: value - 1 for value in range(1, 60)} | {0: IGNORED}
    if masks.name == PNG_FOLDER:
        return IndexMasks(table, IGNORED)
    return IndexMasks(table, IGNORED, ContextMatlabMasks(*_names_of_459(masks.parent)))


def _names_of_459(folder: Path) -> tuple[list[str], Path]:
    """Read the lines of `labels.txt`, such as `2: aeroplane`."""
    path = folder / "labels.txt"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SwiftsegError(f"{path}: expected the 459 class names beside {MAT_FOLDER}") from error
    return [line.partition(":")[2].strip() for line in lines if line.strip()], path
