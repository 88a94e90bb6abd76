"""Labels are torch's to the last pixel, in every instruction set, strategy and in numpy.

The reference is torch's path for contiguous float32 scores. Torch takes another one, with other
roundings, for outputs whose height and width add up to 128 at most, for three classes and for
channels-last tensors; where that is so, what is asked for is a class within rounding of the best.
"""

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from swiftseg.kernels import native
from swiftseg.kernels.bilinear import bilinear_axis
from swiftseg.kernels.upsample_argmax import argmax, upsample_argmax
from swiftseg.kernels.upsample_argmax_numpy import fused_multiply_add, label_image
from tests.support.scores import SCORES, scores_of

Size = tuple[int, int]
Labeler = Callable[[np.ndarray, Size, bool], np.ndarray]

# Sizes (in, out), the sums of the outputs above 128.
SIZES: tuple[tuple[Size, Size], ...] = (
    ((16, 32), (128, 256)),  # x8, as Fast-SCNN and ShelfNet have it
    ((23, 30), (180, 240)),  # x8 but for half a score
    ((13, 17), (101, 143)),  # odd, no whole factor
    ((1, 1), (64, 80)),
    ((1, 40), (3, 140)),
    ((40, 1), (131, 2)),
    ((40, 50), (97, 97)),
    ((120, 133), (60, 70)),  # shrunk
    ((33, 18), (33, 144)),  # one side as it is
    ((65, 70), (65, 70)),
    ((2, 2), (1, 129)),
)


@pytest.fixture(autouse=True)
def values_near_zero_are_kept() -> None:
    """Undo what loading a first session of ONNX Runtime does to its thread: it flushes them."""
    torch.set_flush_denormal(False)


def interpolated(scores: np.ndarray, size_hw: Size, align_corners: bool) -> torch.Tensor:
    tensor = torch.from_numpy(np.ascontiguousarray(scores))
    return F.interpolate(tensor, size=size_hw, mode="bilinear", align_corners=align_corners)


def torch_labels(scores: np.ndarray, size_hw: Size, align_corners: bool) -> np.ndarray:
    if scores.shape[1] == 3:  # a fourth class, below all: torch takes its usual path
        low = np.full_like(scores[:, :1], -3e38)
        scores = np.concatenate((scores, low), axis=1)
    return interpolated(scores, size_hw, align_corners).argmax(dim=1).numpy()


def axes_of(scores: np.ndarray, size_hw: Size, align_corners: bool):
    sides = zip(scores.shape[2:], size_hw, strict=True)
    rows, columns = (bilinear_axis(a, b, align_corners=align_corners) for a, b in sides)
    return rows, columns


def empty_labels(scores: np.ndarray, size_hw: Size) -> np.ndarray:
    return np.zeros((len(scores), *size_hw), np.uint8 if scores.shape[1] <= 256 else np.uint16)


def by_numpy(strategy: native.Strategy) -> Labeler:
    def label(scores: np.ndarray, size_hw: Size, align_corners: bool) -> np.ndarray:
        labels = empty_labels(scores, size_hw)
        for image, own in zip(scores, labels, strict=True):
            axes = axes_of(scores, size_hw, align_corners)
            label_image(image, axes, own, strategy=strategy)
        return labels

    return label


def natively(
    instruction_set: native.InstructionSet, strategy: native.Strategy, threads: int
) -> Labeler:
    def label(scores: np.ndarray, size_hw: Size, align_corners: bool) -> np.ndarray:
        labels = empty_labels(scores, size_hw)
        native.label(
            scores,
            labels,
            axes_of(scores, size_hw, align_corners),
            threads=threads,
            instruction_set=instruction_set,
            strategy=strategy,
        )
        return labels

    return label


def labelers() -> dict[str, Labeler]:
    strategies: tuple[native.Strategy, ...] = ("cheaper", "dense", "pruned")
    found = {f"numpy-{strategy}": by_numpy(strategy) for strategy in strategies}
    for instructions, strategy in product(native.instruction_sets(), strategies):
        found[f"{instructions}-{strategy}"] = natively(instructions, strategy, threads=1)
    return found


LABELERS = labelers()


def assert_labels_are_torchs(scores: np.ndarray, size_hw: Size, align_corners: bool) -> None:
    expected = torch_labels(scores, size_hw, align_corners)
    for name, labeler in LABELERS.items():
        labels = labeler(scores, size_hw, align_corners)
        np.testing.assert_array_equal(labels, expected, err_msg=name)


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("kind", SCORES)
def test_every_kind_of_scores_is_labeled_as_torch_does(kind: str, align_corners: bool):
    scores = scores_of(kind, (2, 7, 16, 32), seed=0)
    assert_labels_are_torchs(scores, (128, 256), align_corners)


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize(("in_hw", "out_hw"), SIZES)
@pytest.mark.parametrize("kind", ["random", "smooth", "nearly tied", "not a number"])
def test_every_ratio_of_sizes_is_torchs(kind: str, in_hw: Size, out_hw: Size, align_corners: bool):
    scores = scores_of(kind, (1, 5, *in_hw), seed=1)
    assert_labels_are_torchs(scores, out_hw, align_corners)


@pytest.mark.parametrize("classes", [1, 2, 3, 19, 33, 256, 257, 300])
@pytest.mark.parametrize("kind", ["random", "smooth", "tied"])
def test_every_count_of_classes_is_torchs(kind: str, classes: int):
    scores = scores_of(kind, (1, classes, 9, 20), seed=2)
    assert upsample_argmax(scores, (70, 160)).dtype == (np.uint8 if classes <= 256 else np.uint16)
    assert_labels_are_torchs(scores, (70, 160), False)


@pytest.mark.parametrize("seed", range(40))
def test_whatever_comes_is_labeled_as_torch_does(seed: int):
    rng = np.random.default_rng(seed)
    classes = int(rng.choice([1, 2, 4, 6, 12, 19, 40]))
    shape = (int(rng.integers(1, 3)), classes, *(int(n) for n in rng.integers(1, 45, 2)))
    size_hw = int(rng.integers(1, 200)), int(rng.integers(128, 260))
    align_corners = bool(rng.integers(2))
    scores = scores_of(str(rng.choice(list(SCORES))), shape, seed)
    if rng.integers(2):  # channels last
        scores = np.ascontiguousarray(scores.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    assert_labels_are_torchs(scores, size_hw, align_corners)


@pytest.mark.parametrize("layout", ["contiguous", "channels last"])
def test_where_torch_rounds_otherwise_the_class_is_within_rounding_of_the_best(layout: str):
    scores = scores_of("random", (1, 19, 9, 12), seed=3)
    tensor = torch.from_numpy(scores)
    if layout == "channels last":
        tensor = tensor.contiguous(memory_format=torch.channels_last)
    values = F.interpolate(tensor, size=(60, 60), mode="bilinear").numpy()
    labels = upsample_argmax(scores, (60, 60))
    own = np.take_along_axis(values, labels[:, None].astype(np.int64), axis=1)[:, 0]
    assert (values.max(axis=1) - own).max() <= 16 * np.finfo(np.float32).eps


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("kind", SCORES)
def test_without_a_resize_it_is_torchs_argmax(kind: str, channels_last: bool):
    scores = scores_of(kind, (2, 12, 31, 600), seed=4)
    expected = torch.from_numpy(scores).argmax(dim=1).numpy()
    if channels_last:
        scores = np.ascontiguousarray(scores.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(argmax(scores), expected)
    for instruction_set in native.instruction_sets():
        labels = empty_labels(scores, (31, 600))
        native.label(scores, labels, None, threads=1, instruction_set=instruction_set)
        np.testing.assert_array_equal(labels, expected)


@pytest.mark.parametrize("strategy", ["dense", "pruned"])
def test_threads_change_nothing(strategy: native.Strategy):
    if not native.is_available():
        pytest.skip("built without a C compiler")
    scores = scores_of("random", (2, 19, 32, 64), seed=5)  # enough work for more than one
    label = natively(native.instruction_sets()[-1], strategy, threads=4)
    expected = torch_labels(scores, (256, 512), False)
    for _ in range(5):
        np.testing.assert_array_equal(label(scores, (256, 512), False), expected)


def test_a_sum_of_a_product_is_rounded_once():
    """Held against integer arithmetic, on operands whose double-precision sum rounds twice."""
    rng = np.random.default_rng(6)
    a, b = (rng.integers(2**23, 2**24, 20_000) for _ in range(2))
    shift = rng.integers(0, 40, 20_000)
    c = rng.integers(2**23, 2**24, 20_000) * rng.choice([-1, 1], 20_000)
    got = fused_multiply_add(
        a.astype(np.float32), b.astype(np.float32), np.ldexp(c.astype(np.float32), shift)
    )
    exact = [
        int(x) * int(y) + (int(z) << int(s)) for x, y, z, s in zip(a, b, c, shift, strict=True)
    ]
    assert [int(value) for value in got] == [rounded(total) for total in exact]


def rounded(number: int) -> int:
    """The nearest integer of 24 significant bits, the even one of two."""
    excess = max(0, abs(number).bit_length() - 24)
    quotient, rest = divmod(abs(number), 1 << excess)
    half = (1 << excess) >> 1
    up = excess > 0 and (rest > half or (rest == half and quotient % 2 == 1))
    return ((quotient + up) << excess) * (1 if number >= 0 else -1)
