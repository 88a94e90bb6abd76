"""A depthwise 3x3 convolution with bias and ReLU in Triton, channels last.

cuDNN has no fast one for this memory order, and Fast-SCNN has 14 of them. A program takes one row
of output pixels and a block of channels; nine loads, all coalesced along the channels.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor, nn


@triton.jit
def _depthwise(
    image,
    weight,
    bias,
    out,
    height,
    width,
    out_height,
    out_width,
    channels,
    stride: tl.constexpr,
    dilation: tl.constexpr,
    padding: tl.constexpr,
    relu: tl.constexpr,
    pixels: tl.constexpr,
    lanes: tl.constexpr,
):
    row_of_image = tl.program_id(0)
    n = (row_of_image // out_height).to(tl.int64)
    row = row_of_image % out_height
    column = tl.program_id(1) * pixels + tl.arange(0, pixels)
    channel = tl.program_id(2) * lanes + tl.arange(0, lanes)
    known = channel < channels
    start = tl.load(bias + channel, mask=known, other=0.0).to(tl.float32)
    total = tl.zeros([pixels, lanes], tl.float32) + start[None, :]
    for k in tl.static_range(9):
        y = row * stride - padding + (k // 3) * dilation + 0 * column
        x = column * stride - padding + (k % 3) * dilation
        inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        at = ((n * height + y) * width + x)[:, None] * channels + channel[None, :]
        value = tl.load(image + at, mask=inside[:, None] & known[None, :], other=0.0)
        w = tl.load(weight + k * channels + channel, mask=known, other=0.0)
        total += value.to(tl.float32) * w.to(tl.float32)[None, :]
    if relu:
        total = tl.maximum(total, 0.0)
    at = ((n * out_height + row) * out_width + column)[:, None] * channels + channel[None, :]
    kept = (column < out_width)[:, None] & known[None, :]
    tl.store(out + at, total.to(out.dtype.element_ty), mask=kept)


class DepthwiseKernel(nn.Module):
    """A folded depthwise `nn.Conv2d` of 3x3, and the ReLU behind it if there is one.

    `forward` maps (N, C, H, W) to (N, C, h, w), both channels last in memory.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, conv: nn.Conv2d, *, relu: bool) -> None:
        super().__init__()
        if not is_depthwise(conv):
            raise ValueError(f"expected a depthwise convolution of 3x3, got {conv}")
        self.register_buffer("weight", conv.weight.detach().reshape(-1, 9).T.contiguous())
        bias = torch.zeros_like(conv.weight[:, 0, 0, 0]) if conv.bias is None else conv.bias
        self.register_buffer("bias", bias.detach())
        self.stride, self.dilation = conv.stride[0], conv.dilation[0]
        self.padding = int(conv.padding[0])
        self.relu = relu

    def forward(self, image: Tensor) -> Tensor:
        image = image.contiguous(memory_format=torch.channels_last)
        count, channels, height, width = image.shape
        reach = 2 * self.dilation + 1
        out_height, out_width = (
            (size + 2 * self.padding - reach) // self.stride + 1 for size in (height, width)
        )
        out = torch.empty(
            (count, channels, out_height, out_width),
            dtype=image.dtype,
            device=image.device,
            memory_format=torch.channels_last,
        )
        lanes, pixels = triton.next_power_of_2(channels), 64
        if image.is_cuda:  # an interpreter's time is that of the number of programs
            lanes, pixels = min(lanes, 64), 16
        grid = count * out_height, triton.cdiv(out_width, pixels), triton.cdiv(channels, lanes)
        _depthwise[grid](
            image,
            self.weight,
            self.bias,
            out,
            height,
            width,
            out_height,
            out_width,
            channels,
            stride=self.stride,
            dilation=self.dilation,
            padding=self.padding,
            relu=self.relu,
            pixels=pixels,
            lanes=lanes,
        )
        return out


def is_depthwise(module: nn.Module) -> bool:
    """Whether a module is a depthwise convolution of 3x3 that `DepthwiseKernel` computes."""
    return (
        isinstance(module, nn.Conv2d)
        and module.groups == module.in_channels == module.out_channels
        and module.kernel_size == (3, 3)
        and module.groups > 1
        and module.stride[0] == module.stride[1]
        and module.padding[0] == module.padding[1]
        and module.dilation[0] == module.dilation[1]
    )


def use_kernels(network: nn.Module) -> int:
    """Replace depthwise convolutions in every `nn.Sequential` of a folded network, in place.

    A ReLU right behind one becomes part of it. Returns how many were replaced.
    """
    replaced = 0
    for module in list(network.modules()):
        if not isinstance(module, nn.Sequential):
            continue
        names = list(module._modules)
        for name, following in zip(names, [*names[1:], ""], strict=True):
            own = module._modules[name]
            if isinstance(own, nn.Conv2d) and is_depthwise(own):
                relu = isinstance(module._modules.get(following), nn.ReLU)
                module._modules[name] = DepthwiseKernel(own, relu=relu)
                if relu:
                    module._modules[following] = nn.Identity()
                replaced += 1
    return replaced
