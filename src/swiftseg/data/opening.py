"""Finds out what a folder holds and opens it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from swiftseg.core import SwiftsegError, UsageError, unknown_name
from swiftseg.data.annotations import is_annotations, open_annotations
from swiftseg.data.dataset import Dataset
from swiftseg.data.own.dataset_file import EXAMPLE, FILE_NAME
from swiftseg.data.own.layout import contents_text
from swiftseg.data.own.own_data import is_own_data, open_own_data
from swiftseg.data.published.bdd100k import is_bdd100k, open_bdd100k
from swiftseg.data.published.camvid import is_camvid, open_camvid
from swiftseg.data.published.camvid_rgb import is_camvid_rgb, open_camvid_rgb
from swiftseg.data.published.cityscapes import is_cityscapes, open_cityscapes
from swiftseg.data.published.coco import is_coco, open_coco
from swiftseg.data.published.mapillary import is_mapillary, open_mapillary
from swiftseg.data.published.pascal_context import is_pascal_context, open_pascal_context
from swiftseg.data.published.sun_rgbd import is_sun_rgbd, open_sun_rgbd
from swiftseg.data.published.synthia import is_synthia, open_synthia
from swiftseg.data.published.voc import is_voc, open_voc

TOY_STREET = "toystreet"
OWN_DATA = "folder"
TOY_STREET_SCENES = {"train": 800, "val": 100, "test": 100}


def is_dataset_folder(folder: Path) -> bool:
    """Tells whether a folder names its classes in a dataset.yaml."""
    return (folder / FILE_NAME).is_file()


# What each tree is told by, in the order they are tried: a dataset.yaml is the user's own word.
RECOGNIZED: dict[str, Callable[[Path], bool]] = {
    OWN_DATA: is_dataset_folder,
    "annotations": is_annotations,  # a labeling tool's; it may have VOC's tree
    "camvid": is_camvid,
    "camvid_rgb": is_camvid_rgb,
    "cityscapes": is_cityscapes,
    "voc": is_voc,
    "pascal_context": is_pascal_context,
    "coco_stuff": is_coco,
    "sun_rgbd": is_sun_rgbd,
    "bdd100k": is_bdd100k,
    "mapillary": is_mapillary,
    "synthia": is_synthia,
}

# Every dataset and class set that there is: those of RECOGNIZED, and those to be named.
DATASETS: dict[str, Callable[[Path, str], Dataset]] = {
    OWN_DATA: open_own_data,
    "annotations": open_annotations,
    "camvid": open_camvid,
    "camvid_rgb": open_camvid_rgb,
    "camvid_rgb_32": partial(open_camvid_rgb, class_set="32"),
    "cityscapes": open_cityscapes,
    "cityscapes_categories": partial(open_cityscapes, class_set="categories"),
    "cityscapes_coarse": partial(open_cityscapes, annotation="gtCoarse"),
    "voc": open_voc,
    "pascal_context": open_pascal_context,
    "pascal_context_59": partial(open_pascal_context, class_set="59"),
    "coco_stuff": open_coco,
    "coco_voc": partial(open_coco, class_set="voc"),
    "sun_rgbd": open_sun_rgbd,
    "bdd100k": open_bdd100k,
    "bdd100k_20": partial(open_bdd100k, class_set="20"),
    "mapillary": open_mapillary,
    "mapillary_66": partial(open_mapillary, class_set="66"),
    "synthia": open_synthia,
    "synthia_16": partial(open_synthia, class_set="16"),
}


def open_dataset(source: Path | str, split: str, dataset: str | None = None) -> Dataset:
    """Opens one split of data where it lies.

    Args:
        source: A folder; a dataset YAML or a list of pairs; or the name `toystreet` for scenes that
            are rendered as they are read.
        split: Such as `train` or `val`.
        dataset: A name of `DATASETS`, for a class set that is not the usual one; None recognizes
            the folder by its tree.

    Raises:
        SwiftsegError: The folder is missing or holds no tree that is known, or a pair is broken.
        UsageError: The data has no such split, or there is no such dataset.
    """
    if source == TOY_STREET:
        return _open_toy_street(split, dataset)
    folder = Path(source)
    if dataset is not None and dataset not in DATASETS:
        raise unknown_name("dataset", dataset, DATASETS)
    if not folder.exists():
        raise SwiftsegError(f"{folder}: no such folder")
    return DATASETS[dataset or recognize(folder)](folder, split)


def recognize(folder: Path) -> str:
    """Gives the name of the dataset whose tree a folder has; `folder` is a user's own data.

    Raises:
        SwiftsegError: It has none that is known.
    """
    for name, is_tree in RECOGNIZED.items():
        if is_tree(folder):
            return name
    if is_own_data(folder):
        return OWN_DATA
    known = ", ".join(name for name in RECOGNIZED if name != OWN_DATA)
    raise SwiftsegError(
        f"{folder}: neither the tree of a known dataset ({known}) nor images/SPLIT and "
        f"masks/SPLIT, SPLIT/images and SPLIT/masks, or a {FILE_NAME} such as {EXAMPLE}, "
        f"got {contents_text(folder)}"
    )


def _open_toy_street(split: str, dataset: str | None) -> Dataset:
    if dataset is not None:
        raise UsageError(f"{TOY_STREET} has one class set; leave out the dataset {dataset!r}")
    if split not in TOY_STREET_SCENES:
        raise unknown_name("split", split, TOY_STREET_SCENES)
    from swiftseg.data.toy_street import ToyStreet  # readers of folders need no renderer

    return ToyStreet(split, TOY_STREET_SCENES[split])
