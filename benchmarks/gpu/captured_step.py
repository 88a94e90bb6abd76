"""Frames and masks to gradients: eagerly, or replayed as one CUDA graph."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from swiftseg.models import fast_scnn
from swiftseg.training.step import TrainingStep

TINY = 1e-12  # a batch of nothing but void has no loss, rather than none that is a number
WARM_UP = 3

Gradients = Callable[[Tensor, Tensor], Tensor]
Batch = Callable[[Tensor], tuple[Tensor, Tensor]]


def gradients_of(step: TrainingStep, device: torch.device, *, compiled: bool) -> Gradients:
    """Return what adds the gradients of a batch to a network's parameters and gives the loss.

    On a GPU the network computes in bf16 by autocast; the loss is float32.
    """
    forward = torch.compile(step) if compiled else step

    def gradients(frames: Tensor, masks: Tensor) -> Tensor:
        with mixed_precision(device):
            sums, normalizers, _ = forward(frames, masks)
            loss = (sums / normalizers.clamp_min(TINY)).sum()
        loss.backward()
        return loss.detach()

    return gradients


def mixed_precision(device: torch.device) -> torch.autocast:
    """Return autocast to bf16 on a GPU; a CPU, where all is only tried, keeps float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")


class CapturedGradients:
    """From the numbers of a batch's frames to gradients, as one CUDA graph.

    The gradients lie at fixed places and are overwritten by every call: they need no zeroing, and
    nobody may set them to None.

    Args:
        batch: Gives frames and masks by their numbers, int64 (N,), on the device.
        gradients: What to do with them.
        network: Whose gradients these are.
        numbers: Any, to try it with.
        draws: The generators that `batch` draws from, beside the device's own.
    """

    def __init__(
        self,
        batch: Batch,
        gradients: Gradients,
        network: nn.Module,
        numbers: Tensor,
        draws: Sequence[torch.Generator] = (),
    ) -> None:
        self.numbers = numbers.clone()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                network.zero_grad(set_to_none=True)
                gradients(*batch(self.numbers))
        torch.cuda.current_stream().wait_stream(stream)
        network.zero_grad(set_to_none=True)
        self.graph = torch.cuda.CUDAGraph()
        for generator in draws:
            self.graph.register_generator_state(generator)
        with torch.cuda.graph(self.graph):
            self.loss = gradients(*batch(self.numbers))

    def __call__(self, numbers: Tensor) -> Tensor:
        """Replay the graph on other frames; return the loss."""
        self.numbers.copy_(numbers)
        self.graph.replay()
        return self.loss


class EagerGradients:
    """The same launch by launch, for a CPU and for losses whose shapes depend on the data."""

    def __init__(self, batch: Batch, gradients: Gradients, network: nn.Module) -> None:
        self.batch, self.gradients, self.network = batch, gradients, network

    def __call__(self, numbers: Tensor) -> Tensor:
        self.network.zero_grad(set_to_none=True)
        return self.gradients(*self.batch(numbers))


@contextmanager
def pooling_on_device() -> Generator[None]:
    """Let Fast-SCNN pool by torch's own operator, which a CUDA graph can hold.

    The matrices that it multiplies with for the sake of exported files are copied from the host.
    """
    original = fast_scnn.average_pool_to
    fast_scnn.average_pool_to = F.adaptive_avg_pool2d
    try:
        yield
    finally:
        fast_scnn.average_pool_to = original


class MovingAverage:
    """Averaged weights and statistics, as `swiftseg.training` averages them, without waiting.

    The decay after n steps is (1 + n) / (10 + n) while that is the smaller one.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay, self.steps = decay, 0
        self.current = [t for t in network.state_dict().values() if t.is_floating_point()]
        self.averaged = [tensor.detach().clone() for tensor in self.current]

    @torch.no_grad()
    def update(self) -> None:
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps)) if self.steps else 0.0
        torch._foreach_lerp_(self.averaged, self.current, 1 - decay)
        self.steps += 1

    @contextmanager
    def in_place(self) -> Generator[None]:
        """Put the averages into the network for a while."""
        kept = [tensor.detach().clone() for tensor in self.current]
        self.fill(self.averaged)
        try:
            yield
        finally:
            self.fill(kept)

    @torch.no_grad()
    def fill(self, values: list[Tensor]) -> None:
        torch._foreach_copy_(self.current, values)
