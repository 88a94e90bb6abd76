"""The folder behind `--calibration`: frames as the model will see them, with masks or without."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from swiftseg.core import LabelSet, SwiftsegError
from swiftseg.data.image_file import IMAGE_SUFFIXES, read_image
from swiftseg.data.paired_folder import open_paired_folder

FEWEST_FRAMES = 16  # below it a share of labels, or a range of activations, says little
MOST_FRAMES = 64  # evenly taken of more; they are all held in memory


@dataclass(frozen=True)
class Calibration:
    """Frames, and their masks or none.

    Attributes:
        frames: uint8 (*size_hw, 3), RGB.
        masks: uint8 (*size_hw), one a frame; empty where the folder has none.
    """

    frames: tuple[np.ndarray, ...]
    masks: tuple[np.ndarray, ...] = ()


def read_calibration(folder: Path, size_hw: tuple[int, int], labels: LabelSet) -> Calibration:
    """Reads a folder of images, or one with the folders images/ and masks/ in it.

    Masks hold class indices and bear the names of their images.

    Args:
        folder: What the user has named.
        size_hw: The model's input size, which the frames must have.
        labels: The model's classes.

    Raises:
        SwiftsegError: There are too few frames, one cannot be read or has another size, or the
            masks do not fit.
    """
    if (folder / "masks").is_dir():
        pairs = open_paired_folder(folder / "images", folder / "masks", labels)
        check_number(folder, len(pairs))
        samples = [pairs[index] for index in _evenly(len(pairs))]
        for sample in samples:
            check_size(f"{folder}: {sample.name}", sample.image, size_hw)
        return Calibration(
            tuple(sample.image for sample in samples), tuple(sample.mask for sample in samples)
        )
    if not folder.is_dir():
        raise SwiftsegError(f"{folder}: no such folder")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    check_number(folder, len(paths))
    frames = [read_image(paths[index]) for index in _evenly(len(paths))]
    for index, frame in zip(_evenly(len(paths)), frames, strict=True):
        check_size(str(paths[index]), frame, size_hw)
    return Calibration(tuple(frames))


def check_number(folder: Path, count: int) -> None:
    """Raises SwiftsegError below `FEWEST_FRAMES`."""
    if count < FEWEST_FRAMES:
        raise SwiftsegError(f"{folder}: {count} frames; calibration takes {FEWEST_FRAMES} or more")


def check_size(name: str, frame: np.ndarray, size_hw: tuple[int, int]) -> None:
    """Raises SwiftsegError for a frame (H, W, 3) of another size than the model's."""
    if frame.shape[:2] != size_hw:
        raise SwiftsegError(
            f"{name} is {frame.shape[0]}x{frame.shape[1]}; calibration takes frames of the model's "
            f"{size_hw[0]}x{size_hw[1]} (height x width)"
        )


def _evenly(count: int) -> list[int]:
    """Picks `MOST_FRAMES` indices of `count`, or all of fewer."""
    kept = min(count, MOST_FRAMES)
    return [index * count // kept for index in range(kept)]
