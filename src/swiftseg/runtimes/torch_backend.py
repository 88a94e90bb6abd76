"""PyTorch itself as an engine: the reference for the others, and what judges a network in training.

The only file of the deployment half that imports torch; whoever hands in a network has torch.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from swiftseg.core import InputSpec, ModelSpec, OutputKind, unknown_name
from swiftseg.runtimes.array_scores import ArrayScores
from swiftseg.runtimes.base import Engine


class FrameGraph(nn.Module):
    """A network from frames to outputs: what is exported, normalization and argmax included."""

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, input_spec: InputSpec, output: OutputKind) -> None:
        super().__init__()
        self.network = network
        self.output = output
        self.shifts = any(value != 0 for value in input_spec.mean)
        self.scales = any(value != 1 for value in input_spec.std)
        self.largest = input_spec.largest
        for name, values in (("mean", input_spec.mean), ("std", input_spec.std)):
            column = torch.tensor(values, dtype=torch.float32).reshape(1, -1, 1, 1)
            self.register_buffer(name, column, persistent=False)

    def forward(self, frames: Tensor) -> tuple[Tensor, ...]:
        """Run frames uint8 (N, H, W, 3), RGB.

        Returns:
            By `output`: `labels` gives labels uint8 (N, H, W) and float32 logits (N, C, H, W),
            `logits` those alone, `probs` their softmax over the classes.
        """
        logits = self.logits(frames)
        if self.output == "labels":
            # Classes last: torch and OpenVINO find the maximum of neighbors in memory faster.
            labels = logits.permute(0, 2, 3, 1).argmax(dim=-1)  # (N, H, W), the first among equals
            return labels.to(torch.uint8), logits
        return (logits if self.output == "logits" else logits.softmax(dim=1),)

    def logits(self, frames: Tensor) -> Tensor:
        """Run frames as `forward` does and return float32 logits (N, C, H, W)."""
        return self.network(self.normalized(frames)).float()

    def normalized(self, frames: Tensor) -> Tensor:
        """Turn frames (N, H, W, bands) into the network's input, float32 (N, bands, H, W).

        The memory stays in the frames' order, which is torch's channels-last.
        """
        image = frames.permute(0, 3, 1, 2).to(torch.float32)
        if self.largest != 1:
            image = image / self.largest
        if self.shifts:
            image = image - self.mean
        return image / self.std if self.scales else image


PRECISIONS: Mapping[str, torch.dtype] = {
    "f32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}


@dataclass(frozen=True, eq=False)
class TorchScores:
    """What a network gave, still on its device; see `swiftseg.runtimes.base.ClassScores`.

    Attributes:
        device_labels: uint8 (N, H, W).
        device_logits: float32 (N, C, H, W).
    """

    device_labels: Tensor
    device_logits: Tensor

    @property
    def values(self) -> np.ndarray:
        return self.device_logits.cpu().numpy()

    def labels(self) -> np.ndarray:
        """Return torch's own labels, uint8 (N, H, W)."""
        return self.device_labels.cpu().numpy()

    def upsampled(self) -> np.ndarray:
        """Return the logits, float32 (N, C, H, W)."""
        return self.values

    def probabilities(self) -> np.ndarray:
        """Return the softmax of the logits, float32 (N, C, H, W)."""
        with torch.inference_mode():
            return self.device_logits.softmax(dim=1).cpu().numpy()

    def unsure(self, below: float, temperature: float) -> np.ndarray:
        """Find the pixels less probable than `below`, bool (N, H, W)."""
        with torch.inference_mode():
            probs = (self.device_logits / temperature).softmax(dim=1)
            return (probs.amax(dim=1) < below).cpu().numpy()

    def replaced(self, values: np.ndarray) -> ArrayScores:
        """Return scores of other logits, float32 (N, C, H, W)."""
        return ArrayScores(values, (values.shape[2], values.shape[3]))


class TorchBackend:
    """Runs a network; see `swiftseg.runtimes.base.Backend`.

    Every run switches the network to eval mode and leaves it there: trainers call `train()` again.
    Labels are found on the device, so that logits only leave it where somebody asks for them.

    Args:
        network: Maps float32 (N, 3, H, W) to logits (N, C, H, W); moved to `device` in place.
        spec: Describes it.
        device: Where it runs.
        precision: One of `PRECISIONS`; below `f32` by torch's autocast, the weights staying as
            they are.
        channels_last: Lays the weights out so, in place, which convolutions prefer in inference.
        compiled: Compile the network at its first run, on a GPU into CUDA graphs.

    Raises:
        UsageError: There is no such precision.
    """

    any_size = True

    def __init__(
        self,
        network: nn.Module,
        spec: ModelSpec,
        *,
        device: torch.device | str = "cpu",
        precision: str = "f32",
        channels_last: bool = False,
        compiled: bool = False,
    ) -> None:
        if precision not in PRECISIONS:
            raise unknown_name("precision of torch", precision, PRECISIONS)
        self.spec = spec
        self._device = torch.device(device)
        self.engine = Engine("torch", precision, str(self._device))
        self._options = {"channels_last": channels_last, "compiled": compiled}
        self._graph = FrameGraph(network, spec.input, "labels").to(self._device)
        if channels_last:
            self._graph.to(memory_format=torch.channels_last)
        self._run = self._graph
        if compiled:
            mode = "reduce-overhead" if self._device.type == "cuda" else "default"
            self._run = torch.compile(self._graph, mode=mode)

    @contextmanager
    def running(self, batch: np.ndarray) -> Generator["TorchScores"]:
        """Run frames uint8 (N, H, W, 3) of the spec's size; see `Backend`.

        Raises:
            TypeError: The frames are not uint8.
            ValueError: The frames are of another shape.
        """
        self._graph.eval()
        with torch.inference_mode(), self._autocast():
            labels, logits = self._run(self._to_device(batch))
        yield TorchScores(labels, logits)

    def at_size(self, size_hw: tuple[int, int]) -> "TorchBackend":
        """Return a backend that runs the same network on frames of another size."""
        if size_hw == self.spec.input.size_hw:
            return self
        spec = replace(self.spec, input=replace(self.spec.input, size_hw=size_hw))
        precision = self.engine.precision
        network, device = self._graph.network, self._device
        return TorchBackend(network, spec, device=device, precision=precision, **self._options)

    def _autocast(self) -> torch.autocast:
        precision = PRECISIONS[self.engine.precision]
        reduced = precision != torch.float32
        return torch.autocast(self._device.type, precision if reduced else None, reduced)

    def _to_device(self, batch: np.ndarray) -> Tensor:
        spec = self.spec.input
        if batch.dtype != spec.dtype:
            raise TypeError(f"expected {spec.described}, got {batch.dtype}")
        shape = (*spec.size_hw, spec.bands)
        if batch.shape[1:] != shape:
            raise ValueError(f"expected shape (N, {', '.join(map(str, shape))}), got {batch.shape}")
        writable = np.require(batch, requirements=("C", "W"))  # torch takes no read-only memory
        return torch.from_numpy(writable).to(self._device)
