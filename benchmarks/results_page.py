"""Writes docs/results/README.md from what keep_run.py has kept.

python benchmarks/results_page.py
"""

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "docs/results"
PAGE = RESULTS / "README.md"
ROWS = RESULTS / "rows.json"

HEAD = """# What our trainings gave

Made by `python benchmarks/results_page.py` from the `run.json` of each folder here, which
`benchmarks/keep_run.py` takes from a run. A folder holds the resolved recipe, every epoch
(`metrics.csv`) and the curves.

CamVid's val frames are of a drive that train has seen, so val says little about new streets.
A row whose column `scored on` names a sequence was trained without it and scored on it
(`swiftseg train RECIPE --hold-out SEQUENCE`). The best epoch was chosen on what the row is scored
on. The minutes are those of the training steps alone.
Scores of unlike protocols (`swiftseg evaluate --protocol`) are not to be held against each other.
"""

# Mean IoU, class average and all pixels as the papers print them, for the runs that follow them.
PUBLISHED = {
    "enet-paper": "51.3 / 68.3 / - on test",
    "segfast-paper": "50.00 / - / 85.08 on val",
    "segfast_basic-paper": "44.31 / - / 86.31 on val",
}


def row(name: str, run: dict[str, Any]) -> str:
    """Gives a run's line of the table."""
    scores = [f"{100 * score:.1f}" for score in run["scores"].values()]
    devices = ", ".join(run["gpus"]) or f"{run['torch_threads']} CPU thread(s)"
    cells = [
        f"[{name}]({name}/run.json)",
        f"`{run['network']}`",
        f"train without {run['hold_out']}" if run["hold_out"] else "train",
        run["hold_out"] or "val",
        run["protocol"],
        *scores,
        PUBLISHED.get(name, ""),
        f"{run['best_epoch']} of {list(run['epochs'].values())[-1]}",
        f"{run['training_minutes']:.0f}",
        devices,
    ]
    return f"| {' | '.join(map(str, cells))} |"


def rows_section(kept: dict[str, Any]) -> list[str]:
    """Gives the table of runs that differ from a base in one thing each."""
    lines = [
        "",
        "## One change, one run, one row",
        "",
        f"Short runs, each with a sequence held out; the base is `{kept['base']}`.",
        "Kept by `benchmarks/keep_rows.py` in [rows.json](rows.json).",
        "",
        "```",
        kept["command"],
        "```",
        "",
        "| what differs | scored on | mean IoU % | class average % | all pixels % | minutes |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for run in sorted(kept["rows"], key=lambda run: -run["scores"]["mean_iou"]):
        values = {key: "null" if v is None else v for key, v in run["changes"].items()}
        told = ", ".join(f"`{key}={value}`" for key, value in values.items()) or "nothing"
        scores = [f"{100 * score:.1f}" for score in run["scores"].values()]
        cells = [told, run["hold_out"] or "val", *scores, f"{run['training_minutes']:.0f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def page(runs: dict[str, dict[str, Any]]) -> str:
    """Gives the whole page."""
    lines = [
        HEAD,
        "| run | network | trained on | scored on | protocol | mean IoU % | class average % "
        "| all pixels % | the paper | best epoch | minutes | on |",
        "| --- | --- | --- | --- | --- | ---: | ---: | ---: | --- | ---: | ---: | --- |",
        *(row(name, run) for name, run in runs.items()),
    ]
    if ROWS.exists():
        lines += rows_section(json.loads(ROWS.read_text("utf-8")))
    for name, run in runs.items():
        lines += ["", f"## {name}", "", "```", run["command"], "```", ""]
        lines += [
            f"Seed {run['seed']}. [Recipe]({name}/recipe.yaml), [epochs]({name}/metrics.csv)."
        ]
        lines += ["", f"![Loss, mean IoU and learning rate of {name}]({name}/curves.svg)"]
    return "\n".join(lines) + "\n"


def kept_runs() -> dict[str, dict[str, Any]]:
    """Reads every folder's run.json."""
    return {
        path.parent.name: json.loads(path.read_text("utf-8"))
        for path in sorted(RESULTS.glob("*/run.json"))
    }


def main() -> None:
    PAGE.write_text(page(kept_runs()), encoding="utf-8")


if __name__ == "__main__":
    main()
