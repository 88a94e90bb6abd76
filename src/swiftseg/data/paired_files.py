"""Frames and masks that lie in files, pair by pair."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, overload

import numpy as np

from swiftseg.core import LabelSet, Sample, SwiftsegError
from swiftseg.data.images.image_file import is_turned, read_image

MaskReader = Callable[[Path], np.ndarray]


class Pair(NamedTuple):
    """A frame's name in its dataset, its file, and its mask's file."""

    name: str
    image: Path
    mask: Path


class PairedFiles(Sequence[Sample]):
    """Labeled frames, each read when it is asked for.

    Args:
        pairs: The files, in the dataset's order.
        labels: The classes.
        read_mask: Reads a mask's file as uint8 (H, W): indices of `labels` and its ignore_index.
            It refuses what is neither, and can be pickled, as loaders send it to their processes.
    """

    def __init__(self, pairs: Sequence[Pair], labels: LabelSet, read_mask: MaskReader) -> None:
        self.pairs = list(pairs)
        self.labels = labels
        self.read_mask = read_mask

    def __len__(self) -> int:
        return len(self.pairs)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> list[Sample]: ...
    def __getitem__(self, index: int | slice) -> Sample | list[Sample]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        name, image_path, mask_path = self.pairs[index]
        image, mask = read_image(image_path), self.read_mask(mask_path)
        if mask.shape != image.shape[:2]:
            raise SwiftsegError(
                size_mismatch_text(image_path, image.shape[:2], mask_path, mask.shape)
            )
        return Sample(name=name, image=image, mask=mask)


def size_mismatch_text(
    image: Path, image_hw: tuple[int, ...], mask: Path, mask_hw: tuple[int, ...]
) -> str:
    """Says that a mask has another size than its image."""
    turned = ", turned as its EXIF orientation says" if is_turned(image) else ""
    return (
        f"{mask}: the mask is {mask_hw[0]}x{mask_hw[1]} where its image "
        f"{image.name} is {image_hw[0]}x{image_hw[1]} (height x width){turned}"
    )
