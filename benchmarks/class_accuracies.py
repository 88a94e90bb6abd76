"""All eleven class accuracies of every network on CamVid beside the papers', as a page.

    python benchmarks/class_accuracies.py

Reads the confusion matrices of results/scores/*-camvid.json, and of results/gpu/train_family.json
where there is one, and writes docs/results/class-accuracies.md.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from swiftseg.core.files import replacing
from swiftseg.data.published.camvid import CAMVID_LABELS
from swiftseg.metrics import scores

ROOT = Path(__file__).parents[1]
SCORES = ROOT / "benchmarks/results/scores"
FAMILY = ROOT / "benchmarks/results/gpu/train_family.json"
PAGE = ROOT / "docs/results/class-accuracies.md"

# ENet's Table 5, in %, on the 233 test frames; the classes in CamVid's order of labels.
PUBLISHED: Mapping[str, tuple[float, ...]] = {
    "SegNet-Basic": (91.2, 75.0, 44.8, 93.3, 74.1, 84.6, 36.9, 47.5, 82.7, 55.0, 16.0),
    "SegNet": (92.4, 88.8, 27.5, 97.2, 84.4, 87.3, 20.5, 49.3, 82.1, 57.1, 30.7),
    "ENet": (95.1, 74.7, 35.4, 95.1, 86.7, 77.8, 51.0, 51.7, 82.4, 67.2, 34.1),
}
PRINTED_AVERAGES = {"SegNet-Basic": 62.9, "SegNet": 65.2, "ENet": 68.3}

INTRODUCTION = """# Class accuracies on CamVid

Made by `python benchmarks/class_accuracies.py` from confusion matrices: of a class's pixels, the
share that is found, in %. The papers' rows are Table 5 of the ENet paper, on the 233 test frames;
ours are the 101 validation frames, whose drive training has seen, so that a row of ours is not to
be read against one of theirs class by class without that in mind.
"""

# Thin classes, and into what they are lost.
THIN = "pole", "sign"


@dataclass(frozen=True)
class Row:
    """A network's accuracies.

    Attributes:
        name: Such as `enet-camvid`.
        matrix: int64 (11, 11), rows true, columns predicted.
    """

    name: str
    matrix: np.ndarray

    @property
    def accuracies(self) -> np.ndarray:
        """Return the recall of each class in %, float64 (11,)."""
        return 100 * scores(self.matrix).class_accuracy

    @property
    def precisions(self) -> np.ndarray:
        """Return of what is given each class's label, the share that is right, in %."""
        return 100 * scores(self.matrix.T).class_accuracy


def our_rows() -> list[Row]:
    """Read every confusion matrix of CamVid's eleven classes that is committed."""
    found: list[Row] = []
    for path in sorted(SCORES.glob("*-camvid.json")):
        told = json.loads(path.read_text("utf-8"))
        found.append(Row(told["model"], np.array(told["confusion_matrix"])))
    if FAMILY.is_file():
        family: dict[str, Any] = json.loads(FAMILY.read_text("utf-8"))
        for run in (run for run in family["runs"] if "failed" not in run):
            matrix = np.array(run["confusion"]["native"])
            if len(matrix) == len(CAMVID_LABELS):
                found.append(Row(f"{run['run']}, on a GPU", matrix))
    return found


def lost_to(row: Row, name: str) -> str:
    """Say where the pixels of a class go that are not found, the two largest shares."""
    index = CAMVID_LABELS.names.index(name)
    shares = row.matrix[index] / row.matrix[index].sum()
    shares[index] = -1
    largest = np.argsort(-shares)[:2]
    return ", ".join(f"{CAMVID_LABELS.names[i]} {100 * shares[i]:.0f}" for i in largest)


def line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def page(rows: Sequence[Row]) -> str:
    """Write the page in Markdown."""
    names = CAMVID_LABELS.names
    head = ["network", "frames", *names, "average"]
    lines = [INTRODUCTION, line(head), line(["---", "---", *["---:"] * (len(names) + 1)])]
    for name, values in PUBLISHED.items():
        cells = [f"{value:.1f}" for value in (*values, PRINTED_AVERAGES[name])]
        lines.append(line([f"{name}, the paper", "test", *cells]))
    for row in rows:
        cells = [f"{value:.1f}" for value in (*row.accuracies, row.accuracies.mean())]
        lines.append(line([row.name, "val", *cells]))
    lines += [
        "",
        "The printed average of SegNet-Basic is not the mean of its row, which is 63.7.",
        "",
        "## Poles and signs",
        "",
        "These two are below the papers' although the averages are above. Their pixels go to what",
        "stands behind them, since they are one or two pixels wide at this size and the networks",
        "decide at an eighth of it; and the recipes' milder class weights ask less for them (the",
        "card of `enet-camvid` has the scores with the paper's). Where the pixels go that are",
        "not found, and how much of what is called so is right, in %:",
        "",
        line(["network", "class", "found", "right", "lost to"]),
        line(["---", "---", "---:", "---:", "---"]),
    ]
    for row in rows:
        for name in THIN:
            index = names.index(name)
            found, right = row.accuracies[index], row.precisions[index]
            cells = [row.name, name, f"{found:.1f}", f"{right:.1f}", lost_to(row, name)]
            lines.append(line(cells))
    return "\n".join([*lines, ""])


def main() -> None:
    with replacing(PAGE) as path:
        path.write_text(page(our_rows()), "utf-8")


if __name__ == "__main__":
    main()
