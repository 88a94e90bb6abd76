"""Size changes of feature maps: by a reference size, never by a remembered factor."""

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional as F

from swiftseg.core import UsageError


def upsample_to(features: Tensor, size_hw: Sequence[int], *, align_corners: bool = False) -> Tensor:
    """Resize (N, C, h, w) bilinearly to (N, C, *size_hw).

    The centers of the pixels lie at half their size, or, with `align_corners`, those of the four
    corner pixels meet.
    """
    return F.interpolate(features, size=list(size_hw), mode="bilinear", align_corners=align_corners)


def pad_to(features: Tensor, size_hw: Sequence[int]) -> Tensor:
    """Pad (N, C, h, w) with zeros at the right and bottom to (N, C, *size_hw), no smaller."""
    bottom, right = size_hw[0] - features.shape[-2], size_hw[1] - features.shape[-1]
    return F.pad(features, (0, right, 0, bottom)) if bottom or right else features


def pad_to_multiple(image: Tensor, multiple: int) -> Tensor:
    """Pad (N, C, H, W) at the right and bottom to multiples of `multiple` by repeating its edge.

    Zeros would do as well, but ONNX Runtime (1.31) moves a padding with zeros into a max pooling
    behind it, where it counts as minus infinity, and refuses the file where it exceeds the kernel.
    """
    height, width = image.shape[-2:]
    padding = (0, -width % multiple, 0, -height % multiple)
    return F.pad(image, padding, mode="replicate") if any(padding) else image


class ImageSizeError(UsageError, ValueError):
    """An image is smaller than a network can take."""


def require_image_size(image: Tensor, smallest_hw: tuple[int, int]) -> None:
    """Refuse an image (N, 3, H, W) of which a network's last pooling would leave nothing.

    Raises:
        ImageSizeError: H or W is below `smallest_hw`; a ValueError too.
    """
    height, width = image.shape[-2:]
    if height < smallest_hw[0] or width < smallest_hw[1]:
        raise ImageSizeError(
            f"image of {height}x{width} is too small for this network; "
            f"the smallest it takes is {smallest_hw[0]}x{smallest_hw[1]}"
        )
