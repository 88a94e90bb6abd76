"""Size changes of feature maps: by a reference size, never by a remembered factor."""

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional as F


def upsample_to(features: Tensor, size_hw: Sequence[int]) -> Tensor:
    """Resizes (N, C, h, w) bilinearly to (N, C, *size_hw), pixel centers aligned at half."""
    return F.interpolate(features, size=list(size_hw), mode="bilinear", align_corners=False)


def pad_to_multiple(image: Tensor, multiple: int) -> Tensor:
    """Pads (N, C, H, W) with zeros at the right and bottom to multiples of `multiple`."""
    height, width = image.shape[-2:]
    bottom, right = -height % multiple, -width % multiple
    return F.pad(image, (0, right, 0, bottom)) if bottom or right else image
