"""Frames and index masks that lie in two folders and share their file stems."""

from collections.abc import Sequence
from pathlib import Path
from typing import overload

import numpy as np

from swiftseg.core import LabelSet, Sample, SwiftsegError
from swiftseg.data.image_file import IMAGE_SUFFIXES, read_image, read_mask


class PairedFolder(Sequence[Sample]):
    """The pairs of two folders, sorted by stem; a frame is read when it is asked for.

    Args:
        images: The folder of frames.
        masks: The folder of index masks.
        labels: The classes; mask values are checked against them.

    Raises:
        SwiftsegError: A folder is missing or empty, or a frame or mask lacks its partner.
    """

    def __init__(self, images: Path, masks: Path, labels: LabelSet) -> None:
        self.labels = labels
        image_paths, mask_paths = paths_by_stem(images), paths_by_stem(masks)
        for have, other, what in (
            (image_paths, mask_paths, f"mask in {masks}"),
            (mask_paths, image_paths, f"image in {images}"),
        ):
            alone = sorted(have.keys() - other.keys())
            if alone:
                raise SwiftsegError(
                    f"{have[alone[0]]}: no {what} has this name ({len(alone)} such files)"
                )
        self.pairs = [(path, mask_paths[stem]) for stem, path in sorted(image_paths.items())]

    def __len__(self) -> int:
        return len(self.pairs)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> list[Sample]: ...
    def __getitem__(self, index: int | slice) -> Sample | list[Sample]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        image_path, mask_path = self.pairs[index]
        image, mask = read_image(image_path), read_mask(mask_path)
        if mask.shape != image.shape[:2]:
            raise SwiftsegError(
                f"{mask_path}: the mask is {size_text(mask)} where its image "
                f"{image_path.name} is {size_text(image)} (height x width)"
            )
        refuse_unknown_values(mask, self.labels, mask_path)
        return Sample(name=image_path.stem, image=image, mask=mask)


def paths_by_stem(folder: Path) -> dict[str, Path]:
    """Finds the images of a folder by stem; two of one stem are refused, as are none."""
    if not folder.is_dir():
        raise SwiftsegError(f"{folder}: no such folder")
    paths: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in IMAGE_SUFFIXES or path.name.startswith("."):
            continue
        if path.stem in paths:
            raise SwiftsegError(f"{path}: {paths[path.stem].name} has the same name in {folder}")
        paths[path.stem] = path
    if not paths:
        raise SwiftsegError(f"{folder}: no images in this folder")
    return paths


def refuse_unknown_values(mask: np.ndarray, labels: LabelSet, path: Path) -> None:
    """Raises SwiftsegError if a mask holds a value that is neither a class nor ignore_index."""
    counts = np.bincount(mask.ravel(), minlength=256)
    counts[: len(labels)] = 0
    if labels.ignore_index is not None:
        counts[labels.ignore_index] = 0
    unknown = np.flatnonzero(counts)
    if unknown.size:
        listed = ", ".join(f"{value} ({counts[value]} pixels)" for value in unknown[:5])
        ignored = "" if labels.ignore_index is None else f" or {labels.ignore_index} (ignored)"
        raise SwiftsegError(
            f"{path}: values outside the classes: {listed}; expected 0..{len(labels) - 1}{ignored}"
        )


def size_text(array: np.ndarray) -> str:
    return f"{array.shape[0]}x{array.shape[1]}"
