"""Cases for tests/kernels/run_cases.c, with what Pillow and exact arithmetic in numpy give."""

from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
from PIL import Image

from swiftseg.kernels.bilinear import bilinear_axis
from swiftseg.kernels.taps import Taps, bilinear_taps
from swiftseg.kernels.upsample_argmax_numpy import label_image
from tests.support.scores import SCORES, scores_of

Size = tuple[int, int]

_UPSAMPLED: tuple[tuple[Size, Size], ...] = (
    ((7, 19), (56, 152)),
    ((9, 21), (31, 67)),
    ((1, 1), (5, 9)),
    ((1, 20), (3, 77)),
    ((20, 1), (41, 2)),
    ((30, 33), (15, 16)),  # shrunk
    ((5, 18), (5, 72)),  # one side as it is
)
_RESIZED: tuple[tuple[Size, Size], ...] = (
    ((36, 48), (72, 96)),
    ((72, 96), (36, 48)),
    ((33, 47), (71, 13)),
    ((97, 41), (30, 64)),
    ((1, 1), (5, 7)),
    ((5, 7), (1, 1)),
    ((3, 700), (3, 2)),
    ((700, 3), (2, 3)),
    ((7, 5), (7, 5)),
)


def write_cases(path: Path) -> int:
    """Writes all cases; gives how many."""
    path.write_bytes(b"".join(_cases()))
    return len(_cases())


@cache
def _cases() -> list[bytes]:
    return [*_label_cases(), *_argmax_cases(), *_resize_cases()]


def _label_cases() -> Iterator[bytes]:
    for seed, (kind, (in_hw, out_hw)) in enumerate(product(SCORES, _UPSAMPLED)):
        classes = (5, 19, 2)[seed % 3]
        scores = scores_of(kind, (2, classes, *in_hw), seed)
        yield _upsampled(scores, out_hw, align_corners=seed % 2 == 1)
    for classes in (1, 256, 257, 300):
        yield _upsampled(scores_of("random", (1, classes, 5, 17), classes), (20, 70))
    channels_last = scores_of("smooth", (1, 9, 20, 12), 1).transpose(0, 3, 1, 2)
    yield _upsampled(channels_last, (36, 160))
    yield _upsampled(scores_of("random", (2, 19, 32, 64), 5), (256, 512))  # work for some threads


def _argmax_cases() -> Iterator[bytes]:
    for seed, kind in enumerate(SCORES):
        scores = scores_of(kind, (2, 7, 3, 530), seed)
        labels = scores.argmax(axis=1).astype(np.uint8)
        yield _case(scores, (3, 530), 0, b"", labels)


def _resize_cases() -> Iterator[bytes]:
    rng = np.random.default_rng(0)
    for (in_h, in_w), (out_h, out_w) in _RESIZED:
        frame = rng.integers(0, 256, (in_h, in_w, 3), dtype=np.uint8)
        across = Image.fromarray(frame).resize((out_w, in_h), Image.Resampling.BILINEAR)
        resized = np.asarray(across.resize((out_w, out_h), Image.Resampling.BILINEAR))
        plane = Image.fromarray(frame.reshape(-1)[: in_h * in_w].reshape(in_h, in_w))
        restored = np.asarray(plane.resize((out_w, out_h), Image.Resampling.NEAREST))
        rows, columns = bilinear_taps(in_h, out_h), bilinear_taps(in_w, out_w)
        sizes = in_h, in_w, out_h, out_w, rows.weights.shape[1], columns.weights.shape[1]
        parts = _bytes(np.array(sizes, np.int64), frame), _taps(rows), _taps(columns)
        yield b"R" + b"".join(parts) + _bytes(resized, restored)


def _upsampled(scores: np.ndarray, out_hw: Size, *, align_corners: bool = False) -> bytes:
    rows, columns = (
        bilinear_axis(a, b, align_corners=align_corners)
        for a, b in zip(scores.shape[2:], out_hw, strict=True)
    )
    dtype = np.uint8 if scores.shape[1] <= 256 else np.uint16
    labels = np.empty((len(scores), *out_hw), dtype)
    for image, own in zip(scores, labels, strict=True):
        label_image(image, (rows, columns), own)
    axes = _bytes(*rows.reads, *rows.weights, *columns.reads, *columns.weights)
    return _case(scores, out_hw, 2 if align_corners else 1, axes, labels)


def _case(
    scores: np.ndarray, out_hw: Size, upsampling: int, axes: bytes, labels: np.ndarray
) -> bytes:
    strides = [step // 4 for step in scores.strides]
    sizes = [*scores.shape, *out_hw, labels.itemsize, upsampling, *strides, scores.size]
    in_memory = scores.transpose(np.argsort([-step for step in scores.strides], kind="stable"))
    return b"L" + _bytes(np.array(sizes, np.int64), in_memory) + axes + _bytes(labels)


def _taps(taps: Taps) -> bytes:
    return _bytes(taps.first, taps.count, taps.weights)


def _bytes(*arrays: np.ndarray) -> bytes:
    return b"".join(array.astype(array.dtype.newbyteorder("<")).tobytes() for array in arrays)
