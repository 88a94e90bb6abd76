"""The folder behind `--calibration`: frames as the model will see them, with masks or without."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from swiftseg.core import LabelSet, SwiftsegError
from swiftseg.data import Dataset, open_dataset
from swiftseg.data.images.header import IMAGE_SUFFIXES
from swiftseg.data.images.image_file import read_image
from swiftseg.data.paired_folder import open_paired_folder
from swiftseg.kernels.resize import resize_frame

FEWEST_FRAMES = 16  # below it a share of labels, or a range of activations, says little
MOST_FRAMES = 64  # evenly taken of more; they are all held in memory
PROPORTIONS_TOLERANCE = 0.01  # 854x480 passes for 16:9


@dataclass(frozen=True)
class Calibration:
    """Frames, and their masks or none.

    Attributes:
        frames: uint8 (*size_hw, 3), RGB, as the model sees them.
        masks: uint8 (H, W), one a frame, of the frame's size before it was brought to the model's;
            empty where the folder has none.
    """

    frames: tuple[np.ndarray, ...]
    masks: tuple[np.ndarray, ...] = ()


def read_calibration(folder: Path, size_hw: tuple[int, int], labels: LabelSet) -> Calibration:
    """Read a folder of images, the val split of labeled data, or what images/ and masks/ hold.

    Masks in masks/ itself hold class indices and bear the names of their images. Frames that are
    larger or smaller than the model's are resized as `predict` does it.

    Args:
        folder: What the user has named.
        size_hw: The model's input size, whose proportions the frames must have.
        labels: The model's classes.

    Raises:
        SwiftsegError: There are too few frames, one cannot be read or has other proportions, or the
            masks do not fit.
    """
    if not folder.is_dir():
        raise SwiftsegError(f"{folder}: no such folder")
    paths = _images_in(folder)
    if paths or not any(path.is_dir() for path in folder.iterdir()):
        check_number(folder, len(paths))
        named = ((str(paths[index]), read_image(paths[index])) for index in _evenly(len(paths)))
        return Calibration(tuple(fitted(name, frame, size_hw) for name, frame in named))
    data = _labeled(folder, labels)
    check_number(folder, len(data))
    samples = [data[index] for index in _evenly(len(data))]
    frames = (fitted(f"{folder}: {one.name}", one.image, size_hw) for one in samples)
    return Calibration(tuple(frames), tuple(sample.mask for sample in samples))


def check_number(folder: Path, count: int) -> None:
    """Raise SwiftsegError below `FEWEST_FRAMES`."""
    if count < FEWEST_FRAMES:
        raise SwiftsegError(f"{folder}: {count} frames; calibration takes {FEWEST_FRAMES} or more")


def fitted(name: str, frame: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """Bring a frame (H, W, 3) to the model's size.

    Raises:
        SwiftsegError: Its proportions are others than the model's.
    """
    height, width = frame.shape[:2]
    ratio = (height / width) / (size_hw[0] / size_hw[1])
    if abs(ratio - 1) > PROPORTIONS_TOLERANCE:
        raise SwiftsegError(
            f"{name} is {height}x{width}; calibration takes frames of the model's "
            f"{size_hw[0]}x{size_hw[1]} (height x width), or of the same proportions"
        )
    return resize_frame(frame, size_hw)


def _images_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)


def _labeled(folder: Path, labels: LabelSet) -> Dataset:
    images, masks = folder / "images", folder / "masks"
    if masks.is_dir() and _images_in(masks):
        return open_paired_folder(images, masks, labels)
    data = open_dataset(folder, "val")
    if (data.labels.names, data.labels.ignore_index) != (labels.names, labels.ignore_index):
        raise SwiftsegError(
            f"{folder} has {_told(data.labels)} where the model has {_told(labels)}; calibrate on "
            "data of the model's classes"
        )
    return data


def _told(labels: LabelSet) -> str:
    void = "no void" if labels.ignore_index is None else f"void {labels.ignore_index}"
    return f"the classes {', '.join(labels.names)} and {void}"


def _evenly(count: int) -> list[int]:
    """Pick `MOST_FRAMES` indices of `count`, or all of fewer."""
    kept = min(count, MOST_FRAMES)
    return [index * count // kept for index in range(kept)]
