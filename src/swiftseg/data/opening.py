"""Finds out what a folder holds and opens it."""

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from swiftseg.core import SwiftsegError, UsageError, unknown_name
from swiftseg.data.annotations import is_annotations, open_annotations
from swiftseg.data.dataset import Dataset
from swiftseg.data.mask_values import UnknownValuesError
from swiftseg.data.own.class_files import find_class_files
from swiftseg.data.own.dataset_file import FILE_NAME
from swiftseg.data.own.file_tree import NOT_DATA
from swiftseg.data.own.own_data import open_own_data
from swiftseg.data.paired_files import MaskReader, PairedFiles
from swiftseg.data.published.bdd100k import is_bdd100k, open_bdd100k
from swiftseg.data.published.camvid import is_camvid, open_camvid
from swiftseg.data.published.camvid_rgb import is_camvid_rgb, open_camvid_rgb
from swiftseg.data.published.cityscapes import is_cityscapes, open_cityscapes
from swiftseg.data.published.coco import is_coco, open_coco
from swiftseg.data.published.idd_lite import is_idd_lite, open_idd_lite
from swiftseg.data.published.labelmefacade import open_labelmefacade
from swiftseg.data.published.mapillary import is_mapillary, open_mapillary
from swiftseg.data.published.pascal_context import is_pascal_context, open_pascal_context
from swiftseg.data.published.sun_rgbd import is_sun_rgbd, open_sun_rgbd
from swiftseg.data.published.synthia import is_synthia, open_synthia
from swiftseg.data.published.synthia_rand import is_synthia_rand, open_synthia_rand
from swiftseg.data.published.voc import is_voc, open_voc

TOY_STREET = "toystreet"
OWN_DATA = "folder"
ANNOTATIONS = "annotations"
TOY_STREET_SCENES = {"train": 800, "val": 100, "test": 100}
PROBED_MASKS = 24
MAX_WRAPPED = 2  # folders around a published data set's tree that hold nothing else
AND = "+"  # between splits that are opened as one
# Files of published data sets that list their classes; any other is a user's.
OFFICIAL_CLASS_FILES = {
    "camvid_rgb": "label_colors.txt",
    "pascal_context": "labels.txt",
    "coco_stuff": "labels.txt",
}


class Reader(NamedTuple):
    """How a data set is opened: by a folder and a split.

    Attributes:
        open: Opens a split.
        splits: Those that there are; None where the data decide.
        is_tree: Whether a folder has this data set's tree and the names of its frames; None for a
            class set that must be named.
    """

    open: Callable[[Path, str], Dataset]
    splits: tuple[str, ...] | None
    is_tree: Callable[[Path], bool] | None = None


CITYSCAPES_SPLITS = ("train", "val", "test", "train_extra")
COARSE_SPLITS = ("train", "val", "train_extra")
VOC_SPLITS = ("train", "val", "trainval", "trainaug", "test")
SYNTHIA_SPLITS = ("train", "four_fifths", "fifth")
TRAIN_VAL, TRAIN_TEST = ("train", "val"), ("train", "test")
THREE = ("train", "val", "test")

# Every data set and class set that there is. Trees are tried in this order.
DATASETS: dict[str, Reader] = {
    OWN_DATA: Reader(open_own_data, None),
    ANNOTATIONS: Reader(open_annotations, None),
    "camvid": Reader(open_camvid, THREE, is_camvid),
    "camvid_rgb": Reader(open_camvid_rgb, THREE, is_camvid_rgb),
    "camvid_rgb_32": Reader(partial(open_camvid_rgb, class_set="32"), THREE),
    "cityscapes": Reader(open_cityscapes, CITYSCAPES_SPLITS, is_cityscapes),
    "cityscapes_categories": Reader(
        partial(open_cityscapes, class_set="categories"), CITYSCAPES_SPLITS
    ),
    "cityscapes_coarse": Reader(partial(open_cityscapes, annotation="gtCoarse"), COARSE_SPLITS),
    "idd_lite": Reader(open_idd_lite, TRAIN_VAL, is_idd_lite),
    "labelmefacade": Reader(open_labelmefacade, ("train",)),
    "voc": Reader(open_voc, VOC_SPLITS, is_voc),
    "pascal_context": Reader(open_pascal_context, TRAIN_VAL, is_pascal_context),
    "pascal_context_59": Reader(partial(open_pascal_context, class_set="59"), TRAIN_VAL),
    "coco_stuff": Reader(open_coco, TRAIN_VAL, is_coco),
    "coco_voc": Reader(partial(open_coco, class_set="voc"), TRAIN_VAL),
    "sun_rgbd": Reader(open_sun_rgbd, TRAIN_TEST, is_sun_rgbd),
    "bdd100k": Reader(open_bdd100k, TRAIN_VAL, is_bdd100k),
    "bdd100k_20": Reader(partial(open_bdd100k, class_set="20"), TRAIN_VAL),
    "mapillary": Reader(open_mapillary, TRAIN_VAL, is_mapillary),
    "mapillary_66": Reader(partial(open_mapillary, class_set="66"), TRAIN_VAL),
    "synthia": Reader(open_synthia, SYNTHIA_SPLITS, is_synthia),
    "synthia_16": Reader(partial(open_synthia, class_set="16"), SYNTHIA_SPLITS),
    "synthia_rand": Reader(open_synthia_rand, TRAIN_VAL, is_synthia_rand),
}


def open_dataset(source: Path | str, split: str, dataset: str | None = None) -> Dataset:
    """Open one split of data where it lies.

    Args:
        source: A folder; a dataset YAML or a list of pairs; or the name `toystreet` for scenes that
            are rendered as they are read.
        split: Such as `train` or `val`; several as one by `train+train_extra`.
        dataset: A name of `DATASETS`, for a class set that is not the usual one; None recognizes
            the folder by what it holds.

    Raises:
        SwiftsegError: The folder is missing or holds no images with masks, or a pair is broken.
        UsageError: The data has no such split, or there is no such dataset.
    """
    if source == TOY_STREET:
        return _open_toy_street(split, dataset)
    folder = Path(source)
    if dataset is not None and dataset not in DATASETS:
        raise unknown_name("dataset", dataset, DATASETS)
    if not folder.exists():
        raise SwiftsegError(f"{folder}: no such folder")
    reader = DATASETS[dataset or recognize(folder)]
    folder = _root_of(folder, reader)
    names = split.split(AND)
    for name in names:
        if reader.splits is not None and name not in reader.splits:
            raise unknown_name("split", name, reader.splits)
    return joined([reader.open(folder, name) for name in names], split)


def joined(parts: Sequence[Dataset], split: str) -> Dataset:
    """Return splits of one data set as one.

    Raises:
        UsageError: They are not pairs of files, their masks hold unlike values, or a frame is in
            two of them.
    """
    if len(parts) == 1:
        return parts[0]
    files = [part for part in parts if isinstance(part, PairedFiles)]
    if len(files) < len(parts):
        raise UsageError(f"only splits of files can be joined; name one in place of {split!r}")
    if any(not reads_alike(part.read_mask, files[0].read_mask) for part in files):
        raise UsageError(f"the masks of the splits {split!r} hold unlike values")
    pairs = [pair for part in files for pair in part.pairs]
    if len({pair.image for pair in pairs}) < len(pairs):
        raise UsageError(f"the splits {split!r} have frames in common")
    return files[0].with_pairs(pairs)


def reads_alike(one: MaskReader, other: MaskReader) -> bool:
    """Whether two readers of masks turn the same values into the same classes."""
    return one == other or (type(one) is type(other) and vars(one) == vars(other))


def recognize(folder: Path) -> str:
    """Return the name of the data set that a folder holds; `folder` is a user's own.

    A dataset.yaml is the user's own word; then comes the export of a labeling tool. A folder is a
    published data set when it has its tree and its frames' names, names no classes of its own, and
    its masks hold that data set's values.
    """
    if (folder / FILE_NAME).is_file():
        return OWN_DATA
    if is_annotations(folder):
        return ANNOTATIONS
    if not folder.is_dir():
        return OWN_DATA
    places = [*_unwrapped(folder)]
    for name, reader in DATASETS.items():
        root = next(filter(reader.is_tree, places), None) if reader.is_tree else None
        if root is not None:
            tables = [table.source.name for table in find_class_files(folder)]
            names_own = set(tables) - {OFFICIAL_CLASS_FILES.get(name)}
            is_own = names_own or _holds_other_values(root, reader)
            return OWN_DATA if is_own else name
    return OWN_DATA


def _root_of(folder: Path, reader: Reader) -> Path:
    """Return where a published tree begins: in a folder, or in the only one within it."""
    if reader.is_tree is None:
        return folder
    return next(filter(reader.is_tree, _unwrapped(folder)), folder)


def _unwrapped(folder: Path) -> Iterator[Path]:
    """Yield a folder, the only one within it, and so on: archives unpack into such."""
    yield folder
    for _ in range(MAX_WRAPPED):
        _, names, _ = next(os.walk(folder), ("", list[str](), list[str]()))
        below = [name for name in names if name not in NOT_DATA and not name.startswith(".")]
        if len(below) != 1:
            return
        folder = folder / below[0]
        yield folder


def _holds_other_values(folder: Path, reader: Reader) -> bool:
    """Whether most of some masks hold values or colors that the published data set does not."""
    for split in reader.splits or ():
        try:
            dataset = reader.open(folder, split)
        except SwiftsegError:
            continue  # it is not there, or opening it says what is wrong
        if not isinstance(dataset, PairedFiles):
            return False
        step = max(1, len(dataset) // PROBED_MASKS)
        refused = [_is_refused(dataset, pair.mask) for pair in dataset.pairs[::step]]
        return 2 * sum(refused) > len(refused)
    return False


def _is_refused(dataset: PairedFiles, mask: Path) -> bool:
    try:
        dataset.read_mask(mask)
    except UnknownValuesError:
        return True
    except SwiftsegError:
        return False
    return False


def _open_toy_street(split: str, dataset: str | None) -> Dataset:
    if dataset is not None:
        raise UsageError(f"{TOY_STREET} has one class set; leave out the dataset {dataset!r}")
    if split not in TOY_STREET_SCENES:
        raise unknown_name("split", split, TOY_STREET_SCENES)
    from swiftseg.data.toy_street import ToyStreet  # readers of folders need no renderer

    return ToyStreet(split, TOY_STREET_SCENES[split])
