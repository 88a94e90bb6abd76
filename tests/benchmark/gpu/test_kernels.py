"""The kernels of the GPU scripts, run by Triton's interpreter on the CPU."""

import platform
from collections.abc import Generator
from importlib import import_module
from itertools import product
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.support.interpreted import triton_anew

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
def labels_of() -> Generator[ModuleType]:
    with triton_anew(interpreted=True):
        yield import_module("benchmarks.gpu.label_kernel")


@pytest.fixture
def depthwise() -> Generator[ModuleType]:
    with triton_anew(interpreted=True):
        yield import_module("benchmarks.gpu.depthwise_kernel")


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
    beyond = (source - first).astype(np.float32)
    if align_corners and out_size > 1:
        beyond = rounded_sum(np.full_like(index, scale), index, -first.astype(np.float32))
    return first, np.minimum(first + 1, in_size - 1), beyond


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
    assert way == labels_of.ROUNDS_TWICE  # torch on a CPU contracts no weights
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


SIZE, FEATURES = "i32", "*fp16"
COMPILED = {
    "label_kernel._upsample_labels": {
        "scores": FEATURES, "labels": "*u8", "row_scale": "fp32", "column_scale": "fp32",
        "classes": 19, "align_corners": False, "copies_rows": False, "copies_columns": False,
        "plain": False, "once": True, "contraction": 0, "block": 256,
    },
    "label_kernel._doubled_labels": {
        "features": FEATURES, "weight": FEATURES, "bias": "*fp32", "labels": "*u8",
        "channels": 16, "classes": 19, "padded": 32, "block": 128,
    },
    "depthwise_kernel._depthwise": {
        "image": FEATURES, "weight": FEATURES, "bias": FEATURES, "out": FEATURES,
        "stride": 2, "dilation": 1, "padding": 1, "relu": True, "pixels": 16, "lanes": 64,
    },
    "frame_kernel._normalize": {
        "frames": "*u8", "scale": "*fp32", "shift": "*fp32", "out": FEATURES, "block": 1024,
    },
}  # fmt: skip


@pytest.mark.skipif(platform.machine() != "x86_64", reason="Triton brings an assembler for x86-64")
@pytest.mark.parametrize("name", COMPILED)
def test_kernels_compile_for_hopper(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """The interpreter takes more than the compiler does; that one needs no GPU."""
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    with triton_anew(interpreted=False):
        ptx = compiled(*name.split("."), COMPILED[name])
    assert ".local" not in ptx  # nothing is kept in slow memory
    if name.endswith("_upsample_labels"):  # three sums a class, two pixels a thread, four places
        assert ptx.count("fma.rn.f32") == 3 * 19 * 2 + 4


def compiled(module: str, function: str, given: dict[str, object]) -> str:
    """Compile a kernel for a GPU of compute capability 9.0; return its PTX."""
    triton = import_module("triton")
    kernel = getattr(import_module(f"benchmarks.gpu.{module}"), function)
    names = kernel.arg_names
    types = {n: given[n] if isinstance(given.get(n), str) else SIZE for n in names}
    constants = {n: value for n, value in given.items() if not isinstance(value, str)}
    source = import_module("triton.compiler").ASTSource(
        fn=kernel,
        signature=types | dict.fromkeys(constants, "constexpr"),
        constexprs={(names.index(n),): value for n, value in constants.items()},
    )
    target = import_module("triton.backends.compiler").GPUTarget("cuda", 90, 32)

    return triton.compile(source, target=target, options={"enable_fp_fusion": False}).asm["ptx"]
