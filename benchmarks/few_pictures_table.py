"""Write the table of trainings on 30 pictures into docs/how-to/your-own-data.md.

python benchmarks/few_pictures_table.py
"""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from readme_tables import renewed

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/how-to/your-own-data.md"
RESULT = ROOT / "benchmarks/results/few_pictures.json"
NAMES = {
    "auto": "`swiftseg train auto`",
    "unet": "U-Net",
    "unet-imagenet": "U-Net, encoder with ImageNet's weights",
}


def few_table(rows: list[dict[str, Any]]) -> str:
    """Return a row for each set and way: the scores of its seeds and their mean."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["set"], row["way"]].append(row)
    lines = [
        "| 30 pictures of | training | network | starts from | mean IoU %, by seed | mean |",
        "| --- | --- | --- | --- | --- | ---: |",
    ]
    for (name, way), group in sorted(groups.items(), key=lambda item: item[0]):
        scores = [row["mean_iou"] for row in sorted(group, key=lambda row: row["seed"])]
        by_seed = ", ".join(f"{score:.1f}" for score in scores)
        lines.append(
            f"| {name} | {NAMES[way]} | {group[0]['network']} | {group[0]['starts_from']} "
            f"| {by_seed} | {sum(scores) / len(scores):.1f} |"
        )
    return "\n".join(lines)


def tables() -> dict[str, str]:
    """Return the table by the name of its markers."""
    return {"few": few_table(json.loads(RESULT.read_text("utf-8"))["rows"])}


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text("utf-8"), tables()), encoding="utf-8")
    print(f"wrote the table of {PAGE}")
