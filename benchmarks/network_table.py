"""Counts every network's parameters and GMACs into the table that `swiftseg models` shows.

Run it after a network is added: `python benchmarks/network_table.py`. The paper's title and
citation come from the first two paragraphs of the network's module.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from swiftseg.models import NETWORKS, create_model

TABLE = Path(__file__).parents[1] / "src/swiftseg/cli/networks.json"
SIZE_HW = (360, 640)
NUM_CLASSES = 19


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
        "parameters": count_parameters(name, num_classes=NUM_CLASSES),
        "gmacs": round(count_gmacs(name, num_classes=NUM_CLASSES, size_hw=SIZE_HW), 3),
        "num_classes": NUM_CLASSES,
        "size_hw": list(SIZE_HW),
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
