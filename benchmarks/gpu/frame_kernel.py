"""A Triton kernel from frames to a network's input: bytes to normalized half floats in one pass."""

import torch
import triton
import triton.language as tl
from torch import Tensor, nn

from swiftseg.core import InputSpec

BLOCK = 1024
INTERPRETED_BLOCK = 1 << 14


@triton.jit
def _normalize(frames, scale, shift, out, count, block: tl.constexpr):
    at = tl.program_id(0).to(tl.int64) * block + tl.arange(0, block)
    inside = at < count
    channel = at % 3
    value = tl.load(frames + at, mask=inside, other=0).to(tl.float32)
    factor = tl.load(scale + channel, mask=inside, other=0.0)
    value = value * factor + tl.load(shift + channel, mask=inside, other=0.0)
    tl.store(out + at, value.to(out.dtype.element_ty), mask=inside)


class FrameKernel(nn.Module):
    """Normalization: frames uint8 (N, H, W, 3) to (N, 3, H, W), channels last in memory."""

    scale: Tensor
    shift: Tensor

    def __init__(self, spec: InputSpec, dtype: torch.dtype) -> None:
        super().__init__()
        mean, std = torch.tensor(spec.mean), torch.tensor(spec.std)
        self.register_buffer("scale", 1 / (255 * std))
        self.register_buffer("shift", -mean / std)
        self.dtype = dtype

    def forward(self, frames: Tensor) -> Tensor:
        out = torch.empty_like(frames, dtype=self.dtype)
        block = BLOCK if frames.is_cuda else INTERPRETED_BLOCK
        _normalize[(triton.cdiv(frames.numel(), block),)](
            frames, self.scale, self.shift, out, frames.numel(), block=block
        )
        return out.permute(0, 3, 1, 2)
