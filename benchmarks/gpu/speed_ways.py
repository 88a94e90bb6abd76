"""The ways in which `speed.py` runs a network, from a frame on the device to labels there."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from benchmarks.gpu.depthwise_kernel import use_kernels
from benchmarks.gpu.frame_kernel import FrameKernel
from benchmarks.gpu.inference_networks import ALIGNS_CORNERS, BEFORE_THE_HEAD, folded
from benchmarks.gpu.label_kernel import doubled_labels, phase_weights, upsample_labels
from swiftseg.core import InputSpec
from swiftseg.models.enet import ENet
from swiftseg.runtimes.torch_backend import FrameGraph

FramesToLabels = Callable[[Tensor], Tensor]
WARM_UP = 3
DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Way:
    """How a network runs.

    Attributes:
        name: As the results call it.
        dtype: Of weights and features, one of `DTYPES`.
        label_kernel: Whether normalization and labels come from Triton kernels.
        depthwise_kernel: Whether depthwise convolutions do.
        mode: Of torch.compile, or None.
        captured: Whether all of it is replayed as one CUDA graph.
    """

    name: str
    dtype: str = "f32"
    label_kernel: bool = False
    depthwise_kernel: bool = False
    mode: str | None = None
    captured: bool = True

    @property
    def is_plain(self) -> bool:
        """Whether this is torch as everyone runs it, captured or not."""
        return self.dtype == "f32" and not self.label_kernel


EAGER = Way("eager f32", captured=False)
QUICK_WAYS = (
    Way("graph f32"),
    Way("graph f16 folded", "f16"),
    Way("graph f16 folded, label kernel", "f16", label_kernel=True),
    Way("graph f16 folded, all kernels", "f16", label_kernel=True, depthwise_kernel=True),
    Way("graph bf16 folded, label kernel", "bf16", label_kernel=True),
)
COMPILED = Way("compiled f16 folded, label kernel", "f16", label_kernel=True, mode="default")
TUNED = Way(
    "tuned f16 folded, label kernel",
    "f16",
    label_kernel=True,
    mode="max-autotune-no-cudagraphs",
)


class FoldedNetwork(nn.Module):
    """A folded network in one number format, from frames to labels.

    Args:
        network: In eval mode, float32; copied.
        name: Of `BEFORE_THE_HEAD`.
        spec: The normalization.
        way: How it runs; a CPU, where all is only tried, computes in float32.
        device: Where it runs.
        contraction: How the installed torch rounds, see `label_kernel`.
    """

    def __init__(
        self,
        network: nn.Module,
        name: str,
        spec: InputSpec,
        way: Way,
        device: torch.device,
        *,
        contraction: int,
    ) -> None:
        super().__init__()
        self.way, self.contraction = way, contraction
        self.align_corners = ALIGNS_CORNERS.get(name, False)
        self.dtype = dtype = DTYPES[way.dtype] if device.type == "cuda" else torch.float32
        self.network = folded(network).to(dtype).to(memory_format=torch.channels_last)
        if way.depthwise_kernel:
            use_kernels(self.network)
        self.normalize = FrameKernel(spec, dtype)
        self.plain = FrameGraph(self.network, spec, "labels")
        self.is_enet = isinstance(network, ENet)
        if isinstance(network, ENet):
            last = network.decoder.fullconv
            self.register_buffer("weight", phase_weights(last.weight.detach()).to(dtype))
            self.register_buffer("bias", torch.as_tensor(last.bias).detach().clone())
        before = BEFORE_THE_HEAD[name]
        self.features: Callable[[Tensor], Tensor] = lambda image: before(self.network, image)
        if way.mode is not None:
            self.features = torch.compile(self.features, mode=way.mode)

    def forward(self, frames: Tensor) -> Tensor:
        """Label frames uint8 (N, H, W, 3): uint8 (N, H, W)."""
        if not self.way.label_kernel:
            image = self.plain.normalized(frames).to(self.dtype)
            return self.network(image).argmax(dim=1).to(torch.uint8)
        features = self.features(self.normalize(frames))
        if self.is_enet:
            features = features.contiguous(memory_format=torch.channels_last)
            weight, bias = cast(Tensor, self.weight), cast(Tensor, self.bias)
            return doubled_labels(features, weight, bias)
        return upsample_labels(
            features,
            (frames.shape[1], frames.shape[2]),
            align_corners=self.align_corners,
            contraction=self.contraction,
        )


def labeler(
    network: nn.Module, name: str, spec: InputSpec, way: Way, frames: Tensor, *, contraction: int
) -> FramesToLabels:
    """Make what labels frames of one shape in a way; `network` stays as it is."""
    if way.is_plain:
        graph = FrameGraph(deepcopy(network), spec, "labels").to(frames.device).eval()

        def run(given: Tensor) -> Tensor:
            return graph(given)[0]
    else:
        device = frames.device
        run = FoldedNetwork(network, name, spec, way, device, contraction=contraction).to(device)
    if way.captured and frames.device.type == "cuda":
        return Captured(run, frames)
    return run


class Captured:
    """A function of frames as one CUDA graph; the labels it gives are overwritten by the next."""

    def __init__(self, run: FramesToLabels, frames: Tensor) -> None:
        self.run = run  # a graph does not keep the weights that it reads
        self.frames = frames.clone()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                run(self.frames)
        torch.cuda.current_stream().wait_stream(stream)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.labels = run(self.frames)

    def __call__(self, frames: Tensor) -> Tensor:
        if frames is not self.frames:
            self.frames.copy_(frames)
        self.graph.replay()
        return self.labels
