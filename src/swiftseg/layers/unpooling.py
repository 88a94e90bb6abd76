"""Max pooling that remembers where each maximum was, and its inverse.

`torch.nn.MaxUnpool2d` scatters by flat index tensors, which ONNX Runtime and OpenVINO cannot both
execute. Here the position is a one-hot mask over the four phases of each 2x2 block, so the whole
round trip is compares, selects and a pixel shuffle; the values are equal to torch's to the bit.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def max_pool_2x2(features: Tensor) -> tuple[Tensor, Tensor]:
    """Pool 2x2 blocks at stride 2, and return which element of each block was taken.

    At an odd height or width the last blocks are cut off (torch's `ceil_mode`).

    Args:
        features: (N, C, H, W), float.

    Returns:
        The maxima (N, C, ceil(H/2), ceil(W/2)), and the switches (N, C, 4, ceil(H/2), ceil(W/2)),
        bool: one-hot over the phases (top left, top right, bottom left, bottom right) of a block.
        Of equal elements the first is taken, as `torch.nn.MaxPool2d` does.
    """
    maxima = F.max_pool2d(features, 2, ceil_mode=True)
    features = repeat_edge_to_even(features)
    a, b, c = features[..., 0::2, 0::2], features[..., 0::2, 1::2], features[..., 1::2, 0::2]
    at_a = a == maxima
    at_b = (b == maxima) & ~at_a
    at_c = (c == maxima) & ~(at_a | at_b)
    at_d = ~(at_a | at_b | at_c)
    return maxima, torch.stack((at_a, at_b, at_c, at_d), dim=2)


def repeat_edge_to_even(features: Tensor) -> Tensor:
    """Repeat the last row and column where their number is odd.

    The copy is never the first of the equal elements in its block, so no switch points at it.
    """
    if features.shape[-2] % 2:
        features = torch.cat((features, features[..., -1:, :]), dim=-2)
    if features.shape[-1] % 2:
        features = torch.cat((features, features[..., -1:]), dim=-1)
    return features


def max_unpool_2x2(
    features: Tensor, switches: Tensor, size_hw: Sequence[int] | None = None
) -> Tensor:
    """Put each value back where its maximum was; the other three places of a block are zero.

    Args:
        features: (N, C, H, W), float.
        switches: (N, C, 4, H, W), bool, from `max_pool_2x2`.
        size_hw: The size before pooling, by default (2H, 2W).

    Returns:
        (N, C, *size_hw), equal to `torch.nn.MaxUnpool2d(2)` on torch's indices.

    Raises:
        ValueError: The switches belong to a feature map of another shape, or no map of `size_hw`
            is pooled to H x W.
    """
    n, c, h, w = features.shape
    if switches.shape[1:] != (c, 4, h, w):
        raise ValueError(
            f"expected switches of shape {(n, c, 4, h, w)} for features {(n, c, h, w)}, "
            f"got {tuple(switches.shape)}"
        )
    height, width = size_hw or (2 * h, 2 * w)
    if (-(-height // 2), -(-width // 2)) != (h, w):
        raise ValueError(f"a map of {height}x{width} is not pooled to {h}x{w}")
    blocks = torch.where(switches, features.unsqueeze(2), torch.zeros_like(features).unsqueeze(2))
    return F.pixel_shuffle(blocks.flatten(1, 2), 2)[..., :height, :width]
