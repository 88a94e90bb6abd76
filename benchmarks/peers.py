"""Our networks beside those a user can install today, from frame to labels at 512x1024.

    python benchmarks/peers.py

Peers: LR-ASPP of torchvision, and three decoders of segmentation_models.pytorch on MobileNetV2. The
latter is MIT-licensed and no dependency of ours; its rows are left out unless it is there:

    pip install segmentation-models-pytorch

Every network has 19 classes and random weights, and runs three ways: in torch as a tutorial does
it, the same in channels-last memory, and exported by `swiftseg.exporting` in ONNX Runtime.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import plain_torch
import torch
from speed_report import Ratio
from speed_script import (
    EAGER,
    ENGINE,
    Options,
    SizeHw,
    eager_frames,
    engine_frames,
    find,
    finish,
    measure,
    read_options,
    slower_by,
)
from torch import Tensor, nn
from torchvision.models.segmentation import lraspp_mobilenet_v3_large

from swiftseg.benchmarking import torch_networks
from swiftseg.benchmarking.benchmark_report import Measurement
from swiftseg.benchmarking.graph_costs import graph_costs
from swiftseg.benchmarking.measure import FRAME_TO_LABELS, Candidate, engine_candidate
from swiftseg.core import InputSpec, ModelSpec
from swiftseg.core.fresh_process import run_in_process
from swiftseg.exporting.onnx_file import write_onnx

NUM_CLASSES = 19
SIZE_HW = (512, 1024)
OURS = ("fast_scnn", "segfast", "enet", "shelfnet18_lw")
CHANNELS_LAST = f"{EAGER}, channels last"
# How its weights, had it any, would want frames.
IMAGENET_INPUT = InputSpec(SIZE_HW, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
SMP = "segmentation_models_pytorch"


class LRASPP(nn.Module):
    """torchvision's LR-ASPP on MobileNetV3, its dict of outputs taken apart."""

    def __init__(self) -> None:
        super().__init__()
        self.network = lraspp_mobilenet_v3_large(
            weights=None, weights_backbone=None, num_classes=NUM_CLASSES
        )

    def forward(self, image: Tensor) -> Tensor:
        return self.network(image)["out"]


def smp(decoder: str) -> Callable[[], nn.Module]:
    """Return what builds a network of segmentation_models.pytorch by its class's name."""

    def build() -> nn.Module:
        import segmentation_models_pytorch  # pyright: ignore[reportMissingImports]

        network = getattr(segmentation_models_pytorch, decoder)
        return network("mobilenet_v2", encoder_weights=None, classes=NUM_CLASSES)

    return build


PEERS: Mapping[str, Callable[[], nn.Module]] = {
    "torchvision LR-ASPP": LRASPP,
    "smp Unet": smp("Unet"),
    "smp FPN": smp("FPN"),
    "smp DeepLabV3Plus": smp("DeepLabV3Plus"),
}


def installed_peers() -> list[str]:
    """Lists the peers whose package is there."""
    return [name for name in PEERS if not name.startswith("smp") or find_spec(SMP)]


def build_peer(peer: str) -> nn.Module:
    """Builds a peer with random weights, in eval mode."""
    torch.manual_seed(0)
    network = PEERS[peer]()
    torch_networks.settle(network)
    return network


def measure_peer(
    peer: str, channels_last: bool, image: str, threads: int, seconds: float
) -> dict[str, Any]:
    """Measures a peer in torch, from frame to labels."""
    return plain_torch.plain_times(
        build_peer(peer),
        IMAGENET_INPUT,
        image,
        channels_last=channels_last,
        threads=threads,
        seconds=seconds,
    )


def export_peer(peer: str, size_hw: list[int], out: str) -> int:
    """Writes a peer as an .onnx file; gives its number of parameters."""
    network, (height, width) = build_peer(peer), size_hw
    classes = torch_networks.class_set(NUM_CLASSES)
    input_spec = replace(IMAGENET_INPUT, size_hw=(height, width))
    write_onnx(network, ModelSpec(peer, peer, classes, input_spec), Path(out))
    return torch_networks.parameter_count(network)


def peer_candidates(peer: str, size_hw: SizeHw, folder: Path) -> list[Candidate]:
    """A peer in its three ways."""
    file = folder / f"{peer.replace(' ', '-')}.onnx"
    parameters = run_in_process(export_peer, peer=peer, size_hw=size_hw, out=str(file))
    told: dict[str, Any] = {"name": peer, "size_hw": size_hw, "num_classes": NUM_CLASSES}
    told |= {"parameters": parameters, "gmacs": graph_costs(file).gmacs}
    torch_ways = ((EAGER, False), (CHANNELS_LAST, True))
    in_torch = [
        Candidate(
            measure_peer,
            {"peer": peer, "channels_last": channels_last},
            {**told, "way": way, "scope": FRAME_TO_LABELS},
        )
        for way, channels_last in torch_ways
    ]
    return [*in_torch, engine_candidate(file, backend=ENGINE, describes=told)]


def our_candidates(name: str, size_hw: SizeHw, folder: Path) -> list[Candidate]:
    """One of our networks in the same three ways."""
    return [
        eager_frames(name, size_hw, NUM_CLASSES),
        eager_frames(name, size_hw, NUM_CLASSES, channels_last=True),
        engine_frames(name, size_hw, NUM_CLASSES, folder),
    ]


def ratios(measurements: Sequence[Measurement], size_hw: SizeHw) -> list[Ratio]:
    """Makes each network's time in torch over that in ONNX Runtime; no paper has such a figure."""
    names = dict.fromkeys(measurement.name for measurement in measurements)
    return [
        Ratio(
            what=f"{name}: {way} / {ENGINE}",
            measured=slower_by(
                find(measurements, name, way, size_hw), find(measurements, name, ENGINE, size_hw)
            ),
        )
        for name in names
        for way in (EAGER, CHANNELS_LAST)
    ]


def notes(peers: Sequence[str], options: Options) -> list[str]:
    """Tells what the table leaves out."""
    told = ["Random weights: nothing here says how well a network labels."]
    if missing := [name for name in PEERS if name not in peers]:
        told.append(f"Not installed, and so left out: {', '.join(missing)}.")
    if options.shrink > 1:
        told.append(f"Sizes divided by {options.shrink}.")
    return told


def main() -> None:
    options = read_options(__doc__ or "", seconds=1.5)
    size_hw, peers = options.size_hw(*SIZE_HW), installed_peers()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        candidates = [c for own in OURS for c in our_candidates(own, size_hw, folder)]
        candidates += [c for peer in peers for c in peer_candidates(peer, size_hw, folder)]
        measurements = measure(options, candidates)
    finish(
        "Our networks beside their peers",
        options,
        measurements=measurements,
        ratios=ratios(measurements, size_hw),
        notes=notes(peers, options),
    )


if __name__ == "__main__":
    main()
