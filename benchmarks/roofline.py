"""The time below which no layer-by-layer float32 convolution network can come on a machine.

A convolution takes at least its multiply-adds over the peak of the vector units, and at least the
bytes it reads and writes once over the memory's bandwidth. Both limits are measured: the peak by a
loop of fused multiply-adds that never leaves the registers (a C compiler must be there), the
bandwidth by copying what no cache holds.
"""

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import prod
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from torch import Tensor, nn

from swiftseg.core import SwiftsegError
from swiftseg.models import create_model

SOURCE = """
#if defined(__AVX512F__)
typedef float vec __attribute__((vector_size(64)));
#elif defined(__AVX__)
typedef float vec __attribute__((vector_size(32)));
#else
typedef float vec __attribute__((vector_size(16)));
#endif
enum { CHAINS = 12 }; /* more than latency times units, fewer than registers */

int lanes(void) { return sizeof(vec) / sizeof(float); }
int chains(void) { return CHAINS; }

float multiply_add(long rounds, float scale, float shift) {
    vec zero = {0}, x = zero + scale, y = zero + shift, sums[CHAINS];
    for (int k = 0; k < CHAINS; k++)
        sums[k] = y + (float)k; /* all different: equal chains would be computed once */
    for (long i = 0; i < rounds; i++)
        for (int k = 0; k < CHAINS; k++)
            sums[k] = sums[k] * x + y;
    for (int k = 1; k < CHAINS; k++)
        sums[0] += sums[k];
    return sums[0][0];
}
"""
FLAGS = ("-O3", "-march=native", "-ffp-contract=fast", "-funroll-loops", "-shared", "-fPIC")
ROUNDS = 20_000_000
COPY_BYTES = 256_000_000
REPEATS = 5


def measure_limits(threads: int) -> dict[str, float]:
    """Measures this machine; gives the best of several runs.

    Returns:
        `gflops`: float32 operations, 10^9 a second; `gbytes`: read and written, 10^9 a second.

    Raises:
        SwiftsegError: There is no C compiler.
    """
    return {"gflops": _peak(threads) / 1e9, "gbytes": _bandwidth(threads) / 1e9}


def roofline_ms(
    name: str, size_hw: list[int], num_classes: int, gflops: float, gbytes: float
) -> float:
    """Adds up the least times of a network's convolutions for one frame, in float32."""
    with torch.device("meta"):
        network, image = (
            create_model(name, num_classes=num_classes).eval(),
            torch.empty(1, 3, *size_hw),
        )
    least_s: list[float] = []

    def count(conv: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        assert isinstance(conv, nn.Conv2d | nn.ConvTranspose2d)
        map_hw = inputs[0].shape[2:] if isinstance(conv, nn.ConvTranspose2d) else output.shape[2:]
        flops = 2 * prod(map_hw) * conv.weight.numel()
        moved = 4 * (inputs[0].numel() + output.numel() + conv.weight.numel())
        least_s.append(max(flops / gflops, moved / gbytes) / 1e9)

    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.register_forward_hook(count)
    network(image)
    return 1000 * sum(least_s)


def _peak(threads: int) -> float:
    compiler = shutil.which("cc")
    if compiler is None:
        raise SwiftsegError("the peak of the vector units is measured in C: install a compiler, cc")
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder) / "peak.c", Path(folder) / "peak.so"
        source.write_text(SOURCE, encoding="utf-8")
        subprocess.run([compiler, *FLAGS, str(source), "-o", str(library)], check=True)
        peak = ctypes.CDLL(str(library))
    peak.multiply_add.argtypes = (ctypes.c_long, ctypes.c_float, ctypes.c_float)
    peak.multiply_add.restype = ctypes.c_float
    flops = 2 * ROUNDS * peak.lanes() * peak.chains()
    best_s = _best_s(threads, lambda _: peak.multiply_add(ROUNDS, 0.5, 0.25))
    return threads * flops / best_s


def _bandwidth(threads: int) -> float:
    size = COPY_BYTES // threads
    pairs = [(np.ones(size, np.uint8), np.empty(size, np.uint8)) for _ in range(threads)]
    best_s = _best_s(threads, lambda index: np.copyto(pairs[index][1], pairs[index][0]))
    return 2 * COPY_BYTES / best_s


def _best_s(threads: int, work: Callable[[int], object]) -> float:
    """Times all threads' work together; neither C nor a copy of numpy's holds the interpreter."""
    times_s: list[float] = []
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(REPEATS):
            begin = perf_counter()
            list(pool.map(work, range(threads)))
            times_s.append(perf_counter() - begin)
    return min(times_s)
