"""ENet's Figure 2 from the shipped weights: the slopes of its PReLUs against depth.

    python benchmarks/enet_slopes.py

Writes results/enet_slopes.json (mean, least and largest slope of each of the 82, and which of the
paper's statements hold), docs/results/enet-slopes.svg and docs/results/enet-slopes.md.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from keep_run import write_charts
from safetensors.numpy import load_file
from torch import nn

from swiftseg.core.files import replacing
from swiftseg.evaluation.report.charts import Curve, Mark, line_chart
from swiftseg.models.enet import ENet

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "benchmarks/results/enet_slopes.json"
PAGE = ROOT / "docs/results/enet-slopes.md"
PICTURE = ROOT / "docs/results/enet-slopes.svg"
WEIGHTS = ("enet-camvid", "enet-toystreet")

ENCODER = 67  # the paper draws its border behind the 67th
INITIAL = 16  # up to the end of stage 1: the initial block and five bottlenecks

# What section 4 says of the figure, and how it is asked of numbers.
STATEMENTS = {
    "initial layers are biased to positive slopes": "mean of the first 16 above 0",
    "initial layers vary more than later ones": "deviation, first 16 against the other 51",
    "the main branch behaves like ReLU": "mean distance from 0, encoder's main branch, below 0.1",
    "slopes inside the bottlenecks are negative": "mean behind stage 1, in the encoder, below 0",
    "the decoder's slopes are more positive": "mean of the last 15 against that of the 67",
}
INTRODUCTION = """# ENet's slopes against depth

Made by `python benchmarks/enet_slopes.py` from the shipped weights; the numbers of all 82 PReLUs
are in `benchmarks/results/enet_slopes.json`. Figure 2 of the ENet paper shows the same for weights
of Cityscapes, and its section 4 says what is asked here.

![Slopes of the PReLUs against depth](enet-slopes.svg)
"""


def slopes_of(weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the slopes of every PReLU in the order of execution, float32 (channels,) each."""
    names = [name for name, module in ENet(11).named_modules() if isinstance(module, nn.PReLU)]
    return {name: weights[f"{name}.weight"] for name in names}


def is_main_branch(name: str) -> bool:
    """Whether a PReLU stands behind the sum of both branches."""
    return name.endswith(".act") and "extension" not in name


def joined(slopes: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(slopes).astype(np.float64)


def figures(slopes: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Return the numbers that the statements are asked of."""
    names, values = list(slopes), list(slopes.values())
    encoder = range(ENCODER)
    main = [values[i] for i in encoder if is_main_branch(names[i])]
    inside = [values[i] for i in encoder if i >= INITIAL and not is_main_branch(names[i])]
    found = {
        "initial_mean": joined(values[:INITIAL]).mean(),
        "initial_deviation": joined(values[:INITIAL]).std(),
        "later_deviation": joined(values[INITIAL:ENCODER]).std(),
        "main_branch_distance": np.abs(joined(main)).mean(),
        "inside_mean": joined(inside).mean(),
        "encoder_mean": joined(values[:ENCODER]).mean(),
        "decoder_mean": joined(values[ENCODER:]).mean(),
    }
    return {name: round(float(value), 4) for name, value in found.items()}


def holding(found: Mapping[str, float]) -> dict[str, bool]:
    """Return which statements hold, in the order of `STATEMENTS`."""
    answers = (
        found["initial_mean"] > 0,
        found["initial_deviation"] > found["later_deviation"],
        found["main_branch_distance"] < 0.1,
        found["inside_mean"] < 0,
        found["decoder_mean"] > found["encoder_mean"],
    )
    return dict(zip(STATEMENTS, answers, strict=True))


def facts(name: str) -> dict[str, Any]:
    """Return what the JSON says of one model's weights."""
    slopes = slopes_of(load_file(ROOT / f"src/swiftseg/weights/{name}.safetensors"))
    found = figures(slopes)
    return {
        "weights": name,
        "figures": found,
        "holds": holding(found),
        "slopes": [
            {
                "name": own,
                "mean": round(float(values.mean()), 4),
                "least": round(float(values.min()), 4),
                "largest": round(float(values.max()), 4),
            }
            for own, values in slopes.items()
        ],
    }


def chart(told: Mapping[str, Any]) -> str:
    """Draw mean, least and largest slope against depth."""
    lines = [
        Curve(
            name,
            kind,
            [(float(depth), row[name]) for depth, row in enumerate(told["slopes"], start=1)],
        )
        for name, kind in (("mean", "first"), ("largest", "second"), ("least", "ideal"))
    ]
    marks = [Mark(ENCODER + 0.5, "decoder")]
    return str(line_chart(told["weights"], lines, x_name="PReLU", marks=marks))


def page(models: Sequence[Mapping[str, Any]]) -> str:
    """Write the page in Markdown."""
    head = " | ".join(told["weights"] for told in models)
    rows = [
        f"| {text} ({how}) | "
        + " | ".join("yes" if told["holds"][text] else "no" for told in models)
        + " |"
        for text, how in STATEMENTS.items()
    ]
    numbers = [
        f"| {name.replace('_', ' ')} | "
        + " | ".join(f"{told['figures'][name]:.3f}" for told in models)
        + " |"
        for name in models[0]["figures"]
    ]
    return "\n".join(
        [
            INTRODUCTION,
            f"| the paper's statement | {head} |",
            f"| --- |{' --- |' * len(models)}",
            *rows,
            "",
            f"| slopes | {head} |",
            f"| --- |{' ---: |' * len(models)}",
            *numbers,
            "",
        ]
    )


def main() -> None:
    models = [facts(name) for name in WEIGHTS]
    with replacing(RESULT) as path:
        path.write_text(json.dumps({"models": models}, indent=1) + "\n", "utf-8")
    write_charts("".join(chart(told) for told in models), PICTURE)
    with replacing(PAGE) as path:
        path.write_text(page(models), "utf-8")


if __name__ == "__main__":
    main()
