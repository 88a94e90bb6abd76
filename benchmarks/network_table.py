"""Counts every network's parameters and GMACs into the table that `swiftseg models` shows.

Run it after a network is added: `python benchmarks/network_table.py`, then
`python benchmarks/network_page.py`. The paper's title and citation come from the first two
paragraphs of the network's module.
"""

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from swiftseg.models import NETWORKS, create_model

TABLE = Path(__file__).parents[1] / "src/swiftseg/core/networks.json"
SIZE_HW = (360, 640)
LARGE_HW = (512, 1024)
NUM_CLASSES = 19


@dataclass(frozen=True)
class PaperSetting:
    """Where a paper counts a network, and what it found, as it prints it.

    Attributes:
        source: The paper that counts, or whose setting this is where nobody printed a count.
        num_classes: The class count there.
        size_hw: The input there.
        parameters: Such as "0.37 M".
        gflops: Twice the multiply-accumulates, in 10^9.
        fp16_mb: The parameters' size in half precision.
    """

    source: str
    num_classes: int
    size_hw: tuple[int, int]
    parameters: str | None = None
    gflops: float | None = None
    fp16_mb: float | None = None


# The ENet paper does not tell its class count: Cityscapes' 19 and void.
PAPER_SETTINGS = {
    "enet": [PaperSetting("ENet", 20, (360, 640), "0.37 M", 3.83, 0.7)],
    "enet_encoder": [PaperSetting("ENet", 20, (360, 640))],
    "segnet": [
        PaperSetting("ENet", 20, (360, 640), "29.46 M", 286.03, 56.2),
        PaperSetting("SegFast", 22, (224, 224), "29,455,702"),
    ],
    "segnet_basic": [PaperSetting("SegNet", 11, (360, 480))],
    "bayesian_segnet": [PaperSetting("Bayesian SegNet", 11, (360, 480))],
    "bayesian_segnet_basic": [PaperSetting("Bayesian SegNet", 11, (360, 480))],
    "fcn8s": [PaperSetting("SegFast", 22, (224, 224), "134,507,010")],
    "segfast": [PaperSetting("SegFast", 22, (224, 224), "603,288")],
    "segfast_basic": [PaperSetting("SegFast", 22, (224, 224), "2,965,976")],
    "shelfnet50": [PaperSetting("ShelfNet", 21, (512, 512))],
    "shelfnet101": [PaperSetting("ShelfNet", 21, (512, 512))],
    "shelfnet18_lw": [PaperSetting("ShelfNet", 19, (1024, 2048))],
    "shelfnet34_lw": [PaperSetting("ShelfNet", 19, (1024, 2048))],
    "fast_scnn": [PaperSetting("Fast-SCNN", 19, (1024, 2048), "1.11 M")],
}


def network_table() -> list[dict[str, Any]]:
    """Describes every network that `create_model` knows, in its order."""
    return [_describe(name) for name in NETWORKS]


def count_gmacs(name: str, *, num_classes: int, size_hw: tuple[int, int]) -> float:
    """Counts the multiply-accumulates of convolutions and matrix products a frame, in 10^9."""
    with torch.device("meta"):  # shapes alone: nothing is computed
        network = create_model(name, num_classes=num_classes).eval()
        image = torch.empty(1, 3, *size_hw)
    with FlopCounterMode(display=False) as counter:
        network(image)
    return counter.get_total_flops() / 2 / 1e9


def count_parameters(name: str, *, num_classes: int) -> int:
    """Counts the trained values."""
    with torch.device("meta"):
        network = create_model(name, num_classes=num_classes)
    return sum(parameter.numel() for parameter in network.parameters())


def _describe(name: str) -> dict[str, Any]:
    title, citation = _paper(sys.modules[NETWORKS[name].__module__].__doc__ or "")
    return {
        "name": name,
        "paper": title,
        "citation": citation,
        **_counts(name, NUM_CLASSES, SIZE_HW),
        "gmacs_512x1024": round(count_gmacs(name, num_classes=NUM_CLASSES, size_hw=LARGE_HW), 3),
        "at_paper": [_beside(name, setting) for setting in PAPER_SETTINGS[name]],
    }


def _counts(name: str, num_classes: int, size_hw: tuple[int, int]) -> dict[str, Any]:
    parameters = count_parameters(name, num_classes=num_classes)
    return {
        "parameters": parameters,
        "fp16_mib": round(2 * parameters / 2**20, 2),
        "gmacs": round(count_gmacs(name, num_classes=num_classes, size_hw=size_hw), 3),
        "num_classes": num_classes,
        "size_hw": list(size_hw),
    }


def _beside(name: str, setting: PaperSetting) -> dict[str, Any]:
    """Counts a network where a paper does, and gives the paper's figures with ours."""
    return {
        "source": setting.source,
        **_counts(name, setting.num_classes, setting.size_hw),
        "published": {
            "parameters": setting.parameters,
            "gflops": setting.gflops,
            "fp16_mb": setting.fp16_mb,
        },
    }


def _paper(docstring: str) -> tuple[str, str]:
    """Takes the title, and the citation up to its year."""
    title, second = (" ".join(part.split()) for part in docstring.split("\n\n")[:2])
    citation = re.match(r".+?(?<!arXiv:)\b(?:19|20)\d\d\b", second)
    if citation is None:
        raise ValueError(f"expected a citation up to its year, got {second!r}")
    return title.rstrip("."), citation[0]


if __name__ == "__main__":
    TABLE.write_text(json.dumps(network_table(), indent=2) + "\n")
    print(f"wrote {TABLE}")
