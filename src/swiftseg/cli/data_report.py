"""What `swiftseg data check` tells: tables on the terminal, or one JSON object."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table
from rich.text import Text

from swiftseg.cli.plain_output import new_table, terminal
from swiftseg.core.shown_text import shown
from swiftseg.data.doctor import Diagnosis
from swiftseg.data.doctor.class_counts import training_counts
from swiftseg.data.own.tree_reading import Reading
from swiftseg.losses.class_weighting import (
    effective_number_weights,
    enet_class_weights,
    median_frequency_weights,
)

if TYPE_CHECKING:
    from rich.console import Console

SHOWN_VALUES = 20
JSON_VALUES = 256
STYLES = {"broken": "bold red", "warning": "yellow", "note": "cyan"}
WEIGHTINGS = ("enet", "median_frequency", "effective_number")


def report_fields(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return everything as plain JSON types."""
    return {
        "source": str(diagnosis.source),
        "broken": diagnosis.is_broken,
        "reading": None if diagnosis.reading is None else _reading_fields(diagnosis.reading),
        "other_readings": [_reading_fields(reading) for reading in diagnosis.others],
        "splits": diagnosis.splits,
        "sizes_hw": [
            {"size_hw": list(size), "images": count}
            for size, count in diagnosis.sizes.most_common(SHOWN_VALUES)
        ],
        "mask_encoding": None if diagnosis.file is None else diagnosis.file.mask_encoding,
        "values": [row._asdict() for row in diagnosis.values[:JSON_VALUES]],
        "distinct_values": len(diagnosis.values),
        "classes": class_rows(diagnosis),
        "findings": [asdict(finding) for finding in diagnosis.findings],
    }


def class_rows(diagnosis: Diagnosis) -> list[dict[str, Any]]:
    """Return each class's share, masks and weights, counted over the training data."""
    labels = diagnosis.labels
    if labels is None:
        return []
    counts = training_counts(diagnosis.counts)
    pixels = counts.pixels[: len(labels)]
    labeled = max(int(pixels.sum()), 1)
    weights: dict[str, np.ndarray] = {}
    if pixels.any():
        where_present = counts.where_present[: len(labels)]
        weights = {
            "enet": enet_class_weights(pixels, int(counts.pixels.sum())),
            "median_frequency": median_frequency_weights(pixels, where_present),
            "effective_number": effective_number_weights(pixels),
        }
    return [
        {
            "name": name,
            "share": float(pixels[index] / labeled),
            "masks": int(counts.masks[index]),
            "weights": {key: float(values[index]) for key, values in weights.items()},
        }
        for index, name in enumerate(labels.names)
    ]


def print_report(diagnosis: Diagnosis, files: dict[str, str], next_line: str | None) -> None:
    """Print the findings, the values and the classes, where the files are, and what to type."""
    console = terminal()
    if diagnosis.reading is not None:
        _print_reading(console, diagnosis.reading, diagnosis.others)
    for finding in diagnosis.findings:
        count = f" [{finding.count} files]" if finding.count > 1 and finding.files else ""
        message = f" {finding.code}: {shown(finding.message + count)}"
        console.print(Text.assemble((finding.severity, STYLES[finding.severity]), message))
    if diagnosis.values:
        console.print(_value_table(diagnosis))
    rows = class_rows(diagnosis)
    if rows:
        console.print(_class_table(rows))
    splits = ", ".join(f"{split} {count}" for split, count in diagnosis.splits.items())
    encoding = "" if diagnosis.file is None else f"; masks: {diagnosis.file.mask_encoding}"
    if splits:
        console.print(f"pairs: {splits}{encoding}")
    for path in files.values():
        console.print(f"written: {path}")
    verdict = "fit for training" if diagnosis.splits else "there is nothing here to examine"
    if diagnosis.is_broken:
        verdict = "broken: training would refuse it"
    console.print(f"{diagnosis.source}: {verdict}")
    if "dataset_file" in files:
        edit = f"edit {files['dataset_file']} where names or values are wrong"
        console.print(edit)
    if next_line is not None and diagnosis.splits:
        console.print(f"next: {next_line}")


def _print_reading(console: "Console", reading: Reading, others: tuple[Reading, ...]) -> None:
    """Print which files are taken for images and masks, what is left over, and what else may be."""
    table = new_table("", "", title="How the folder is read", show_header=False)
    table.add_row("images", "\n".join(reading.images))
    table.add_row("masks", "\n".join(reading.masks))
    each = {"one": "", "instances": ", a mask an instance", "classes": ", a mask a class"}
    table.add_row("pairs", f"{reading.num_pairs}{each[reading.parts]}")
    for group in reading.left_over:
        example = f", such as {group.files[0]}" if group.files else ""
        table.add_row("left over", f"{group.count} {group.reason}{example}")
    for number, other in enumerate(others, 2):
        masks = ", ".join(other.masks)
        table.add_row(f"--reading {number}", f"{masks}: {other.num_pairs} pairs")
    console.print(table)


def _reading_fields(reading: Reading) -> dict[str, Any]:
    return {
        "images": list(reading.images),
        "masks": list(reading.masks),
        "masks_per_image": reading.parts,
        "pairs": reading.num_pairs,
        "left_over": [asdict(group) for group in reading.left_over],
    }


def _value_table(diagnosis: Diagnosis) -> Table:
    listed = diagnosis.values[:SHOWN_VALUES]
    more = len(diagnosis.values) - len(listed)
    title = f"Values of the masks{f' (and {more} rarer ones)' if more else ''}"
    table = new_table("value", "share", "class", numbers=["share"], title=title)
    for row in listed:
        table.add_row(row.value, f"{row.share:.3%}", row.meaning)
    return table


def _class_table(rows: list[dict[str, Any]]) -> Table:
    numbers = ["share", "masks", *(weighting.replace("_", " ") for weighting in WEIGHTINGS)]
    table = new_table("class", *numbers, numbers=numbers, title="Classes in training")
    for row in rows:
        weights = [f"{row['weights'][w]:.3f}" if row["weights"] else "-" for w in WEIGHTINGS]
        table.add_row(row["name"], f"{row['share']:.3%}", str(row["masks"]), *weights)
    return table
