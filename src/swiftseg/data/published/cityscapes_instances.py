"""Cityscapes' instance masks, and the names and ids its server takes.

`*_instanceIds.png` beside `*_labelIds.png` holds 1000 * label id + n for the n-th instance of a
class, and the bare label id where there are no instances.
"""

import re
from pathlib import Path

import numpy as np
from PIL import Image

from swiftseg.core import SwiftsegError
from swiftseg.core.files import save_picture
from swiftseg.data.dataset import Dataset
from swiftseg.data.paired_files import PairedFiles
from swiftseg.data.published.cityscapes import CITYSCAPES_LABELS, CLASSES

_LABEL_IDS = np.array([row.label_id for row in CLASSES], dtype=np.uint8)
_FRAME_NAME = re.compile(r".+_\d{6}_\d{6}")  # CITY_SEQUENCE_FRAME


def instance_paths(dataset: Dataset) -> list[Path] | None:
    """Find the instance mask of every frame of Cityscapes' 19 classes.

    None for other data, and where the first frame has no instance mask.
    """
    if not isinstance(dataset, PairedFiles) or dataset.labels != CITYSCAPES_LABELS:
        return None
    kinds = ("labelTrainIds", "labelIds")
    paths = [pair.mask for pair in dataset.pairs]
    for kind in kinds:
        paths = [path.with_name(path.name.replace(kind, "instanceIds")) for path in paths]
    return paths if paths and paths[0].is_file() else None


def read_instances(path: Path, size_hw: tuple[int, int]) -> np.ndarray:
    """Read an instance mask as int32 (H, W).

    Raises:
        SwiftsegError: The file is missing, damaged, of another size, or has several channels.
    """
    try:
        with Image.open(path, formats=("PNG",)) as image:
            instances = np.array(image)
    except FileNotFoundError as error:
        raise SwiftsegError(f"no such file: {path}") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise SwiftsegError(f"{path}: not a PNG that can be read ({error})") from error
    if instances.shape != size_hw or instances.min() < 0 or instances.max() > 65535:
        raise SwiftsegError(
            f"{path}: expected a 16-bit mask of {size_hw[0]}x{size_hw[1]} (height x width), "
            f"got {'x'.join(map(str, instances.shape))}"
        )
    return instances.astype(np.int32)


def save_submission(folder: Path, name: str, label_map: np.ndarray) -> None:
    """Write a prediction as Cityscapes' server takes it: label ids, not train ids.

    Args:
        folder: Gets `{name}_labelIds.png`; zip it and upload it.
        name: The frame's name, CITY_SEQUENCE_FRAME.
        label_map: uint8 (H, W), indices of the 19 classes.

    Raises:
        SwiftsegError: The name is not of that form, or the file cannot be written.
    """
    if not _FRAME_NAME.fullmatch(name):
        raise SwiftsegError(f"{name}: expected a frame of Cityscapes, such as berlin_000000_000019")
    save_picture(folder / f"{name}_labelIds.png", _LABEL_IDS[label_map])
