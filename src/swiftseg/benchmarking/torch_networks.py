"""Networks and checkpoints for the benchmark; needs torch, and runs in processes of its own.

The functions take and give plain values, see `swiftseg.core.fresh_process`.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.transforms.functional import to_tensor

from swiftseg.benchmarking.engine import frame_times
from swiftseg.benchmarking.held_memory import peak_mb
from swiftseg.benchmarking.timing import repeat
from swiftseg.core import InputSpec, LabelSet, ModelSpec
from swiftseg.core.networks import network_names
from swiftseg.data.images.image_file import read_image
from swiftseg.data.published.cityscapes import CITYSCAPES_LABELS
from swiftseg.data.toy_street import ToyStreet
from swiftseg.exporting.onnx_file import write_onnx
from swiftseg.inference import Segmenter
from swiftseg.inference.found_model import find_weights
from swiftseg.models import create_model
from swiftseg.runtimes.torch_backend import TorchBackend
from swiftseg.trained import load_trained, torch_device

RANDOM = "random"

NETWORK_INPUT = InputSpec((360, 640))  # where nothing tells another size

_SETTLING_HW = (128, 256)


def export(
    model: str, size_hw: list[int] | None, num_classes: int, output: str, out: str
) -> dict[str, Any]:
    """Write the .onnx file of weights, or of a network's name with random ones; see `build`.

    Returns:
        `name`, `weights`, `size_hw`, `num_classes` and `parameters`, as in a `Measurement`.
    """
    network, spec = build(model, size_hw, num_classes)
    write_onnx(network, replace(spec, output=output), Path(out))
    return _description(network, spec)


def describe(model: str, size_hw: list[int] | None, num_classes: int) -> dict[str, Any]:
    """Return what `export` gives, without a file."""
    return _description(*build(model, size_hw, num_classes))


def measure_torch(
    model: str,
    size_hw: list[int] | None,
    num_classes: int,
    options: dict[str, Any],
    image: str,
    threads: int,
    seconds: float,
    started_ns: int,
) -> dict[str, Any]:
    """Measure our torch backend as `measure_frames` does; `options` are those of `TorchBackend`.

    It runs on the machine's accelerator, where it has one.
    """
    torch.set_num_threads(threads)
    network, spec = build(model, size_hw, num_classes)
    segmenter = Segmenter(TorchBackend(network, spec, device=torch_device(), **options))
    return frame_times(segmenter, image, seconds=seconds, started_ns=started_ns)


def measure_training(
    model: str, num_classes: int, image: str, threads: int, seconds: float
) -> dict[str, Any]:
    """Measure one frame's forward pass with gradients, and the backward pass of cross entropy.

    Normalization keeps to its running averages and dropout is off: a single frame has no statistics
    where a network pools it to one pixel.

    Returns:
        `total_ms`, their sum; `stages_ms`: `forward` and `backward`; `peak_mb`.
    """
    torch.set_num_threads(threads)
    frame = to_tensor(read_image(image))[None]  # float32 (1, 3, H, W) in 0..1
    network, spec = build(model, None, num_classes)
    classes = len(spec.labels)
    target = torch.randint(classes, frame.shape[-2:], generator=torch.Generator().manual_seed(0))

    def step() -> tuple[float, float]:
        network.zero_grad(set_to_none=True)
        losses: list[Tensor] = []
        forward = _once_ms(lambda: losses.append(F.cross_entropy(network(frame), target[None])))
        return forward, _once_ms(losses[0].backward)

    steps = repeat(step, seconds=seconds)
    stages = {"forward": [step[0] for step in steps], "backward": [step[1] for step in steps]}
    return {"total_ms": [sum(step) for step in steps], "stages_ms": stages, "peak_mb": peak_mb()}


def build(model: str, size_hw: list[int] | None, num_classes: int) -> tuple[nn.Module, ModelSpec]:
    """Return a network in eval mode, and its description.

    Random weights come from a fixed seed. Their normalization has seen street scenes, so that maps
    neither vanish into denormal numbers, which are slow, nor overflow.

    Args:
        model: A checkpoint, the name of shipped weights, or that of a network.
        size_hw: The input size; None takes the weights' own.
        num_classes: Of a network's name.

    Raises:
        SwiftsegError: There is no such network, or the checkpoint cannot be read.
    """
    network, spec = _found(model, num_classes)
    height, width = size_hw or spec.input.size_hw
    return network.eval(), replace(spec, input=replace(spec.input, size_hw=(height, width)))


def _found(model: str, num_classes: int) -> tuple[nn.Module, ModelSpec]:
    if model not in network_names():
        return load_trained(find_weights(model))
    torch.manual_seed(0)
    network = create_model(model, num_classes=num_classes)
    settle(network)
    classes = class_set(num_classes)
    return network, ModelSpec(model, model, classes, NETWORK_INPUT, training_data=RANDOM)


def settle(network: nn.Module) -> None:
    """Take normalization's averages from two street scenes; leave the network in eval mode."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0  # the averages are those of the next batch
    scenes = np.stack([sample.image for sample in ToyStreet("test", 2, _SETTLING_HW)])
    with torch.no_grad():
        network.train()(torch.from_numpy(scenes).permute(0, 3, 1, 2) / 255)
    for norm, momentum in zip(norms, before, strict=True):
        norm.momentum = momentum
    network.eval()


def class_set(num_classes: int) -> LabelSet:
    """Return Cityscapes' 19 classes, or as many numbered ones in shades of gray."""
    if num_classes == len(CITYSCAPES_LABELS):
        return CITYSCAPES_LABELS
    names = tuple(f"class_{index}" for index in range(num_classes))
    return LabelSet(names, tuple((index, index, index) for index in range(num_classes)))


def parameter_count(network: nn.Module) -> int:
    """Return how many values training changes."""
    return sum(parameter.numel() for parameter in network.parameters())


def _description(network: nn.Module, spec: ModelSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "weights": spec.training_data or "trained",
        "size_hw": spec.input.size_hw,
        "num_classes": len(spec.labels),
        "parameters": parameter_count(network),
    }


def _once_ms(call: Callable[[], object]) -> float:
    begin = perf_counter()
    call()
    return 1000 * (perf_counter() - begin)
