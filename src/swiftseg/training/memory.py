"""How a training holds its memory."""

import ctypes
import sys

# From glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4


def keep_freed_memory() -> bool:
    """Make glibc keep the memory of freed tensors for the next ones.

    By default every large tensor is mapped anew and unmapped when it is freed, so that in each
    step the kernel clears all of its pages once more: on a CPU that is nearly half the time of a
    small network's step (benchmarks/training_step.py). A process holds its peak from then on.

    Returns:
        Whether it is so; other C libraries are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    # As a threshold, -1 means never to give memory back.
    return mallopt is not None and all((mallopt(M_MMAP_MAX, 0), mallopt(M_TRIM_THRESHOLD, -1)))
