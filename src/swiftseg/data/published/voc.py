"""PASCAL VOC 2012, 20 classes and background, and its augmentation by SBD.

Everingham et al., "The PASCAL Visual Object Classes challenge 2012"; Hariharan et al., "Semantic
contours from inverse detectors", ICCV 2011.

The trees, as the archives unpack: `VOCdevkit/VOC2012` with `JPEGImages`, `SegmentationClass` and
`ImageSets/Segmentation/{train,val,trainval,test}.txt` (1,464, 1,449, 2,913 and 1,456 frames; those
of test have no masks, and the server scores them), and beside `VOCdevkit` the folder
`benchmark_RELEASE/dataset` with `img`, `cls/*.mat` and `{train,val}.txt`.
"""

from pathlib import Path

import numpy as np

from swiftseg.core import LabelSet, SwiftsegError
from swiftseg.data.images.header import read_header
from swiftseg.data.images.image_file import read_mask
from swiftseg.data.images.matlab_file import read_matlab_array
from swiftseg.data.mask_values import IndexMasks
from swiftseg.data.paired_files import Pair, PairedFiles
from swiftseg.data.published.tree import are_named, existing_folder, find_tree, read_names
from swiftseg.data.voc_colors import voc_colors

PLACES = (".", "VOC2012", "VOCdevkit/VOC2012")
SBD_PLACES = (
    "benchmark_RELEASE/dataset",
    "../benchmark_RELEASE/dataset",
    "../../benchmark_RELEASE/dataset",
)
FRAME_NAME = r"(19|20)\d{2}_\d{6}"
BORDER = 255  # the outlines of objects and what is difficult: not scored

NAMES = (  # noqa: SIM905 rows are easier to compare with the development kit
    "background aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse "
    "motorbike person pottedplant sheep sofa train tvmonitor"
).split()
VOC_LABELS = LabelSet(tuple(NAMES), voc_colors(21), BORDER)


def is_voc(folder: Path) -> bool:
    """Whether a folder has the tree of PASCAL VOC 2012."""
    root = _root(folder)
    if root is None or not are_named(root / "JPEGImages", FRAME_NAME):
        return False
    first = next(iter(sorted((root / "SegmentationClass").glob("*.png"))), None)
    return first is None or _has_voc_palette(first)


def _has_voc_palette(mask: Path) -> bool:
    """Whether a mask shows VOC's colors: others label VOC's pictures, too, in parts for example."""
    try:
        palette = read_header(mask).palette
    except SwiftsegError:
        return True  # its reader says what is wrong
    codes = [red << 16 | green << 8 | blue for red, green, blue in VOC_LABELS.palette]
    return list(palette[: len(codes)]) == codes


def open_voc(folder: Path, split: str) -> PairedFiles:
    """Open a split of PASCAL VOC 2012 where it lies.

    Args:
        folder: `VOC2012`, `VOCdevkit`, or the folder that holds `VOCdevkit`.
        split: train, val, trainval, test, whose masks are all void, or trainaug: VOC's train and
            all of SBD that is not in VOC's val (10,582 frames). Where both have a mask, VOC's,
            which is finer, is taken.

    Raises:
        SwiftsegError: A folder, a list or a file that it names is missing.
    """
    voc = _root(folder)
    if voc is None:
        raise SwiftsegError(f"{folder}: no VOC2012 here; expected {folder}/VOCdevkit/VOC2012")
    pairs = _trainaug(folder, voc) if split == "trainaug" else _voc_pairs(voc, split)
    refuse_missing(pairs)
    if split == "test":
        return PairedFiles(pairs, VOC_LABELS, void_mask)
    values = {value: value for value in (*range(len(VOC_LABELS)), BORDER)}
    return PairedFiles(pairs, VOC_LABELS, IndexMasks(values, BORDER, read_voc_mask))


def void_mask(picture: Path) -> np.ndarray:
    """Return a mask in which nothing is labeled, of a picture's size: uint8 (H, W)."""
    return np.full(read_header(picture).shown_hw, BORDER, np.uint8)


def read_voc_mask(path: Path) -> np.ndarray:
    """Read the class indices of VOC's PNG masks and of SBD's MATLAB masks as uint8 (H, W)."""
    if path.suffix != ".mat":
        return read_mask(path)
    return read_matlab_array(path, "GTcls", "Segmentation").astype(np.uint8, order="C")


def refuse_missing(pairs: list[Pair]) -> None:
    """Raise SwiftsegError for the first file that a split's list names and that is not there."""
    for pair in pairs:
        for path in (pair.image, pair.mask):
            if not path.is_file():
                raise SwiftsegError(f"{path}: no such file, but the split's list names {pair.name}")


def _root(folder: Path) -> Path | None:
    root = find_tree(folder, PLACES, "JPEGImages", "SegmentationClass", "ImageSets/Segmentation")
    # VOC2010, the year of PASCAL Context, has the same tree.
    return None if root is None or root.resolve().name == "VOC2010" else root


def _voc_pairs(voc: Path, split: str) -> list[Pair]:
    names = read_names(voc / "ImageSets" / "Segmentation" / f"{split}.txt")
    images = [voc / "JPEGImages" / f"{name}.jpg" for name in names]
    masks = [voc / "SegmentationClass" / f"{name}.png" for name in names]
    files = zip(names, images, images if split == "test" else masks, strict=True)
    return [Pair(name, image, mask) for name, image, mask in files]


def _trainaug(folder: Path, voc: Path) -> list[Pair]:
    sbd = existing_folder(folder, SBD_PLACES, "SBD, which trainaug needs")
    pairs = {pair.name: pair for pair in _voc_pairs(voc, "train")}
    held_out = set(read_names(voc / "ImageSets" / "Segmentation" / "val.txt"))
    for name in read_names(sbd / "train.txt") + read_names(sbd / "val.txt"):
        if name not in held_out and name not in pairs:
            pairs[name] = Pair(name, sbd / "img" / f"{name}.jpg", sbd / "cls" / f"{name}.mat")
    return sorted(pairs.values())
