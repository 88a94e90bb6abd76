"""Weights of many runs in few files, none larger than a limit, whole after every run."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from swiftseg.core.files import replacing

MIB = 1 << 20
NAMED = 200  # bytes of a tensor's header, roughly


class WeightShards:
    """Files `weights-0.safetensors` and so on in a folder, tensors named RUN/TENSOR.

    Args:
        folder: Where they go.
        file_mib: No file becomes larger.
        run_mib: A run whose weights are larger is left out.
        total_mib: All files together; a run that would not fit is left out.
    """

    def __init__(self, folder: Path, *, file_mib: float, run_mib: float, total_mib: float) -> None:
        self.folder, self.file_mib = folder, file_mib
        self.run_mib, self.total_mib = run_mib, total_mib
        self.shards: list[dict[str, Tensor]] = [{}]

    def add(self, run: str, weights: dict[str, Tensor]) -> list[str]:
        """Write a run's weights in fp16; return the files that hold them, none if it is left out.

        Statistics of batch normalization stay as they are, since a variance may exceed fp16.
        """
        tensors = {f"{run}/{name}": narrowed(name, tensor) for name, tensor in weights.items()}
        used = sum(size_mib(shard) for shard in self.shards)
        if size_mib(tensors) > self.run_mib or used + size_mib(tensors) > self.total_mib:
            return []
        touched: list[int] = []
        for name, tensor in tensors.items():
            if size_mib({**self.shards[-1], name: tensor}) > self.file_mib:
                self.shards.append({})
            self.shards[-1][name] = tensor
            touched.append(len(self.shards) - 1)
        return [self.write(index) for index in sorted(set(touched))]

    def write(self, index: int) -> str:
        name = f"weights-{index}.safetensors"
        with replacing(self.folder / name) as path:
            save_file(self.shards[index], path)
        return name


def narrowed(name: str, tensor: Tensor) -> Tensor:
    tensor = tensor.detach().cpu().contiguous()
    if not tensor.is_floating_point() or "running_" in name:
        return tensor
    return tensor.to(torch.float16)


def size_mib(tensors: dict[str, Tensor]) -> float:
    return sum(tensor.nbytes + NAMED for tensor in tensors.values()) / MIB


def read_run(folder: Path, run: str) -> dict[str, Tensor]:
    """Read a run's weights from a folder of shards, fp16 widened to float32.

    Raises:
        KeyError: No shard holds that run.
    """
    found: dict[str, Tensor] = {}
    for path in sorted(folder.glob("weights-*.safetensors")):
        for name, tensor in load_file(path).items():
            if name.startswith(f"{run}/"):
                widened = tensor.float() if tensor.dtype == torch.float16 else tensor
                found[name.removeprefix(f"{run}/")] = widened
    if not found:
        raise KeyError(json.dumps({"run": run, "folder": str(folder)}))
    return found
