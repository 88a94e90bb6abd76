"""Max pooling that remembers where each maximum was, and its inverse.

`torch.nn.MaxUnpool2d` scatters by flat index tensors, which ONNX Runtime and OpenVINO cannot both
execute. Here the position is a one-hot mask over the four phases of each 2x2 block, so the whole
round trip is compares, selects and a pixel shuffle; the values are equal to torch's to the bit.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def max_pool_2x2(features: Tensor) -> tuple[Tensor, Tensor]:
    """Pools 2x2 blocks at stride 2 and tells which element of each block was taken.

    Args:
        features: (N, C, H, W), float, H and W even.

    Returns:
        The maxima (N, C, H/2, W/2), and the switches (N, C, 4, H/2, W/2), bool: one-hot over the
        phases (top left, top right, bottom left, bottom right) of a block. Of equal elements the
        first is taken, as `torch.nn.MaxPool2d` does.

    Raises:
        ValueError: H or W is odd.
    """
    height, width = features.shape[-2:]
    if height % 2 or width % 2:
        raise ValueError(f"expected an even height and width, got {height}x{width}")
    a, b = features[..., 0::2, 0::2], features[..., 0::2, 1::2]
    c, d = features[..., 1::2, 0::2], features[..., 1::2, 1::2]
    maxima = F.max_pool2d(features, 2)
    at_a = a == maxima
    at_b = (b == maxima) & ~at_a
    at_c = (c == maxima) & ~(at_a | at_b)
    at_d = ~(at_a | at_b | at_c)
    return maxima, torch.stack((at_a, at_b, at_c, at_d), dim=2)


def max_unpool_2x2(features: Tensor, switches: Tensor) -> Tensor:
    """Puts each value back where its maximum was; the other three places of a block are zero.

    Args:
        features: (N, C, H, W), float.
        switches: (N, C, 4, H, W), bool, from `max_pool_2x2`.

    Returns:
        (N, C, 2H, 2W), equal to `torch.nn.MaxUnpool2d(2)` on torch's indices.

    Raises:
        ValueError: The switches belong to a feature map of another shape.
    """
    n, c, h, w = features.shape
    if switches.shape[1:] != (c, 4, h, w):
        raise ValueError(
            f"expected switches of shape {(n, c, 4, h, w)} for features {(n, c, h, w)}, "
            f"got {tuple(switches.shape)}"
        )
    blocks = torch.where(switches, features.unsqueeze(2), torch.zeros_like(features).unsqueeze(2))
    return F.pixel_shuffle(blocks.flatten(1, 2), 2)
