"""Cityscapes' instance masks.

`*_instanceIds.png` beside `*_labelIds.png` holds 1000 * label id + n for the n-th instance of a
class, and the bare label id where there are no instances.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from swiftseg.core import SwiftsegError
from swiftseg.data.dataset import Dataset
from swiftseg.data.paired_files import PairedFiles
from swiftseg.data.published.cityscapes import CITYSCAPES_LABELS


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
