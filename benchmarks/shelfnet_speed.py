"""ShelfNet's speed against a dilated ResNet with a pyramid pooling head, as PSPNet is one.

    python benchmarks/shelfnet_speed.py

The paper times 512x512 frames on a GTX 1080 Ti: ShelfNet-50 59 frames a second, ShelfNet-101 42,
PSPNet 11 and EncNet 12, both dilated to stride 8; "4 to 5 times faster" is its claim. The network
it is held against here is written below, of the same backbone and as many classes.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import plain_torch
import torch
from speed_report import Ratio
from speed_script import (
    EAGER,
    ENGINE,
    RANDOM_WEIGHTS,
    TENSOR_TO_LOGITS,
    Options,
    SizeHw,
    eager_forward,
    engine_frames,
    find,
    finish,
    measure,
    read_options,
    slower_by,
)
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import models

from swiftseg.benchmarking import torch_networks
from swiftseg.benchmarking.benchmark_report import Measurement
from swiftseg.benchmarking.graph_costs import graph_costs
from swiftseg.benchmarking.measure import Candidate, engine_candidate
from swiftseg.core import InputSpec, ModelSpec
from swiftseg.core.fresh_process import run_in_process
from swiftseg.exporting.onnx_file import write_onnx

NUM_CLASSES = 21  # PASCAL VOC's
SIZE_HW = (512, 512)
BACKBONES = {"50": models.resnet50, "101": models.resnet101}

# Frames a second at 512x512 on a GTX 1080 Ti.
SHELFNET_FPS = {"50": 59, "101": 42}
DILATED_FPS = {"PSPNet": 11, "EncNet": 12}


class DilatedPyramid(nn.Module):
    """A ResNet whose last two stages are dilated to stride 8, and a pyramid pooling head.

    Args:
        backbone: torchvision's function that builds the ResNet.
        num_classes: C.
    """

    def __init__(self, depth: str, num_classes: int) -> None:
        super().__init__()
        resnet = BACKBONES[depth](weights=None, replace_stride_with_dilation=[False, True, True])
        self.stem = nn.Sequential(resnet.conv1, resnet.bn1, resnet.relu, resnet.maxpool)
        stages = (resnet.layer1, resnet.layer2, resnet.layer3, resnet.layer4)
        self.stages = nn.Sequential(*stages)
        self.pyramid = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(bins), *conv_bn_relu(2048, 512, 1))
            for bins in (1, 2, 3, 6)
        )
        self.head = nn.Sequential(
            *conv_bn_relu(2048 + 4 * 512, 512, 3), nn.Conv2d(512, num_classes, 1)
        )

    def forward(self, image: Tensor) -> Tensor:
        features = self.stages(self.stem(image))  # (N, 2048, H/8, W/8)
        size = features.shape[-2:]
        pooled = [F.interpolate(level(features), size, mode="bilinear") for level in self.pyramid]
        logits = self.head(torch.cat((features, *pooled), dim=1))
        return F.interpolate(logits, image.shape[-2:], mode="bilinear")


def conv_bn_relu(in_channels: int, channels: int, kernel: int) -> tuple[nn.Module, ...]:
    conv = nn.Conv2d(in_channels, channels, kernel, padding=kernel // 2, bias=False)
    return conv, nn.BatchNorm2d(channels), nn.ReLU()


def build(depth: str) -> nn.Module:
    torch.manual_seed(0)
    network = DilatedPyramid(depth, NUM_CLASSES)
    torch_networks.settle(network)
    return network


def measure_dilated(depth: str, image: str, threads: int, seconds: float) -> dict[str, Any]:
    """Measures the network above in plain torch, from tensor to logits."""
    return plain_torch.forward_times(build(depth), image, threads=threads, seconds=seconds)


def export_dilated(depth: str, size_hw: list[int], out: str) -> int:
    """Writes the network above as an .onnx file; gives its number of parameters."""
    network, (height, width) = build(depth), size_hw
    classes = torch_networks.class_set(NUM_CLASSES)
    spec = ModelSpec(dilated(depth), "dilated", classes, InputSpec((height, width)))
    write_onnx(network, spec, Path(out))
    return torch_networks.parameter_count(network)


def dilated(depth: str) -> str:
    return f"dilated resnet{depth} + pyramid pooling"


def dilated_candidates(depth: str, size_hw: SizeHw, folder: Path) -> list[Candidate]:
    """The network above in plain torch and in the engine."""
    file = folder / f"dilated{depth}.onnx"
    parameters = run_in_process(export_dilated, depth=depth, size_hw=size_hw, out=str(file))
    told: dict[str, Any] = {"name": dilated(depth), "size_hw": size_hw}
    told |= {"num_classes": NUM_CLASSES, "parameters": parameters}
    told["gmacs"] = graph_costs(file).gmacs
    eager = {**told, "way": EAGER, "scope": TENSOR_TO_LOGITS}
    return [
        Candidate(measure_dilated, {"depth": depth}, eager),
        engine_candidate(file, backend=ENGINE, describes=told),
    ]


def ratios(measurements: Sequence[Measurement], options: Options) -> list[Ratio]:
    """Makes the dilated network's time over ShelfNet's, beside the paper's."""
    size_hw = options.size_hw(*SIZE_HW)
    found: list[Ratio] = []
    for depth, fps in SHELFNET_FPS.items():
        for way in (EAGER, ENGINE):
            measured = slower_by(
                find(measurements, dilated(depth), way, size_hw),
                find(measurements, f"shelfnet{depth}", way, size_hw),
            )
            for peer, peer_fps in DILATED_FPS.items():
                found.append(
                    Ratio(
                        what=f"{dilated(depth)} / ShelfNet-{depth}, {way}",
                        measured=measured,
                        published=fps / peer_fps,
                        source=f"ShelfNet / {peer}, GTX 1080 Ti: {fps} / {peer_fps} fps",
                    )
                )
    return found


def main() -> None:
    options = read_options(__doc__ or "")
    size_hw = options.size_hw(*SIZE_HW)
    with tempfile.TemporaryDirectory() as folder:
        candidates: list[Candidate] = []
        for depth in BACKBONES:
            name = f"shelfnet{depth}"
            candidates.append(eager_forward(name, size_hw, NUM_CLASSES))
            candidates.append(engine_frames(name, size_hw, NUM_CLASSES, Path(folder)))
            candidates += dilated_candidates(depth, size_hw, Path(folder))
        measurements = measure(options, candidates)
    finish(
        "ShelfNet against a dilated backbone with pyramid pooling",
        options,
        measurements=measurements,
        ratios=ratios(measurements, options),
        notes=[
            RANDOM_WEIGHTS,
            "The paper does not tell the backbones of the PSPNet and EncNet it timed.",
        ],
    )


if __name__ == "__main__":
    main()
