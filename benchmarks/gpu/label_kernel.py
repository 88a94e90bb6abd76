"""Triton kernels for a network's last steps: from coarse scores to labels in one pass.

`upsample_labels` gives the labels that torch on CUDA gives by `interpolate(scores, size,
mode="bilinear")` and `argmax(1)` in float32, without writing a score. The arithmetic is that of
torch's `upsample_bilinear2d`, in its order and in float32, whatever the scores are kept in:

- Source positions are `scale * (i + 0.5) - 0.5`, no less than 0, or `scale * i` where corners are
  aligned. Compiled for CUDA, the multiplication and the subtraction round once. Torch on a CPU
  rounds twice there, and reads an axis whose size stays at its own places: `rules="cpu"` does so.
- A value is `y0 * (x0 * a + x1 * b) + y1 * (x0 * c + x1 * d)`. Each sum of two products rounds the
  second product and then once, as the compilers contract it. Which product that is, no standard
  says: `contraction` names the four ways, `find_contraction` asks the torch that is installed.
- Of equal values the first class wins; a NaN counts as above all, the first of several.

Where both sizes stay, torch on CUDA copies: then only the classes are compared.
"""

from typing import Literal

import numpy as np
import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.nn import functional as F

Rules = Literal["cuda", "cpu"]
CONTRACTIONS = range(4)  # 1: the second product of a row is exact; 2: that of the column
BLOCK = 256
INTERPRETED_BLOCK = 1 << 14  # on a CPU it is the number of programs that costs time


@triton.jit
def _place(index, scale, size, align_corners: tl.constexpr, once: tl.constexpr):
    """Where an output element reads: two places and the weight of the second."""
    position = index.to(tl.float32)
    if align_corners:
        source = scale * position
    elif once:
        source = tl.fma(scale + tl.zeros_like(position), position + 0.5, -0.5 + 0 * position)
    else:
        source = scale * (position + 0.5)
        source = source - 0.5
    source = tl.maximum(source, 0.0)
    first = tl.minimum(source.to(tl.int32), size - 1)
    beyond = tl.minimum(tl.maximum(source - first.to(tl.float32), 0.0), 1.0)
    return first, tl.minimum(first + 1, size - 1), beyond


@triton.jit
def _mix(first_weight, first, second_weight, second, swapped: tl.constexpr):
    if swapped:
        return tl.fma(second_weight, second, first_weight * first)
    return tl.fma(first_weight, first, second_weight * second)


@triton.jit
def _upsample_labels(
    scores,
    labels,
    height,
    width,
    out_height,
    out_width,
    row_scale,
    column_scale,
    stride_n,
    stride_c,
    stride_h,
    stride_w,
    classes: tl.constexpr,
    align_corners: tl.constexpr,
    copies_rows: tl.constexpr,
    copies_columns: tl.constexpr,
    once: tl.constexpr,
    contraction: tl.constexpr,
    block: tl.constexpr,
):
    image = tl.program_id(1).to(tl.int64)
    pixel = tl.program_id(0) * block + tl.arange(0, block)
    inside = pixel < out_height * out_width
    row, column = pixel // out_width, pixel % out_width
    if copies_rows:
        top, bottom, down = row, row, 0.0 * row.to(tl.float32)
    else:
        top, bottom, down = _place(row, row_scale, height, align_corners, once)
    if copies_columns:
        left, right, along = column, column, 0.0 * column.to(tl.float32)
    else:
        left, right, along = _place(column, column_scale, width, align_corners, once)
    a = image * stride_n + top * stride_h + left * stride_w
    b = image * stride_n + top * stride_h + right * stride_w
    c = image * stride_n + bottom * stride_h + left * stride_w
    d = image * stride_n + bottom * stride_h + right * stride_w
    best = tl.zeros([block], tl.float32)
    label = tl.zeros([block], tl.int32)
    for index in tl.static_range(classes):
        shift = index * stride_c
        score = tl.load(scores + a + shift, mask=inside, other=0.0).to(tl.float32)
        if not (once and copies_rows and copies_columns):
            score_b = tl.load(scores + b + shift, mask=inside, other=0.0).to(tl.float32)
            score_c = tl.load(scores + c + shift, mask=inside, other=0.0).to(tl.float32)
            score_d = tl.load(scores + d + shift, mask=inside, other=0.0).to(tl.float32)
            upper = _mix(1.0 - along, score, along, score_b, contraction % 2 == 1)
            lower = _mix(1.0 - along, score_c, along, score_d, contraction % 2 == 1)
            score = _mix(1.0 - down, upper, down, lower, contraction >= 2)
        if index == 0:
            best = score
        else:
            better = (score > best) | ((score != score) & (best == best))
            best = tl.where(better, score, best)
            label = tl.where(better, index, label)
    tl.store(labels + image * out_height * out_width + pixel, label.to(tl.uint8), mask=inside)


def upsample_labels(
    scores: Tensor,
    size_hw: tuple[int, int],
    *,
    align_corners: bool = False,
    rules: Rules = "cuda",
    contraction: int = 0,
    out: Tensor | None = None,
) -> Tensor:
    """Return the class of the largest bilinearly interpolated score at every pixel.

    Args:
        scores: (N, C, h, w) in float32, float16 or bfloat16 and any memory order; C at most 256.
        size_hw: Of the labels.
        align_corners: As torch has it.
        rules: Whose rounding; see the module's docstring.
        contraction: One of `CONTRACTIONS`.
        out: uint8 (N, *size_hw), contiguous, to write into.

    Returns:
        uint8 (N, *size_hw).
    """
    count, classes, height, width = scores.shape
    if not 1 <= classes <= 256:
        raise ValueError(f"expected 1 to 256 classes, got {classes}")
    same = height == size_hw[0], width == size_hw[1]
    copies = same if rules == "cpu" or all(same) else (False, False)
    if out is None:
        out = torch.empty(count, *size_hw, dtype=torch.uint8, device=scores.device)
    block = BLOCK if scores.is_cuda else INTERPRETED_BLOCK
    _upsample_labels[(triton.cdiv(size_hw[0] * size_hw[1], block), count)](
        scores,
        out,
        height,
        width,
        *size_hw,
        axis_scale(height, size_hw[0], align_corners=align_corners),
        axis_scale(width, size_hw[1], align_corners=align_corners),
        *scores.stride(),
        classes=classes,
        align_corners=align_corners,
        copies_rows=copies[0],
        copies_columns=copies[1],
        once=rules == "cuda",
        contraction=contraction,
        block=block,
    )
    return out


def axis_scale(in_size: int, out_size: int, *, align_corners: bool) -> float:
    """Return torch's float32 step between source positions."""
    if align_corners:
        return float(np.float32(in_size - 1) / np.float32(out_size - 1)) if out_size > 1 else 0.0
    return float(np.float32(in_size) / np.float32(out_size))


def torch_labels(scores: Tensor, size_hw: tuple[int, int], *, align_corners: bool) -> Tensor:
    """Return the labels of torch's own operators on float32 scores, uint8 (N, *size_hw)."""
    full = F.interpolate(
        scores.float().contiguous(), size_hw, mode="bilinear", align_corners=align_corners
    )
    return full.argmax(dim=1).to(torch.uint8)


def find_contraction(device: torch.device) -> tuple[int, int]:
    """Ask the installed torch how it rounds, on scores that are all nearly equal.

    Returns:
        The way of `CONTRACTIONS` with the fewest differing labels, and how many differ.
    """
    draws = torch.Generator(device).manual_seed(0)
    noise = torch.randint(0, 4, (1, 8, 32, 32), generator=draws, device=device)
    scores = 1.0 + noise.float() * 2.0**-23  # neighbors among float32 numbers
    size_hw = 251, 263
    expected = torch_labels(scores, size_hw, align_corners=False)
    differing = [
        int((upsample_labels(scores, size_hw, contraction=way) != expected).sum())
        for way in CONTRACTIONS
    ]
    best = min(CONTRACTIONS, key=lambda way: differing[way])
    return best, differing[best]


@triton.jit
def _doubled_labels(
    features,
    weight,
    bias,
    labels,
    height,
    width,
    channels: tl.constexpr,
    classes: tl.constexpr,
    padded: tl.constexpr,
    block: tl.constexpr,
):
    """Four phases of a transposed convolution of 2x2 at stride 2, and the class of each."""
    image = tl.program_id(1).to(tl.int64)
    pixel = tl.program_id(0) * block + tl.arange(0, block)
    inside = pixel < height * width
    row, column = pixel // width, pixel % width
    channel = tl.arange(0, channels)
    index = tl.arange(0, padded)
    at = (image * height * width + pixel)[:, None] * channels + channel[None, :]
    x = tl.load(features + at, mask=inside[:, None], other=0.0)  # (block, channels)
    known = index < classes
    shift = tl.load(bias + index, mask=known, other=float("-inf"))
    for phase in tl.static_range(4):
        # Weights lie as (phase, channels, classes).
        places = phase * channels * classes + channel[:, None] * classes + index[None, :]
        w = tl.load(weight + places, mask=known[None, :], other=0.0)
        values = tl.dot(x, w, input_precision="ieee") + shift[None, :]  # (block, padded), float32
        highest = tl.max(values, axis=1)
        label = tl.min(tl.where(values == highest[:, None], index[None, :], padded), axis=1)
        out_row, out_column = 2 * row + phase // 2, 2 * column + phase % 2
        place = image * 4 * height * width + out_row * 2 * width + out_column
        tl.store(labels + place, label.to(tl.uint8), mask=inside)


def doubled_labels(features: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return the labels after a transposed convolution of 2x2 at stride 2, ENet's last layer.

    Args:
        features: (N, K, h, w), channels last in memory, float16 or float32; K a power of two, 16 at
            least. Scores without NaN.
        weight: (4, K, C) by `phase_weights`, of the same type.
        bias: float32 (C,).

    Returns:
        uint8 (N, 2h, 2w); sums are float32.
    """
    count, channels, height, width = features.shape
    if not features.is_contiguous(memory_format=torch.channels_last):
        raise ValueError("expected features in channels-last order")
    labels = torch.empty(count, 2 * height, 2 * width, dtype=torch.uint8, device=features.device)
    classes = weight.shape[-1]
    _doubled_labels[(triton.cdiv(height * width, 128), count)](
        features,
        weight,
        bias,
        labels,
        height,
        width,
        channels=channels,
        classes=classes,
        padded=max(16, triton.next_power_of_2(classes)),
        block=128,
    )
    return labels


def phase_weights(weight: Tensor) -> Tensor:
    """Reorder a transposed convolution's weights (K, C, 2, 2) to (4, K, C), row phase first."""
    return weight.permute(2, 3, 0, 1).reshape(4, *weight.shape[:2]).contiguous()
