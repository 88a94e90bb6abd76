"""Networks of RGB images that take images of other bands.

The rule: each band gets the mean of the three filters of red, green and blue, times 3 over the
number of bands. What a filter answers to an image that is alike in all bands stays the same, which
is how the pretrained layers behind it know its answers.
"""

from torch import Tensor, nn

RGB = 3


def widened(weight: Tensor, in_channels: int) -> Tensor:
    """Return the filters (C, 3, kh, kw) of RGB for images of other bands, (C, bands, kh, kw)."""
    mean = weight.mean(dim=1, keepdim=True)
    return (RGB / in_channels * mean).repeat(1, in_channels, 1, 1)


def widen_input(network: nn.Module, in_channels: int) -> None:
    """Replace a network's first convolution by one for images of other bands, in place.

    Raises:
        ValueError: The network's first convolution is not one over all three bands.
    """
    name, conv = next(
        (name, module) for name, module in network.named_modules() if isinstance(module, nn.Conv2d)
    )
    if conv.in_channels != RGB or conv.groups != 1:
        raise ValueError(f"{name} takes each band by itself; this variant is for RGB")
    parent, _, own = name.rpartition(".")
    wide = nn.Conv2d(
        in_channels,
        conv.out_channels,
        (conv.kernel_size[0], conv.kernel_size[1]),
        stride=(conv.stride[0], conv.stride[1]),
        padding=conv.padding
        if isinstance(conv.padding, str)
        else (conv.padding[0], conv.padding[1]),
        bias=conv.bias is not None,
        device=conv.weight.device,
    )
    wide.weight.data = widened(conv.weight.data, in_channels).contiguous()
    if conv.bias is not None:
        wide.bias = conv.bias
    setattr(network.get_submodule(parent), own, wide)
