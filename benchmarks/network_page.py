"""Writes docs/models.md from the table of networks and the comparison of their exported files.

python benchmarks/network_page.py
"""

import json
from math import floor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/models.md"
NETWORKS = ROOT / "src/swiftseg/core/networks.json"
PARITY = ROOT / "benchmarks/results/export_parity.json"

INTRO = """\
# Networks

<!-- Written by benchmarks/network_page.py from src/swiftseg/core/networks.json and
benchmarks/results/export_parity.json; not by hand. -->

`create_model(name, num_classes=...)` builds each of these, `swiftseg models` lists them. Parameters
are all that training changes. A GMAC is 10^9 multiply-accumulates of convolutions and matrix
products, counted from shapes; papers that give FLOPs count two for each. The fp16 size is that of
the parameters alone, at two bytes each, in MiB, which is what the papers call MB.

*Equal labels* is the share of pixels to which the exported file gives the label that torch gives,
in float32 on frames of CamVid: the lowest of ONNX Runtime and OpenVINO, at 360x480 and at the
paper's size. `benchmarks/export_parity.py` measures it; its JSON tells frames and weights. An empty
cell is not measured yet."""

NOTES = """\
Where the columns differ:

- **ENet**: the paper rounds 0.365 M up, and its 3.83 GFLOPs hold element-wise work as well, which
  ours (3.46) leave out.
- **SegNet**: the ENet paper does not tell its class count, on which both figures depend; the
  SegFast paper's count is met exactly.
- **SegFast**: the paper gives the block structure and not the widths; no natural reading of it
  gives both counts exactly, this one gives both within 0.1 %.
- **Fast-SCNN**: without the scales and shifts of batch normalization there are 1,114,115
  parameters, the paper's 1.11 M.

An empty cell is a figure that no paper gives; the setting is then one that the paper works
in."""


def cost_table(networks: list[dict[str, Any]], parity: list[dict[str, Any]]) -> str:
    """Lists every network at one class count."""
    lines = [
        "| network | parameters | fp16 MiB | GMACs at 512x1024 | equal labels | paper |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for row in networks:
        cells = [f"`{row['name']}`", f"{row['parameters']:,}", f"{row['fp16_mib']:.2f}"]
        cells += [f"{row['gmacs_512x1024']:.2f}", lowest_equality(row["name"], parity)]
        cells += [f"*{row['paper']}*, {row['citation']}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def lowest_equality(name: str, parity: list[dict[str, Any]]) -> str:
    """Return the lowest share over sizes and engines in percent, rounded down; "" without any."""
    rows = [row for row in parity if row["network"] == name]
    shares = [share for row in rows for share in row["equal_labels"].values()]
    return f"{floor(min(shares) * 1e6) / 1e4:.4f} %" if shares else ""


def paper_table(networks: list[dict[str, Any]]) -> str:
    """Lists every network as a paper counts it, the paper's figures beside ours."""
    lines = [
        "| network | as in | classes | input | parameters | paper's | GMACs | paper's | fp16 MiB "
        "| paper's |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| `{row['name']}` | {' | '.join(setting_cells(setting))} |"
        for row in networks
        for setting in row["at_paper"]
    ]
    return "\n".join(lines)


def setting_cells(setting: dict[str, Any]) -> list[str]:
    height, width = setting["size_hw"]
    published = setting["published"]
    gmacs = "" if published["gflops"] is None else f"{published['gflops'] / 2:.2f}"
    size = "" if published["fp16_mb"] is None else str(published["fp16_mb"])
    return [
        setting["source"],
        str(setting["num_classes"]),
        f"{height}x{width}",
        f"{setting['parameters']:,}",
        published["parameters"] or "",
        f"{setting['gmacs']:.2f}",
        gmacs,
        f"{setting['fp16_mib']:.2f}",
        size,
    ]


def page(networks: list[dict[str, Any]], parity: list[dict[str, Any]]) -> str:
    """Return the whole page."""
    parts = [
        INTRO,
        f"## What they cost at {networks[0]['num_classes']} classes",
        cost_table(networks, parity),
        "## Beside the papers",
        paper_table(networks),
        NOTES,
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    rows = json.loads(NETWORKS.read_text("utf-8"))
    PAGE.write_text(page(rows, json.loads(PARITY.read_text("utf-8"))["rows"]), encoding="utf-8")
    print(f"wrote {PAGE}")
