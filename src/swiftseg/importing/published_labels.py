"""The class names of weights that come without: a published label set, or a file of names."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from swiftseg.core import LabelSet, SwiftsegError, unknown_name
from swiftseg.core.yaml_text import YAML_SUFFIXES, parse_yaml
from swiftseg.data.own.dataset_file import read_dataset_file
from swiftseg.data.published.bdd100k import BDD100K_20_LABELS
from swiftseg.data.published.camvid import CAMVID_LABELS
from swiftseg.data.published.camvid_rgb import CAMVID_32_LABELS
from swiftseg.data.published.cityscapes import CATEGORY_LABELS, CITYSCAPES_LABELS
from swiftseg.data.published.coco import COCO_STUFF_LABELS
from swiftseg.data.published.mapillary import MAPILLARY_66_LABELS, MAPILLARY_LABELS
from swiftseg.data.published.pascal_context import CONTEXT_59_LABELS, CONTEXT_60_LABELS
from swiftseg.data.published.sun_rgbd import SUN_RGBD_LABELS
from swiftseg.data.published.synthia import SYNTHIA_13_LABELS, SYNTHIA_16_LABELS
from swiftseg.data.published.synthia_rand import SYNTHIA_RAND_LABELS
from swiftseg.data.published.voc import VOC_LABELS
from swiftseg.data.voc_colors import voc_colors
from swiftseg.importing.ports import Port

VOID = 255  # the value that masks usually ignore

PUBLISHED_LABELS: Mapping[str, LabelSet] = {
    "bdd100k_20": BDD100K_20_LABELS,
    "camvid": CAMVID_LABELS,
    "camvid_32": CAMVID_32_LABELS,
    "cityscapes": CITYSCAPES_LABELS,
    "cityscapes_categories": CATEGORY_LABELS,
    "coco_stuff": COCO_STUFF_LABELS,
    "mapillary": MAPILLARY_LABELS,
    "mapillary_66": MAPILLARY_66_LABELS,
    "pascal_context": CONTEXT_60_LABELS,
    "pascal_context_59": CONTEXT_59_LABELS,
    "sun_rgbd": SUN_RGBD_LABELS,
    "synthia_13": SYNTHIA_13_LABELS,
    "synthia_16": SYNTHIA_16_LABELS,
    "synthia_rand": SYNTHIA_RAND_LABELS,
    "voc": VOC_LABELS,
}


def find_labels(text: str) -> LabelSet:
    """Return the classes of a published label set, or those that a file lists.

    A text file holds a name a line; a YAML file holds a list of names, or what a dataset.yaml does.

    Raises:
        UsageError: It is neither a published name nor a file.
        SwiftsegError: The file cannot be read, or lists no classes.
    """
    if text in PUBLISHED_LABELS:
        return PUBLISHED_LABELS[text]
    path = Path(text)
    if not path.is_file():
        raise unknown_name("label set or file of names", text, PUBLISHED_LABELS)
    try:
        content = path.read_text(encoding="utf-8")
        names = parse_yaml(content) if path.suffix in YAML_SUFFIXES else _lines(content)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SwiftsegError(f"{path}: cannot be read: {' '.join(str(error).split())}") from error
    if isinstance(names, dict):
        return read_dataset_file(path).labels()
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SwiftsegError(f"{path}: expected a list of class names")
    return LabelSet(tuple(names), voc_colors(len(names)), VOID)


def port_labels(port: Port, num_classes: int) -> LabelSet:
    """Return the classes of a port's published weights, or names that say nothing."""
    if num_classes in port.classes:
        return PUBLISHED_LABELS[port.classes[num_classes]]
    names = tuple(f"class_{index}" for index in range(num_classes))
    return LabelSet(names, voc_colors(num_classes), VOID)


def label_sets_of(num_classes: int) -> list[str]:
    """List the published label sets of as many classes."""
    return [name for name, labels in PUBLISHED_LABELS.items() if len(labels) == num_classes]


def _lines(content: str) -> list[str]:
    return [line.strip() for line in content.splitlines() if line.strip()]
