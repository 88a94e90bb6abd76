"""The networks by name, with what they cost; read without torch."""

import json
from pathlib import Path
from typing import Any

# Counted by benchmarks/network_table.py, since counting needs torch.
NETWORK_TABLE = Path(__file__).with_name("networks.json")


def network_table() -> list[dict[str, Any]]:
    """Return one row a network: its `name`, paper and costs."""
    return json.loads(NETWORK_TABLE.read_text(encoding="utf-8"))


def network_names() -> list[str]:
    """Return the names that `create_model` knows."""
    return [row["name"] for row in network_table()]
