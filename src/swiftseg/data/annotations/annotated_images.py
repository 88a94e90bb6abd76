"""Labeled frames whose masks are drawn as they are read."""

from collections.abc import Sequence
from typing import overload

import numpy as np

from swiftseg.core import LabelSet, Sample, SwiftsegError
from swiftseg.data.annotations.bitmaps import open_bitmap
from swiftseg.data.annotations.labelme import embedded_picture
from swiftseg.data.annotations.tool_export import AnnotatedImage, ReadMask
from swiftseg.data.annotations.tool_files import naming
from swiftseg.data.images.header import read_header
from swiftseg.data.images.image_file import read_image, rgb_array
from swiftseg.data.own.finding import Finding
from swiftseg.data.paired_files import Pair


class AnnotatedImages(Sequence[Sample]):
    """The images of one split of a labeling tool's export.

    `read_mask` can be pickled, as loaders send it to their processes.
    """

    def __init__(
        self,
        images: Sequence[AnnotatedImage],
        labels: LabelSet,
        read_mask: ReadMask,
        findings: Sequence[Finding] = (),
    ) -> None:
        self.images = list(images)
        self.labels = labels
        self.read_mask = read_mask
        self.findings = tuple(findings)

    @property
    def pairs(self) -> list[Pair]:
        """The images' names, pictures, and the files that annotate them."""
        return [Pair(image.name, image.picture, image.annotation) for image in self.images]

    def __len__(self) -> int:
        return len(self.images)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> list[Sample]: ...
    def __getitem__(self, index: int | slice) -> Sample | list[Sample]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        image = self.images[index]
        pixels = read_picture(image)
        size_hw = pixels.shape[0], pixels.shape[1]
        return Sample(name=image.name, image=pixels, mask=self._mask_of(image, size_hw))

    def mask(self, index: int) -> np.ndarray:
        """Return a mask alone, uint8 (H, W); raise what reading the image and its mask does.

        The picture is let go of before the mask is drawn.
        """
        image = self.images[index]
        pixels_hw = read_picture(image).shape
        return self._mask_of(image, (pixels_hw[0], pixels_hw[1]))

    def _mask_of(self, image: AnnotatedImage, size_hw: tuple[int, int]) -> np.ndarray:
        """Read the mask of an image whose picture has a size."""
        if image.size_hw not in (None, size_hw):
            raise SwiftsegError(_size_text(image, size_hw))
        mask = self.read_mask(image, size_hw)
        if mask.shape != size_hw:
            raise SwiftsegError(
                f"{image.annotation}: the mask is {mask.shape[0]}x{mask.shape[1]}, its picture "
                f"{image.picture.name} {size_hw[0]}x{size_hw[1]} (height x width)"
            )
        return mask


def read_picture(image: AnnotatedImage) -> np.ndarray:
    """Return an image's picture, uint8 (H, W, 3) RGB, upright.

    Raises:
        SwiftsegError: It cannot be read.
    """
    if not image.is_embedded:
        return read_image(image.picture)
    held = embedded_picture(image.picture)
    with naming(f"{image.picture}: imageData"), open_bitmap(held) as picture:
        return rgb_array(picture)


def _size_text(image: AnnotatedImage, size_hw: tuple[int, int]) -> str:
    assert image.size_hw is not None
    turned = ""
    if not image.is_embedded and read_header(image.picture).orientation != 1:
        turned = ", turned as its EXIF orientation says"
    return (
        f"{image.annotation}: {image.name} was annotated at {image.size_hw[0]}x{image.size_hw[1]}, "
        f"its picture {image.picture} is {size_hw[0]}x{size_hw[1]} (height x width){turned}"
    )
