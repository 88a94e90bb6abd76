"""Keeps what a training has told, for the page of results.

    python benchmarks/keep_run.py runs/fast_scnn fast_scnn-camvid --data CAMVID

Writes docs/results/NAME: the resolved recipe, every epoch, its curves as a picture, and run.json
with the command, seed, time, machine and best score. A protocol other than native wants the
scores of the best weights: --evaluation takes what `swiftseg evaluate RUN/best.pt --json` has
printed. results_page.py makes the page of them.
"""

import argparse
import json
import math
import re
import shlex
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

from swiftseg.core import SwiftsegError
from swiftseg.core.files import replacing
from swiftseg.evaluation.report.curves import training_curves
from swiftseg.recipes import Recipe
from swiftseg.runs import Epoch, RunFolder, best_epoch, read_epochs

RESULTS = Path(__file__).parents[1] / "docs/results"
SCORES = ("mean_iou", "mean_class_accuracy", "global_accuracy")
CHART_WH = 400, 240  # as the report draws them


def public_command(command: str, data: str) -> str:
    """Return the command without this machine's folders."""
    words = shlex.split(command)
    kept: list[str] = []
    for option, word in zip(["", *words], words, strict=False):
        if option == "--out" or word in {"--out", "--resume"}:
            continue
        if option == "--weights" and Path(word).is_absolute():
            word = str(Path("runs", *Path(word).parts[-2:]))
        kept.append(data if option == "--data" else word)
    kept[0] = Path(kept[0]).stem
    return shlex.join(kept)


def training_seconds(epochs: list[Epoch], recipe: Recipe, frames: int) -> float:
    """Add up the epochs' own time, from their images a second."""
    batch = {stage.name: stage.batch_size or recipe.batch_size for stage in recipe.stages}
    taken = [frames // batch[epoch.stage] * batch[epoch.stage] for epoch in epochs]
    speeds = [epoch.images_per_second or math.nan for epoch in epochs]
    return sum(images / speed for images, speed in zip(taken, speeds, strict=True))


def kept_epoch(epochs: list[Epoch], recipe: Recipe) -> Epoch:
    """Return the epoch whose weights were kept, in the last stage."""
    last = recipe.stages[-1].name
    best = best_epoch([epoch for epoch in epochs if epoch.stage == last], recipe.best)
    if best is None:
        raise SwiftsegError(f"stage {last} has not been validated yet")
    return best


def facts(run: RunFolder, data: str, frames: int) -> dict[str, Any]:
    """Gather run.json."""
    recipe, epochs, environment = run.read_recipe(), run.read_history(), run.read_environment()
    if environment is None:
        raise SwiftsegError(f"{run.environment}: no such file")
    best = kept_epoch(epochs, recipe)
    return {
        "recipe": recipe.name,
        "network": recipe.stages[-1].network,
        "command": public_command(environment.command, data),
        "seed": recipe.seed,
        "epochs": {stage.name: stage.epochs for stage in recipe.stages},
        "epochs_done": len(epochs),
        "training_minutes": round(training_seconds(epochs, recipe, frames) / 60, 1),
        "hold_out": recipe.hold_out,
        "best_epoch": best.epoch,
        "protocol": "native",
        "scores": {name: getattr(best, f"val_{name}") for name in SCORES},
        "torch_threads": environment.torch_threads,
        "gpus": environment.gpus,
        "platform": re.sub(r"-\d.*?-(?=x86|aarch|arm)", "-", environment.platform),
        "python": environment.python,
        "versions": environment.versions,
    }


def write_curves(epochs_file: Path, out: Path) -> None:
    """Draws the report's charts side by side into one SVG."""
    write_charts(str(training_curves(read_epochs(epochs_file))), out)


def write_charts(markup: str, out: Path) -> None:
    """Draws the charts in a report's markup side by side into one SVG."""
    charts = re.findall(r"<svg (.*?</svg>)", markup, re.DOTALL)
    placed = [
        f'<svg x="{CHART_WH[0] * place}" width="{CHART_WH[0]}" height="{CHART_WH[1]}" {chart}'
        for place, chart in enumerate(charts)
    ]
    size = f"{CHART_WH[0] * len(charts)} {CHART_WH[1]}"
    style = (files("swiftseg.evaluation.report") / "style.css").read_text("utf-8")
    picture = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}">',
        f"<style>{style} .ground {{ fill: var(--panel); }}</style>",
        '<rect class="ground" width="100%" height="100%"/>',
        *placed,
        "</svg>",
    ]
    with replacing(out) as temporary:
        temporary.write_text("\n".join(picture) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("name")
    parser.add_argument("--data", default="CAMVID", help="What the command shows for the folder.")
    parser.add_argument("--frames", type=int, default=367, help="That the run has trained on.")
    parser.add_argument("--evaluation", type=Path, help="The JSON of swiftseg evaluate.")
    options = parser.parse_args()
    folder = RESULTS / options.name
    folder.mkdir(parents=True, exist_ok=True)
    run, kept = RunFolder(options.run), RunFolder(folder)
    found = facts(run, options.data, options.frames)
    if options.evaluation:
        told = json.loads(options.evaluation.read_text("utf-8"))
        found |= {
            "protocol": told["protocol"]["name"],
            "scores": {key: told[key] for key in SCORES},
        }
    (folder / "run.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    shutil.copyfile(run.metrics, kept.metrics)
    write_curves(kept.metrics, folder / "curves.svg")
    kept.write_recipe(run.read_recipe())


if __name__ == "__main__":
    main()
