"""Writes docs/results/README.md from what keep_run.py has kept.

python benchmarks/results_page.py
"""

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "docs/results"
PAGE = RESULTS / "README.md"
ROWS = RESULTS / "rows.json"
GPU = Path(__file__).parent / "results/gpu_training.json"

HEAD = """# What our trainings gave

Made by `python benchmarks/results_page.py` from the `run.json` of each folder here, which
`benchmarks/keep_run.py` takes from a run. A folder holds the resolved recipe, every epoch
(`metrics.csv`) and the curves.

CamVid's val frames are of a drive that train has seen, so val says little about new streets.
A row whose column `scored on` names a sequence was trained without it and scored on it
(`swiftseg train RECIPE --hold-out SEQUENCE`). The best epoch was chosen on what the row is scored
on. The minutes are those of the training steps alone.
Do not compare scores of different protocols (`swiftseg evaluate --protocol`).

Measured on the shipped weights, without a training: the
[accuracy of each class](class-accuracies.md) beside the papers', the
[slopes of ENet's PReLUs](enet-slopes.md), and [Fast-SCNN without its skip and with smaller
inputs](fast-scnn-claims.md).
"""

# Mean IoU, class average and all pixels as the papers print them, for the runs that follow them.
PUBLISHED = {
    "enet-paper": "51.3 / 68.3 / - on test",
    "segfast-paper": "50.00 / - / 85.08 on val",
    "segfast_basic-paper": "44.31 / - / 86.31 on val",
}


def row(name: str, run: dict[str, Any]) -> str:
    """Return a run's line of the table."""
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
    """Return the table of runs that differ from a base in one thing each."""
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


def gpu_section(kept: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Return the table of the trainings of a quarter of an hour on a GPU."""
    devices = sorted({part["device"] for parts in kept.values() for part in parts})
    lines = [
        "",
        "## A quarter of an hour on a GPU",
        "",
        f"`benchmarks/gpu/train_family.py` on one {', '.join(devices)}, scored on CamVid's val,",
        "or on `0006R0` where a run has a seed in its name and was trained without it. Most runs",
        "were stopped long before the end of their recipe, and three at a time shared the GPU, so",
        "they say nothing about the papers; `benchmarks/gpu/README.md` has what was learned.",
        "",
        "| run | epochs done | of the recipe's | mean IoU % | class average % | all pixels % "
        "| seconds | beside others |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for way, parts in kept.items():
        for run in (run for part in parts for run in part["runs"] if "scores" in run):
            native = run["scores"]["native"]
            keys = ("mean_iou", "mean_class_accuracy", "global_accuracy")
            began = run["stages"][0].get("started_from_tensors")
            is_fresh = run["run"].endswith("streets") and not began  # the others start from weights
            cells = [
                run["run"] + " (from random weights)" * bool(is_fresh),
                str(sum(stage["epochs_done"] for stage in run["stages"])),
                str(sum(stage["recipe_epochs"] for stage in run["stages"])),
                *(f"{100 * native[key]:.1f}" for key in keys),
                f"{run['seconds']:.0f}",
                "no" if way == "alone" else "yes",
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def page(runs: dict[str, dict[str, Any]]) -> str:
    """Return the whole page."""
    lines = [
        HEAD,
        "| run | network | trained on | scored on | protocol | mean IoU % | class average % "
        "| all pixels % | the paper | best epoch | minutes | on |",
        "| --- | --- | --- | --- | --- | ---: | ---: | ---: | --- | ---: | ---: | --- |",
        *(row(name, run) for name, run in runs.items()),
    ]
    if ROWS.exists():
        lines += rows_section(json.loads(ROWS.read_text("utf-8")))
    if GPU.exists():
        lines += gpu_section(json.loads(GPU.read_text("utf-8")))
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
