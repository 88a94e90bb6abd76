"""The kernels in C, where the package was built with a compiler."""

import ctypes
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from swiftseg.kernels.bilinear import Axis
from swiftseg.kernels.taps import Taps

InstructionSet = Literal["plain", "avx2", "avx512"]
Strategy = Literal["cheaper", "dense", "pruned"]

LIBRARY = Path(__file__).with_name("libswiftseg.so")

_NO_MEMORY, _NO_SUCH_INSTRUCTIONS = 1, 2


class _Axis(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in ("first", "second", "weight0", "weight1")]


class _Request(ctypes.Structure):
    """`Request` of upsample_argmax.h."""

    _fields_ = [
        ("scores", ctypes.c_void_p),
        ("strides", ctypes.c_int64 * 4),
        *((n, ctypes.c_int64) for n in ("batch", "classes", "in_h", "in_w", "out_h", "out_w")),
        ("rows", _Axis),
        ("columns", _Axis),
        ("labels", ctypes.c_void_p),
        *((n, ctypes.c_int32) for n in ("label_bytes", "threads", "instruction_set", "strategy")),
    ]


class _Taps(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("first", "count", "weights")),
        ("most", ctypes.c_int64),
    ]


class _ResizeRequest(ctypes.Structure):
    """`ResizeRequest` of resize.h."""

    _fields_ = [
        ("frame", ctypes.c_void_p),
        ("out", ctypes.c_void_p),
        *((n, ctypes.c_int64) for n in ("in_h", "in_w", "out_h", "out_w")),
        ("rows", _Taps),
        ("columns", _Taps),
        ("instruction_set", ctypes.c_int32),
    ]


def is_available() -> bool:
    """Whether this installation has the kernels."""
    return _library() is not None


def instruction_sets() -> tuple[InstructionSet, ...]:
    """Return what this machine can run, the fastest last; nothing where there are no kernels."""
    library = _library()
    known: tuple[InstructionSet, ...] = get_args(InstructionSet)
    return known[: library.swiftseg_best_instruction_set() + 1] if library else ()


def label(
    scores: np.ndarray,
    labels: np.ndarray,
    axes: tuple[Axis, Axis] | None,
    *,
    threads: int,
    instruction_set: InstructionSet | None = None,
    strategy: Strategy = "cheaper",
) -> None:
    """Find the class of the largest score at every pixel.

    Args:
        scores: float32 (N, C, h, w), in any memory order.
        labels: uint8 or uint16 (N, H, W), contiguous; written.
        axes: How rows and columns are interpolated; None where (h, w) is (H, W).
        threads: At most; they end with the call.
        instruction_set: One of `instruction_sets()`; None takes the fastest.
        strategy: Whether cells are looked at before they are evaluated.

    Raises:
        MemoryError: There is no memory for some rows of scores.
        ValueError: This machine has no such instructions.
    """
    request = _Request(
        scores=scores.ctypes.data,
        # Not by a generator, whose tuples Python would hoard, 2,000 of them.
        strides=(ctypes.c_int64 * 4)(*[step // scores.itemsize for step in scores.strides]),
        batch=scores.shape[0],
        classes=scores.shape[1],
        in_h=scores.shape[2],
        in_w=scores.shape[3],
        out_h=labels.shape[1],
        out_w=labels.shape[2],
        rows=_axis(axes and axes[0]),
        columns=_axis(axes and axes[1]),
        labels=labels.ctypes.data,
        label_bytes=labels.itemsize,
        threads=threads,
        instruction_set=_number_of(instruction_set),
        strategy=get_args(Strategy).index(strategy),
    )
    _check(_require_library().swiftseg_upsample_argmax(ctypes.byref(request)), instruction_set)


def resize(
    frame: np.ndarray,
    resized: np.ndarray,
    taps: tuple[Taps, Taps],
    *,
    instruction_set: InstructionSet | None = None,
) -> None:
    """Resize a frame along its rows and then along its columns.

    Args:
        frame: uint8 (h, w, 3), contiguous.
        resized: uint8 (H, W, 3), contiguous; written.
        taps: What rows and columns are made of.
        instruction_set: One of `instruction_sets()`; None takes the fastest.

    Raises:
        MemoryError: There is no memory for some rows of the frame.
        ValueError: This machine has no such instructions.
    """
    rows, columns = (
        _Taps(
            axis.first.ctypes.data,
            axis.count.ctypes.data,
            axis.weights.ctypes.data,
            axis.weights.shape[1],
        )
        for axis in taps
    )
    request = _ResizeRequest(
        frame=frame.ctypes.data,
        out=resized.ctypes.data,
        in_h=frame.shape[0],
        in_w=frame.shape[1],
        out_h=resized.shape[0],
        out_w=resized.shape[1],
        rows=rows,
        columns=columns,
        instruction_set=_number_of(instruction_set),
    )
    _check(_require_library().swiftseg_resize(ctypes.byref(request)), instruction_set)


def _number_of(instruction_set: InstructionSet | None) -> int:
    return -1 if instruction_set is None else get_args(InstructionSet).index(instruction_set)


def _check(status: int, instruction_set: InstructionSet | None) -> None:
    if status == _NO_SUCH_INSTRUCTIONS:
        raise ValueError(f"this machine has no {instruction_set} instructions")
    if status == _NO_MEMORY:
        raise MemoryError("no memory for some rows")


def _axis(axis: Axis | None) -> _Axis:
    if axis is None:
        return _Axis()
    return _Axis(*(array.ctypes.data for array in (*axis.reads, *axis.weights)))


def _require_library() -> ctypes.CDLL:
    library = _library()
    assert library is not None
    return library


@cache
def _library() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(str(LIBRARY))
    except OSError:  # not built, or built for another machine
        return None
    library.swiftseg_upsample_argmax.argtypes = [ctypes.POINTER(_Request)]
    library.swiftseg_resize.argtypes = [ctypes.POINTER(_ResizeRequest)]
    return library
