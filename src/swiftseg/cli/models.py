"""`swiftseg models`: the networks and the weights that come with the package."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

# Counted by benchmarks/network_table.py, since counting needs torch and this command must not.
NETWORK_TABLE = Path(__file__).with_name("networks.json")


def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List the networks that can be trained and the weights that are shipped."""
    networks = json.loads(NETWORK_TABLE.read_text(encoding="utf-8"))
    weights = _shipped_weights()
    if as_json:
        typer.echo(json.dumps({"networks": networks, "weights": weights}, indent=2))
    else:
        _print_tables(networks, weights)


def _shipped_weights() -> list[dict[str, Any]]:
    from swiftseg.runtimes import read_spec
    from swiftseg.weights import shipped_models

    weights: list[dict[str, Any]] = []
    for name, path in shipped_models().items():
        spec = read_spec(path).to_dict()
        fields = ("network", "output", "training_data", "license_note", "metrics")
        described = {field: spec[field] for field in fields}
        described |= {"classes": spec["labels"]["names"], "size_hw": spec["input"]["size_hw"]}
        weights.append({"name": name, "file": str(path), **described})
    return weights


def _print_tables(networks: list[dict[str, Any]], weights: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table("network", "parameters", "GMACs", "at", "paper", title="Networks")
    for row in networks:
        height, width = row["size_hw"]
        size = f"{height}x{width}, {row['num_classes']} classes"
        gmacs = f"{row['gmacs']:.2f}"
        table.add_row(row["name"], f"{row['parameters']:,}", gmacs, size, row["citation"])
    console.print(table)
    table = Table("weights", "network", "input", "score", "data", title="Shipped weights")
    for row in weights:
        height, width = row["size_hw"]
        scores = ", ".join(f"{name} {value:.3f}" for name, value in row["metrics"].items())
        table.add_row(
            row["name"], row["network"], f"{height}x{width}", scores, row["training_data"]
        )
    console.print(table)
