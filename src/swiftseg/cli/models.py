"""`swiftseg models`: the networks and the weights that come with the package."""

import json
from typing import TYPE_CHECKING, Any

import typer

from swiftseg.cli.options import JsonOption
from swiftseg.cli.plain_output import new_table, terminal
from swiftseg.core.networks import network_table

if TYPE_CHECKING:
    from rich.table import Table

WIDE_TERMINAL = 120  # columns; narrower ones get the first numbers alone


def models(
    as_json: JsonOption = False,
) -> None:
    """List the networks to train and the weights that are shipped."""
    networks = network_table()
    weights = _shipped_weights()
    if as_json:
        typer.echo(json.dumps({"networks": networks, "weights": weights}, indent=2))
        return
    console = terminal()
    console.print(_network_table(networks, wide=console.width >= WIDE_TERMINAL))
    table = new_table("weights", "network", "input", "score", "data", title="Shipped weights")
    for row in weights:
        size = "{}x{}".format(*row["size_hw"])
        scores = ", ".join(f"{name} {value:.3f}" for name, value in row["metrics"].items())
        table.add_row(row["name"], row["network"], size, scores, row["training_data"])
    console.print(table)


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


def _network_table(networks: list[dict[str, Any]], *, wide: bool) -> "Table":
    """List costs at one class count and, where there is room, at each paper's own setting."""
    numbers = ["parameters", "fp16\nMiB", "GMACs at\n512x1024"]
    if wide:
        numbers += ["GMACs at\nthe paper's", "size and\nclasses", "the paper's\nparameters"]
    title = f"Networks, at {networks[0]['num_classes']} classes"
    table = new_table("network", *numbers, "paper", numbers=numbers, title=title)
    for column in table.columns[:-1]:
        column.no_wrap = True
    for row in networks:
        costs = [f"{row['parameters']:,}", f"{row['fp16_mib']:.1f}", f"{row['gmacs_512x1024']:.2f}"]
        table.add_row(row["name"], *costs, *(_at_paper(row) if wide else []), row["citation"])
    return table


def _at_paper(row: dict[str, Any]) -> list[str]:
    setting = row["at_paper"][0]
    height, width = setting["size_hw"]
    size = f"{height}x{width}, {setting['num_classes']}"
    return [f"{setting['gmacs']:.2f}", size, setting["published"]["parameters"] or ""]
