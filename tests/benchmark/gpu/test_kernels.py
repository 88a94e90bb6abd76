"""The kernels of the GPU scripts, run by Triton's interpreter on the CPU."""

from itertools import product
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.support.interpreted import import_interpreted

Size = tuple[int, int]

# Torch on a CPU has other roundings where the output's height and width add up to 128 at most.
SIZES: tuple[tuple[Size, Size], ...] = (
    ((9, 12), (72, 96)),  # x8
    ((13, 17), (101, 143)),  # odd, no whole factor
    ((1, 2), (64, 80)),
    ((1, 40), (3, 140)),
    ((40, 1), (131, 2)),
    ((60, 66), (30, 107)),  # shrunk and enlarged
    ((33, 18), (33, 144)),  # one side as it is
    ((65, 70), (65, 70)),
    ((2, 2), (1, 129)),
)


@pytest.fixture
def labels_of(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return import_interpreted("benchmarks.gpu.label_kernel", monkeypatch)


@pytest.fixture
def depthwise(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return import_interpreted("benchmarks.gpu.depthwise_kernel", monkeypatch)


def drawn(kind: str, size_hw: Size) -> torch.Tensor:
    draws = torch.Generator().manual_seed(0)
    scores = torch.randn(2, 4, *size_hw, generator=draws)
    if kind == "ties":
        return scores.round()
    if kind == "near ties":
        return 1 + torch.randint(0, 4, scores.shape, generator=draws).float() * 2.0**-23
    if kind == "nan":
        scores[torch.rand(scores.shape, generator=draws) < 0.02] = float("nan")
        scores[torch.rand(scores.shape, generator=draws) < 0.02] = float("inf")
    return scores


@pytest.mark.parametrize(("sizes", "align_corners"), [*product(SIZES, (False, True))])
@pytest.mark.filterwarnings("ignore:invalid value")  # the interpreter's numpy, of infinities
@pytest.mark.parametrize("kind", ["random", "ties", "near ties", "nan"])
def test_labels_are_torchs_to_the_last_pixel(
    labels_of: ModuleType, sizes: tuple[Size, Size], align_corners: bool, kind: str
):
    scores = drawn(kind, sizes[0])
    labels = labels_of.upsample_labels(scores, sizes[1], align_corners=align_corners, rules="cpu")
    expected = labels_of.torch_labels(scores, sizes[1], align_corners=align_corners)
    assert torch.equal(labels, expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_scores_of_other_types_and_orders_count_as_float32(
    labels_of: ModuleType, dtype: torch.dtype
):
    scores = drawn("random", (9, 12)).to(dtype)
    lying = scores.to(memory_format=torch.channels_last)
    labels = labels_of.upsample_labels(lying, (72, 96), rules="cpu")
    assert torch.equal(labels, labels_of.torch_labels(scores, (72, 96), align_corners=False))


def rounded_sum(first: np.ndarray, second: np.ndarray, third: np.ndarray) -> np.ndarray:
    """first * second + third, rounded once: the product of two float32 is exact in float64."""
    return (first.astype(np.float64) * second + third).astype(np.float32)


def cuda_axis(in_size: int, out_size: int, *, align_corners: bool):
    """Where CUDA's `area_pixel_compute_source_index` reads, contracted as nvcc does."""
    index = np.arange(out_size, dtype=np.float32)
    if align_corners:
        scale = np.float32(in_size - 1) / np.float32(max(out_size - 1, 1))
        source = scale * index if out_size > 1 else index * 0
    else:
        scale = np.float32(in_size) / np.float32(out_size)
        half = np.full_like(index, -0.5)
        source = np.maximum(
            rounded_sum(np.full_like(index, scale), index + np.float32(0.5), half), 0
        )
    first = source.astype(np.int32)
    return first, np.minimum(first + 1, in_size - 1), (source - first).astype(np.float32)


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("sizes", SIZES[:7])
def test_labels_are_those_of_cudas_formula(
    labels_of: ModuleType, sizes: tuple[Size, Size], align_corners: bool
):
    (height, width), (out_height, out_width) = sizes
    scores = drawn("near ties", sizes[0])
    top, bottom, down = cuda_axis(height, out_height, align_corners=align_corners)
    left, right, along = cuda_axis(width, out_width, align_corners=align_corners)
    values = scores.numpy()

    def mix(weight: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return rounded_sum(a, 1 - weight, b * weight)

    upper = mix(along, values[..., top, :][..., left], values[..., top, :][..., right])
    lower = mix(along, values[..., bottom, :][..., left], values[..., bottom, :][..., right])
    expected = mix(down[:, None], upper, lower).argmax(axis=1)

    labels = labels_of.upsample_labels(scores, sizes[1], align_corners=align_corners)

    assert torch.equal(labels, torch.from_numpy(expected).to(torch.uint8))


def test_the_installed_torchs_contraction_is_found(labels_of: ModuleType):
    way, differing = labels_of.find_contraction(torch.device("cpu"))
    assert way == 0
    assert differing < 251 * 263 / 50  # those whose source positions CUDA rounds otherwise


@pytest.mark.parametrize("classes", [11, 19, 40])
def test_doubled_labels_are_those_of_the_transposed_convolution(
    labels_of: ModuleType, classes: int
):
    torch.manual_seed(0)
    conv = nn.ConvTranspose2d(16, classes, 2, stride=2)
    features = torch.randn(2, 16, 13, 21).to(memory_format=torch.channels_last)
    weight = labels_of.phase_weights(conv.weight.detach())

    labels = labels_of.doubled_labels(features, weight, conv.bias.detach())

    assert torch.equal(labels, conv(features).argmax(dim=1).to(torch.uint8))


@pytest.mark.parametrize(("stride", "dilation", "padding"), [(1, 1, 1), (2, 1, 1), (1, 4, 4)])
@pytest.mark.parametrize("channels", [48])
def test_depthwise_convolution_is_torchs(
    depthwise: ModuleType, stride: int, dilation: int, padding: int, channels: int
):
    torch.manual_seed(0)
    conv = nn.Conv2d(channels, channels, 3, stride, padding, dilation, groups=channels)
    image = torch.randn(1, channels, 7, 19)
    for relu in (False, True):
        expected = F.relu(conv(image)) if relu else conv(image)
        computed = depthwise.DepthwiseKernel(conv, relu=relu)(image)
        torch.testing.assert_close(computed, expected)
