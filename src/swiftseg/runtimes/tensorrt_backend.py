"""TensorRT on an NVIDIA GPU; needs the `tensorrt` extra.

Written against the documented interfaces of TensorRT 10 and CUDA's Python bindings, and never run:
no machine of ours had both. The engine is built when the file is loaded, which takes minutes.
"""

from pathlib import Path
from typing import Any

import numpy as np

from swiftseg.core import MissingExtraError, SwiftsegError
from swiftseg.kernels.upsample_argmax import argmax
from swiftseg.runtimes.base import INPUT_NAME, check_contract, no_logits
from swiftseg.runtimes.model_file import read_spec

try:
    import tensorrt as trt  # pyright: ignore[reportMissingImports] of another machine
    from cuda.bindings import runtime as cudart  # pyright: ignore
except ModuleNotFoundError as error:
    raise MissingExtraError("the tensorrt backend", "tensorrt") from error

LARGEST_BATCH = 8


class TensorRtBackend:
    """Runs an exported .onnx file; see `swiftseg.runtimes.base.Backend`.

    Batches of more than `LARGEST_BATCH` frames are run in parts.

    Args:
        path: The file.
        precision: `f32` or `fp16`.

    Raises:
        SwiftsegError: The file is missing, damaged or none that swiftseg has exported, TensorRT
            cannot build it, or there is no GPU.
    """

    name = "tensorrt"

    def __init__(self, path: Path, *, precision: str = "f32") -> None:
        self.spec = read_spec(path)
        self._path = path
        logger = trt.Logger(trt.Logger.ERROR)
        plan = _build(path, logger, self.spec.input.size_hw, precision)
        self._engine = trt.Runtime(logger).deserialize_cuda_engine(plan)
        self._context = self._engine.create_execution_context()
        names = [self._engine.get_tensor_name(i) for i in range(self._engine.num_io_tensors)]
        inputs = [name for name in names if self._mode(name) == trt.TensorIOMode.INPUT]
        self._outputs = [name for name in names if name not in inputs]
        check_contract(path, inputs, self._outputs, self.spec)

    def run(self, batch: np.ndarray) -> np.ndarray:
        return self._run(self._outputs[0], batch)

    def run_logits(self, batch: np.ndarray) -> np.ndarray:
        if "logits" not in self._outputs:
            raise no_logits(self._path)
        return self._run("logits", batch)

    def run_scores(self, batch: np.ndarray) -> np.ndarray:
        return self.run_logits(batch)

    def scores_to_labels(self, scores: np.ndarray) -> np.ndarray:
        return argmax(scores)

    def _run(self, output: str, batch: np.ndarray) -> np.ndarray:
        starts = range(0, len(batch), LARGEST_BATCH)
        return np.concatenate([self._part(output, batch[i : i + LARGEST_BATCH]) for i in starts])

    def _part(self, output: str, batch: np.ndarray) -> np.ndarray:
        """Copies frames to the GPU, runs on its default stream and copies one output back."""
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
                raise SwiftsegError(f"{self._path}: TensorRT failed to run it")
            _copy(addresses[output], arrays[output], to_gpu=False)  # waits for the stream
        finally:
            for address in addresses.values():
                cudart.cudaFree(address)
        return arrays[output]

    def _mode(self, name: str) -> Any:
        return self._engine.get_tensor_mode(name)


def _build(path: Path, logger: Any, size_hw: tuple[int, int], precision: str) -> Any:
    builder = trt.Builder(logger)
    network = builder.create_network()
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(str(path)):
        raise SwiftsegError(f"{path}: TensorRT cannot load it: {parser.get_error(0).desc()}")
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
        raise SwiftsegError(f"{path}: TensorRT cannot build an engine of it")
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
    """Gives what a CUDA call returns behind its status."""
    status, *values = answer
    if status != cudart.cudaError_t.cudaSuccess:
        raise SwiftsegError(f"CUDA: {cudart.cudaGetErrorString(status)[1].decode()}")
    return values[0] if values else None
