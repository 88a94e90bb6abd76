"""Frames and masks that lie in files, pair by pair."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, overload

import numpy as np

from swiftseg.core import LabelSet, Sample, SwiftsegError
from swiftseg.data.images.band_file import read_picture
from swiftseg.data.images.header import SIDEWAYS, read_header
from swiftseg.data.images.image_file import upright
from swiftseg.data.images.joined_bands import read_joined_bands

MaskReader = Callable[[Path], np.ndarray]


class MaskPart(NamedTuple):
    """A mask of one instance or of one class: its file, and the class's name where it has one."""

    path: Path
    class_name: str | None


class Pair(NamedTuple):
    """A frame's name in its dataset, its file, and its mask's file.

    A mask that is spread over several files lists them all in `parts`, the first of which is
    `mask`; a frame whose bands are files of their own lists them in `bands`, `image` first.
    """

    name: str
    image: Path
    mask: Path
    parts: tuple[MaskPart, ...] = ()
    bands: tuple[Path, ...] = ()

    def read_image(self) -> np.ndarray:
        """Read the frame as `read_picture` has it, its bands joined."""
        return read_joined_bands(self.bands) if self.bands else read_picture(self.image)


class PairedFiles(Sequence[Sample]):
    """Labeled frames, each read when it is asked for.

    Args:
        pairs: The files, in the dataset's order.
        labels: The classes.
        read_mask: Reads a mask's file as uint8 (H, W): indices of `labels` and its ignore_index.
            It refuses what is neither, and can be pickled, as loaders send it to their processes.
        resize_masks: Whether masks of another size but of their image's proportions are resized to
            it, by nearest neighbor, instead of refused.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        labels: LabelSet,
        read_mask: MaskReader,
        *,
        resize_masks: bool = False,
    ) -> None:
        self.pairs = list(pairs)
        self.labels = labels
        self.read_mask = read_mask
        self.resize_masks = resize_masks

    def __len__(self) -> int:
        return len(self.pairs)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> list[Sample]: ...
    def __getitem__(self, index: int | slice) -> Sample | list[Sample]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        pair = self.pairs[index]
        image = pair.read_image()
        mask = self.read_pair_mask(pair)
        if mask.shape != image.shape[:2]:
            mask = fitted_mask(pair, mask, image.shape[:2], resize_masks=self.resize_masks)
        return Sample(name=pair.name, image=image, mask=mask)

    def read_pair_mask(self, pair: Pair) -> np.ndarray:
        """Read a pair's mask as stored, uint8 (H, W); its parts are united."""
        if not pair.parts:
            return self.read_mask(pair.mask)
        return unite_parts(pair, self.labels, self.read_mask)[0]

    def with_pairs(self, pairs: Sequence[Pair]) -> "PairedFiles":
        """Return the data set of other pairs that are read in the same way."""
        return PairedFiles(pairs, self.labels, self.read_mask, resize_masks=self.resize_masks)


def unite_parts(pair: Pair, labels: LabelSet, read_mask: MaskReader) -> tuple[np.ndarray, int]:
    """Unite masks of one instance or class each into one, uint8 (H, W).

    Where they overlap the smaller one is kept: eyes lie on skin, and skin beneath hair. A mask of
    an instance keeps its values, as it may show parts of it.

    Returns:
        The mask, and how many pixels several parts claim.

    Raises:
        SwiftsegError: A part cannot be read, or has another size than the others.
    """
    shown: list[np.ndarray] = []
    for path, class_name in pair.parts:
        part = read_mask(path)
        if shown and part.shape != shown[0].shape:
            raise SwiftsegError(size_mismatch_text(pair.mask, shown[0].shape, path, part.shape))
        if class_name is not None:
            part = (part > 0) * np.uint8(labels.names.index(class_name))
        shown.append(part)
    united = np.zeros(shown[0].shape, np.uint8)
    overlapping = 0
    for part in sorted(shown, key=lambda part: -int(np.count_nonzero(part))):
        overlapping += int((united[part > 0] > 0).sum())
        np.copyto(united, part, where=part > 0)
    return united, overlapping


def fitted_mask(
    pair: Pair, mask: np.ndarray, image_hw: tuple[int, ...], *, resize_masks: bool
) -> np.ndarray:
    """Fit a mask (H, W) to an image of another size, where it is known how.

    A mask of the size that its image is stored in is turned as the image's EXIF orientation says.
    One of the same proportions is resized, if that is allowed.

    Raises:
        SwiftsegError: The sizes do not fit.
    """
    orientation = read_header(pair.image).orientation
    if orientation in SIDEWAYS and mask.shape == image_hw[::-1]:
        return upright(mask, orientation)
    if not resize_masks or not are_proportional(mask.shape, image_hw):
        raise SwiftsegError(size_mismatch_text(pair.image, image_hw, pair.mask, mask.shape))
    rows, columns = (
        np.minimum((np.arange(new) + 0.5) * old / new, old - 1).astype(int)
        for new, old in zip(image_hw, mask.shape, strict=True)
    )
    return np.ascontiguousarray(mask[np.ix_(rows, columns)])


def are_proportional(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether two sizes (height, width) have the same proportions, up to rounding by a pixel."""
    larger, smaller = max(one, other), min(one, other)
    sides = [*zip(larger, smaller, strict=True)]
    lowest = max(of_larger / (of_smaller + 1) for of_larger, of_smaller in sides)
    highest = min(of_larger / max(of_smaller - 1, 0.5) for of_larger, of_smaller in sides)
    return lowest <= highest


def size_mismatch_text(
    image: Path, image_hw: tuple[int, ...], mask: Path, mask_hw: tuple[int, ...]
) -> str:
    """Return what to say of a mask that has another size than its image."""
    turned = ", turned as its EXIF orientation says" if _is_turned(image) else ""
    return (
        f"{mask}: the mask is {mask_hw[0]}x{mask_hw[1]} where its image "
        f"{image.name} is {image_hw[0]}x{image_hw[1]} (height x width){turned}"
    )


def _is_turned(image: Path) -> bool:
    try:
        return read_header(image).orientation != 1
    except SwiftsegError:
        return False  # an array has no header
