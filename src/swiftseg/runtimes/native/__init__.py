"""The kernel of `upsample_argmax.c`, where the package was built with a C compiler."""

import ctypes
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from swiftseg.runtimes.bilinear import Axis

InstructionSet = Literal["plain", "avx2", "avx512"]
Strategy = Literal["cheaper", "dense", "pruned"]

LIBRARY = Path(__file__).with_name("libupsample_argmax.so")

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


def is_available() -> bool:
    """Whether this installation has the kernel."""
    return _library() is not None


def instruction_sets() -> tuple[InstructionSet, ...]:
    """Names what this machine can run, the fastest last; nothing where there is no kernel."""
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
    """Finds the class of the largest score at every pixel.

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
    library = _library()
    assert library is not None
    sets = get_args(InstructionSet)
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
        instruction_set=-1 if instruction_set is None else sets.index(instruction_set),
        strategy=get_args(Strategy).index(strategy),
    )
    status = library.swiftseg_upsample_argmax(ctypes.byref(request))
    if status == _NO_SUCH_INSTRUCTIONS:
        raise ValueError(f"this machine has no {instruction_set} instructions")
    if status == _NO_MEMORY:
        raise MemoryError("no memory for rows of scores")


def _axis(axis: Axis | None) -> _Axis:
    if axis is None:
        return _Axis()
    return _Axis(*(array.ctypes.data for array in (*axis.reads, *axis.weights)))


@cache
def _library() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(str(LIBRARY))
    except OSError:  # not built, or built for another machine
        return None
    library.swiftseg_upsample_argmax.argtypes = [ctypes.POINTER(_Request)]
    return library
