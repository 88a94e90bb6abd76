"""Train the whole family on CamVid in minutes of one GPU, the runs of most worth first.

    PYTHONPATH=src python3 -m benchmarks.gpu.train_family --data CAMVID --out OUT \
        --backbones BACKBONES --budget-seconds 540

Frames and masks are decoded once into the GPU's memory and augmented there; a step computes in
bf16, with weights in channels-last order, as one CUDA graph; the optimizer is fused. Each run is a
shipped recipe, whose epochs shrink to the run's part of the time. What is done is in OUT after
every run: `train_family.json` (scores and confusion matrix on CamVid's validation frames, curve,
command, seconds, how much of the recipe that is) and the weights as safetensors in fp16, as many as
fit into --weights-mib. Wants torch, torchvision, accelerate, safetensors and what swiftseg's base
install wants. `--device cpu --tiny` tries all of it in small.
"""

import argparse
import gc
import json
import platform
import shlex
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.gpu.captured_step import pooling_on_device
from benchmarks.gpu.device_frames import CAMVID, RecipeData
from benchmarks.gpu.family_plan import (
    GROUPS,
    RUNS,
    Run,
    estimate,
    estimated_seconds,
    stage_gmacs,
    time_for,
    tiny_overrides,
)
from benchmarks.gpu.family_training import StageResult, StageRun
from benchmarks.gpu.weight_shards import WeightShards
from swiftseg.core.files import replacing
from swiftseg.metrics import scores
from swiftseg.recipes.recipe import Recipe
from swiftseg.trained import read_weights
from swiftseg.weights import shipped_weights

RESULT = "train_family.json"
LEAST_SECONDS = 8.0  # less than that trains nothing, and is left to nobody
TINY_EPOCHS = 2
CAMVID_FRAMES = 367  # to learn from


def read_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("camvid"), help="CamVid, 480x360")
    parser.add_argument("--out", type=Path, default=Path("family"), help="folder of results")
    parser.add_argument("--idd-lite", type=Path, help="IDD-Lite, for what learns from streets")
    parser.add_argument("--labelmefacade", type=Path, help="LabelMeFacade, likewise")
    parser.add_argument("--backbones", type=Path, help="folder of VGG-16's convolutions [random]")
    parser.add_argument("--budget-seconds", type=float, default=540.0)
    parser.add_argument("--group", help=f"of runs: {', '.join(GROUPS)}; several by commas [all]")
    parser.add_argument("--only", help="names of runs, separated by semicolons [all]")
    parser.add_argument("--device", default="cuda", help="cuda or cpu")
    parser.add_argument("--compile", action="store_true", help="torch.compile the step")
    parser.add_argument("--eager", action="store_true", help="no CUDA graphs")
    parser.add_argument("--tiny", action="store_true", help="frames of 24x32, two epochs")
    parser.add_argument("--file-mib", type=float, default=15.0, help="of a file of weights")
    parser.add_argument("--run-mib", type=float, default=30.0, help="of one run's weights")
    parser.add_argument("--weights-mib", type=float, default=58.0, help="of all weights")
    parser.add_argument("--estimate", action="store_true", help="print the estimate and leave")
    return parser.parse_args(arguments)


class Family:
    """All runs under one budget.

    Args:
        given: The options.
        started: `time.monotonic()` at the process's start.
    """

    def __init__(self, given: argparse.Namespace, started: float) -> None:
        self.given, self.started = given, started
        self.device = torch.device(given.device)
        self.shards = WeightShards(
            given.out,
            file_mib=given.file_mib,
            run_mib=given.run_mib,
            total_mib=given.weights_mib,
        )
        self.trained: dict[str, dict[str, Tensor]] = {}
        self.results: list[dict[str, Any]] = []
        self.needed_later = {run.starts_from for run in RUNS}
        given_folders = {
            CAMVID: given.data,
            "idd_lite": given.idd_lite,
            "labelmefacade": given.labelmefacade,
        }
        self.folders = {name: path for name, path in given_folders.items() if path is not None}

    def seconds_left(self) -> float:
        return self.given.budget_seconds - (time.monotonic() - self.started)

    def recipe(self, run: Run) -> Recipe:
        return run.recipe(tiny_overrides(run) if self.given.tiny else ())

    def try_to_train(self, run: Run, seconds: float) -> None:
        """Train one run; what fails is noted, and costs itself alone."""
        try:
            self.train(run, seconds)
        except Exception as error:
            traceback.print_exc()
            reason = str(error).partition("\n")[0]
            self.results.append({"run": run.name, "failed": f"{type(error).__name__}: {reason}"})
            self.write("running")

    def train(self, run: Run, seconds: float) -> None:
        """Train one run, and write what it came to."""
        began = time.monotonic()
        recipe = self.recipe(run)
        data = RecipeData(recipe, self.folders, self.device)
        planned = estimate(run, recipe, len(data.train_frames), seconds)
        weights = self.starting_weights(run)
        stages: list[dict[str, Any]] = []
        result = StageResult({})
        for index in range(len(recipe.stages)):
            stage_run = StageRun(
                recipe,
                index,
                data,
                start=weights,
                change=run.change,
                backbones=self.given.backbones if run.backbone else None,
                compiled=self.given.compile,
                captured=not self.given.eager,
            )
            left = seconds - (time.monotonic() - began)
            share = recipe.stages[index].epochs / sum(s.epochs for s in recipe.stages[index:])
            most = TINY_EPOCHS if self.given.tiny else None
            result = stage_run.run(left * share, most_epochs=most)
            stages.append(result.facts | sustained(recipe, index, result.facts))
            weights = result.weights
            del stage_run
        self.keep(run, recipe, planned, stages, result, time.monotonic() - began)

    def starting_weights(self, run: Run) -> Mapping[str, Tensor]:
        """Return a shipped model's weights or those of a run that is done; else none."""
        if run.starts_from in shipped_weights():
            return read_weights(shipped_weights()[run.starts_from])
        return self.trained.get(run.starts_from or "", {})

    def keep(
        self,
        run: Run,
        recipe: Recipe,
        planned: Any,
        stages: list[dict[str, Any]],
        result: StageResult,
        seconds: float,
    ) -> None:
        labels = RecipeData(recipe, self.folders, self.device).train_frames.dataset.labels
        if run.name in self.needed_later:
            self.trained[run.name] = result.weights
        row: dict[str, Any] = {
            "run": run.name,
            "recipe": run.recipe_name,
            "network": recipe.stages[-1].network,
            "overrides": list(run.overrides),
            "deviates": run.deviates,
            "starts_from": run.starts_from if self.starting_weights(run) else None,
            "backbone": "VGG-16's convolutions" if run.backbone and self.given.backbones else None,
            "precision": "bf16" if self.device.type == "cuda" else "f32",
            "seed": recipe.seed,
            "estimate": dict(planned),
            "seconds": round(seconds, 2),
            "stages": stages,
            "classes": list(labels.names),
            "scores": {
                name: scores(matrix.numpy()).to_dict(labels)
                for name, matrix in result.matrices.items()
            },
            "confusion": {name: matrix.tolist() for name, matrix in result.matrices.items()},
            "weights": self.shards.add(run.name, result.weights),
        }
        self.results.append(row)
        self.write("running")

    def write(self, state: str) -> None:
        facts = {
            "command": shlex.join(["python3", "-m", "benchmarks.gpu.train_family", *sys.argv[1:]]),
            "state": state,
            "device": device_name(self.device),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "tiny": self.given.tiny,
            "budget_s": self.given.budget_seconds,
            "seconds": round(time.monotonic() - self.started, 1),
            "runs": self.results,
        }
        with replacing(self.given.out / RESULT) as path:
            path.write_text(json.dumps(facts, indent=1), "utf-8")


def sustained(recipe: Recipe, index: int, facts: dict[str, Any]) -> dict[str, float]:
    """Return what a stage's steps have computed, in 1e12 operations a second."""
    gmacs = stage_gmacs(recipe, recipe.stages[index])
    a_step_s = estimated_seconds(gmacs, facts["batch_size"], 1.0)
    return {"gmacs": round(gmacs, 3), "tflops": round(1e3 * a_step_s / facts["step_ms"], 3)}


def print_estimates(runs: Sequence[Run], budget_s: float) -> None:
    """Print what each run would need by its recipe, and what it gets, before anything starts."""
    print(f"{'run':26} {'GMACs':>8} {'TFLOP/s':>8} {'whole s':>8} {'given s':>8} {'share':>6}")
    for run in runs:
        seconds = time_for(run, runs, budget_s)
        row = estimate(run, run.recipe(), CAMVID_FRAMES, seconds)
        print(
            f"{run.name:26} {row['gmacs']:8} {row['assumed_tflops']:8} {row['whole_recipe_s']:8} "
            f"{row['given_s']:8} {row['share_of_recipe']:6}"
        )


def device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def chosen_runs(group: str | None, only: str | None) -> tuple[Run, ...]:
    if group is not None:
        return tuple(run for name in group.split(",") for run in GROUPS[name])
    if only is None:
        return RUNS
    names = [name.strip() for name in only.split(";")]
    unknown = set(names) - {run.name for run in RUNS}
    if unknown:
        known = ", ".join(run.name for run in RUNS)
        raise SystemExit(f"no run is called {', '.join(sorted(unknown))}; choose from {known}")
    return tuple(run for run in RUNS if run.name in names)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train run after run until the time is over."""
    started = time.monotonic()
    given = read_options(arguments)
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    family = Family(given, started)
    to_do = chosen_runs(given.group, given.only)
    print_estimates(to_do, given.budget_seconds)
    if given.estimate:
        return
    with pooling_on_device():
        while to_do:
            run = to_do[0]
            seconds = time_for(run, to_do, family.seconds_left())
            if seconds < LEAST_SECONDS and not given.tiny:
                # A shorter one would learn nothing; its time goes to those of more worth behind.
                print(f"{run.name}: left out, {seconds:.0f} s are too few", flush=True)
            else:
                family.try_to_train(run, seconds)
                show(family.results[-1])
            to_do = to_do[1:]
            gc.collect()  # a run's CUDA graphs hold its memory
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
    family.write("done")


def show(row: dict[str, Any]) -> None:
    """Print a run's line."""
    if "failed" in row:
        print(f"{row['run']:26} failed: {row['failed']}", flush=True)
        return
    last = row["stages"][-1]
    native = row["scores"].get("native")
    mean_iou = f"{100 * native['mean_iou']:5.1f}" if native else "none: the loss is not finite"
    print(
        f"{row['run']:26} mIoU {mean_iou}  "
        f"{last['epochs_done']:4} of {last['recipe_epochs']:4} epochs  {last['step_ms']:7.2f} ms "
        f"a step  {row['seconds']:6.1f} s  ({last['way']})",
        flush=True,
    )


if __name__ == "__main__":
    main()
