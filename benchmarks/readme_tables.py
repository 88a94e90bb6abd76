"""Writes the tables of the README from committed JSON, between their markers.

    python benchmarks/readme_tables.py

The frames a second are those of

    swiftseg benchmark MODEL... --size 360x480 --json benchmarks/results/shipped_speed.json
"""

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
SCORES = ROOT / "benchmarks/results/scores"
NETWORKS = ROOT / "src/swiftseg/core/networks.json"
GOALS = ROOT / "benchmarks/results/goals.json"
SHIPPED_SPEED = ROOT / "benchmarks/results/shipped_speed.json"

# ENet's row of the CamVid table in its paper (arXiv:1606.02147): 233 test frames of 480x360.
PAPER = "| ENet, its paper | CamVid test | 233 | 51.3 | 68.3 | not given | |"


def scores_table(results: list[dict[str, Any]], speed: dict[str, Any]) -> str:
    """Lists what `swiftseg evaluate` gave; beside CamVid's scores stands the paper's."""
    frame_ms = {one["name"]: one["total_ms"]["p50_ms"] for one in speed["measurements"]}
    lines = [
        "| weights | scored on | frames | mean IoU % | class average % | all pixels % "
        "| frames/s, 480x360 |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for result in results:
        scores = (result["mean_iou"], result["mean_class_accuracy"], result["global_accuracy"])
        cells = [f"`{result['model']}`", f"{result['data']} {result['split']}", result["frames"]]
        cells += [f"{100 * score:.1f}" for score in scores]
        name = result["model"]
        cells.append(f"{1000 / frame_ms[name]:.0f}" if name in frame_ms else "")
        lines.append(f"| {' | '.join(map(str, cells))} |")
        if result["model"] == "enet-camvid":
            lines.append(PAPER)
    return "\n".join(lines)


def networks_table(networks: list[dict[str, Any]]) -> str:
    """Lists what `swiftseg models` lists."""
    height, width = networks[0]["size_hw"]
    lines = [
        f"| network | parameters | GMACs at {height}x{width} | paper |",
        "| --- | ---: | ---: | --- |",
    ]
    for network in networks:
        parameters, gmacs = f"{network['parameters']:,}", f"{network['gmacs']:.2f}"
        lines.append(f"| `{network['name']}` | {parameters} | {gmacs} | {network['citation']} |")
    return "\n".join(lines)


def speed_table(report: dict[str, Any]) -> str:
    """Lists the speed that we ask of ourselves, and what is measured."""
    lines = ["| what | must | goal | measured |", "| --- | ---: | ---: | ---: |"]
    for goal in report["goals"]:
        sign = ">=" if goal["higher_is_better"] else "<="
        bounds = (f"{sign} {goal[key]:g} {goal['unit']}" for key in ("must", "goal"))
        measured = f"{goal['measured']:.3g} {goal['unit']}"
        lines.append(f"| {' | '.join((goal['what'], *bounds, measured))} |")
    return "\n".join(lines)


def tables() -> dict[str, str]:
    """Makes every table by the name of its markers."""
    results = [json.loads(path.read_text("utf-8")) for path in sorted(SCORES.glob("*.json"))]
    networks = json.loads(NETWORKS.read_text("utf-8"))
    return {
        "scores": scores_table(results, json.loads(SHIPPED_SPEED.read_text("utf-8"))),
        "networks": networks_table(networks),
        "speed": speed_table(json.loads(GOALS.read_text("utf-8"))),
    }


def renewed(page: str, tables: dict[str, str]) -> str:
    """Return the text of a page with every table as it should be.

    Raises:
        ValueError: A table's markers are missing.
    """
    for name, table in tables.items():
        marked = re.compile(f"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        page, count = marked.subn(
            lambda found, table=table: found[1] + table + "\n" + found[2], page
        )
        if count != 1:
            raise ValueError(f"expected one <!-- {name} --> ... <!-- /{name} -->, got {count}")
    return page


if __name__ == "__main__":
    README.write_text(renewed(README.read_text("utf-8"), tables()), encoding="utf-8")
    print(f"wrote the tables of {README}")
