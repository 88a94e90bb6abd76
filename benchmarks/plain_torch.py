"""Networks in torch as a tutorial runs them: what the speed scripts hold our own way against."""

from typing import Any

import numpy as np
import torch
from torch import nn
from torchvision.transforms.functional import normalize, to_tensor

from swiftseg.benchmarking import torch_networks
from swiftseg.benchmarking.held_memory import peak_mb
from swiftseg.benchmarking.timing import measure_ms
from swiftseg.core import InputSpec
from swiftseg.data.images.image_file import read_image


def measure_eager(
    model: str,
    size_hw: list[int],
    num_classes: int,
    channels_last: bool,
    image: str,
    threads: int,
    seconds: float,
) -> dict[str, Any]:
    """Measures a network in torch as a tutorial runs it, from frame to labels."""
    network, spec = torch_networks.build(model, size_hw, num_classes)
    return plain_times(
        network,
        spec.input,
        image,
        channels_last=channels_last,
        threads=threads,
        seconds=seconds,
    )


def plain_times(
    network: nn.Module,
    input_spec: InputSpec,
    image: str,
    *,
    channels_last: bool,
    threads: int,
    seconds: float,
) -> dict[str, Any]:
    """Measures a network in eval mode from frame to labels; see `plain_labels`."""
    torch.set_num_threads(threads)
    if channels_last:
        network.to(memory_format=torch.channels_last)
    frame = read_image(image)

    def labels() -> np.ndarray:
        return plain_labels(network, input_spec, frame, channels_last=channels_last)

    times_ms = measure_ms(labels, seconds=seconds)
    return {"total_ms": times_ms, "stages_ms": {"network": times_ms}, "peak_mb": peak_mb()}


def plain_labels(
    network: nn.Module, input_spec: InputSpec, frame: np.ndarray, *, channels_last: bool = False
) -> np.ndarray:
    """Labels a frame uint8 (H, W, 3) as torchvision's pages do it; gives uint8 (H, W)."""
    with torch.inference_mode():
        image = normalize(to_tensor(frame), list(input_spec.mean), list(input_spec.std))[None]
        if channels_last:
            image = image.to(memory_format=torch.channels_last)
        return network(image).argmax(1)[0].to(torch.uint8).numpy()


def measure_forward(
    model: str, num_classes: int, image: str, threads: int, seconds: float
) -> dict[str, Any]:
    """Measures one frame's forward pass alone in plain torch, from tensor to logits."""
    network, _ = torch_networks.build(model, None, num_classes)
    return forward_times(network, image, threads=threads, seconds=seconds)


def forward_times(
    network: nn.Module, image: str, *, threads: int, seconds: float
) -> dict[str, Any]:
    """Measures a network that is in eval mode; see `measure_forward`."""
    torch.set_num_threads(threads)
    frame = to_tensor(read_image(image))[None]  # float32 (1, 3, H, W) in 0..1
    with torch.inference_mode():
        forward_ms = measure_ms(lambda: network(frame), seconds=seconds)
    return {"total_ms": forward_ms, "stages_ms": {"forward": forward_ms}, "peak_mb": peak_mb()}
