"""Predictions as the servers and scripts of published data sets take them."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from swiftseg.core import LabelSet, Sample, SwiftsegError, UsageError
from swiftseg.core.files import replacing, save_picture
from swiftseg.data.published.cityscapes import CITYSCAPES_LABELS, CLASSES
from swiftseg.data.published.pascal_context import CONTEXT_59_LABELS, CONTEXT_60_LABELS
from swiftseg.data.published.voc import VOC_LABELS
from swiftseg.render.colors import palette_image

SaveFrame = Callable[[Sample, np.ndarray], None]

CITYSCAPES_IDS = np.array([row.label_id for row in CLASSES], dtype=np.uint8)
CITYSCAPES_NAME = re.compile(r".+_\d{6}_\d{6}")  # CITY_SEQUENCE_FRAME
VOC_FOLDER = "results/VOC2012/Segmentation/comp6_{split}_cls"  # comp6: any data to learn from


def submission_writer(folder: Path, labels: LabelSet, split: str) -> SaveFrame:
    """Return what writes a frame's label map uint8 (H, W) below a folder.

    For Cityscapes `NAME_labelIds.png`, which holds label ids in place of train ids; for VOC
    `results/VOC2012/Segmentation/comp6_SPLIT_cls/NAME.png` in VOC's colors; for PASCAL Context,
    which has no server, `NAME.png` with the values of `59_context_labels`.

    Raises:
        UsageError: The labels are not those of one of the three.
    """
    if labels == CITYSCAPES_LABELS:
        return lambda sample, label_map: save_cityscapes(folder, sample.name, label_map)
    if labels == VOC_LABELS:
        below = folder / VOC_FOLDER.format(split=split)
        return lambda sample, label_map: save_palette(below, sample.name, label_map, VOC_LABELS)
    if labels in (CONTEXT_59_LABELS, CONTEXT_60_LABELS):
        first = np.uint8(len(CONTEXT_60_LABELS) - len(labels))  # 0 is the background
        return lambda sample, label_map: save_palette(
            folder, sample.name, label_map + first, CONTEXT_60_LABELS
        )
    raise UsageError(
        "--submission is for the classes of Cityscapes (19), VOC (21) and PASCAL Context (59, 60), "
        "which these data lack"
    )


def save_cityscapes(folder: Path, name: str, label_map: np.ndarray) -> None:
    if not CITYSCAPES_NAME.fullmatch(name):
        raise SwiftsegError(f"{name}: expected a frame of Cityscapes, such as berlin_000000_000019")
    save_picture(folder / f"{name}_labelIds.png", CITYSCAPES_IDS[label_map])


def save_palette(folder: Path, name: str, label_map: np.ndarray, labels: LabelSet) -> None:
    picture: Image.Image = palette_image(label_map, labels)
    with replacing(folder / f"{name}.png") as temporary:
        picture.save(temporary, format="PNG")
