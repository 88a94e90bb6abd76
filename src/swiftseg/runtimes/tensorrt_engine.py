"""TensorRT on an NVIDIA GPU; needs the `tensorrt` extra.

Written against the documented interfaces of TensorRT 10 and CUDA's Python bindings, and never run:
no machine of ours had both. The engine is built when the file is loaded, which takes minutes.
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from swiftseg.core import SwiftsegError, needs_extra
from swiftseg.runtimes.base import INPUT_NAME

with needs_extra("the tensorrt backend", "tensorrt"):
    import tensorrt as trt  # pyright: ignore[reportMissingImports] of another machine
    from cuda.bindings import runtime as cudart  # pyright: ignore

LARGEST_BATCH = 8


class TensorRtGraph:
    """A built engine; see `swiftseg.runtimes.file_backend.Graph`.

    Batches of more than `LARGEST_BATCH` frames are run in parts. Threads take turns.
    """

    def __init__(self, plan: Any, logger: Any) -> None:
        self._engine = trt.Runtime(logger).deserialize_cuda_engine(plan)
        self._context = self._engine.create_execution_context()
        self._in_use = Lock()
        names = [self._engine.get_tensor_name(i) for i in range(self._engine.num_io_tensors)]
        mode_of, output = self._engine.get_tensor_mode, trt.TensorIOMode.OUTPUT
        self._outputs = [name for name in names if mode_of(name) == output]

    @contextmanager
    def running(self, batch: np.ndarray, output: str) -> Generator[np.ndarray]:
        """Run frames uint8 (N, H, W, 3); yield the output of that name."""
        starts = range(0, len(batch), LARGEST_BATCH)
        with self._in_use:
            parts = [self._part(output, batch[i : i + LARGEST_BATCH]) for i in starts]
        yield np.concatenate(parts)

    def _part(self, output: str, batch: np.ndarray) -> np.ndarray:
        """Copy frames to the GPU, run on its default stream and copy one output back."""
        self._context.set_input_shape(INPUT_NAME, batch.shape)
        arrays = {INPUT_NAME: np.ascontiguousarray(batch)}
        for name in self._outputs:
            shape = tuple(self._context.get_tensor_shape(name))
            arrays[name] = np.empty(shape, trt.nptype(self._engine.get_tensor_dtype(name)))
        addresses = {name: _checked(cudart.cudaMalloc(a.nbytes)) for name, a in arrays.items()}
        try:
            for name, address in addresses.items():
                self._context.set_tensor_address(name, address)
            _copy(addresses[INPUT_NAME], arrays[INPUT_NAME], to_gpu=True)
            if not self._context.execute_async_v3(0):
                raise SwiftsegError("TensorRT failed to run the model")
            _copy(addresses[output], arrays[output], to_gpu=False)  # waits for the stream
        finally:
            for address in addresses.values():
                cudart.cudaFree(address)
        return arrays[output]


def load_graph(
    model: Path | bytes,
    *,
    precision: str,
    threads: int | None,
    size_hw: tuple[int, int],
    device: str = "cuda",
) -> TensorRtGraph:
    """Load a graph; see `swiftseg.runtimes.file_backend.LoadGraph`."""
    del threads, device  # of the CPU; there is one
    logger = trt.Logger(trt.Logger.ERROR)
    return TensorRtGraph(_build(model, logger, size_hw, precision), logger)


def _build(model: Path | bytes, logger: Any, size_hw: tuple[int, int], precision: str) -> Any:
    builder = trt.Builder(logger)
    network = builder.create_network()
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(model if isinstance(model, bytes) else model.read_bytes()):
        raise SwiftsegError(f"TensorRT cannot load it: {parser.get_error(0).desc()}")
    config = builder.create_builder_config()
    config.clear_flag(trt.BuilderFlag.TF32)  # of 10 bits, which is no float32
    if precision == "fp16":
        config.set_flag(trt.BuilderFlag.FP16)
    profile = builder.create_optimization_profile()
    shapes = [(count, *size_hw, 3) for count in (1, 1, LARGEST_BATCH)]  # least, best, most
    profile.set_shape(INPUT_NAME, *shapes)
    config.add_optimization_profile(profile)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise SwiftsegError("TensorRT cannot build an engine of it")
    return plan


def _copy(address: int, array: np.ndarray, *, to_gpu: bool) -> None:
    kinds = cudart.cudaMemcpyKind
    if to_gpu:
        kind = kinds.cudaMemcpyHostToDevice
        _checked(cudart.cudaMemcpy(address, array.ctypes.data, array.nbytes, kind))
    else:
        kind = kinds.cudaMemcpyDeviceToHost
        _checked(cudart.cudaMemcpy(array.ctypes.data, address, array.nbytes, kind))


def _checked(answer: tuple[Any, ...]) -> Any:
    """Return what a CUDA call gives behind its status."""
    status, *values = answer
    if status != cudart.cudaError_t.cudaSuccess:
        raise SwiftsegError(f"CUDA: {cudart.cudaGetErrorString(status)[1].decode()}")
    return values[0] if values else None
