"""One change a row: what lifts drives and places that a training has not seen.

    python benchmarks/street_table.py --camvid DIR --idd-lite DIR --labelmefacade DIR \
        --out runs/street_table [--rows base,dusk,...]

Each row is fast_scnn_streets with one change, trained with two seeds without one of CamVid's drives
(HELD_OUT_DRIVE) and without a tenth of the Indian drives and of the pictures' places, and scored on
these. `swiftseg train` takes a GPU where there is one. A run that was stopped goes on by the same
command; one that is done is not done again. The table is kept as JSON after each run. A difference
of less than a point, or than that of a row's own seeds, is chance.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.street_scores import held_out_parts, summary
from swiftseg.core.files import replacing
from swiftseg.evaluation import evaluate
from swiftseg.inference import Segmenter
from swiftseg.runs import RunFolder

RESULTS = Path(__file__).parent / "results/street_table.json"
RECIPE, SEEDS, HELD_OUT_DRIVE = "fast_scnn_streets", (0, 1), "0006R0"

# A row starts from nothing: shipped weights have seen every drive of CamVid.
ROWS: dict[str, tuple[str, ...]] = {
    "base": (),
    "CamVid alone": ("datasets.1.share=1e-9", "datasets.2.share=1e-9"),
    "no changes of light": (
        *("augmentation.gamma=0", "augmentation.white_balance=0", "augmentation.dusk=0"),
    ),
    "no class weights": ("class_weights=null",),
    "twice the rate": ("optimizer.lr=2.0e-3",),
    "more dusk": ("augmentation.dusk=0.4", "augmentation.gamma=1.0"),
    "half the frames' size": ("input.size_hw=[360, 480]", "augmentation.crop_hw=[240, 320]"),
    "equal shares": ("datasets.0.share=1", "datasets.1.share=1", "datasets.2.share=1"),
    "statistics of the frames": ("reestimate_batch_norm=true",),
    "hard pixels": ("class_weights=null", "loss={name: ohem}"),
    "larger crops": ("augmentation.crop_hw=[720, 960]", "batch_size=4"),
    "four times the rate, twice the epochs": ("optimizer.lr=4.0e-3", "epochs=80"),
}
EPOCHS = 40


def train(row: str, seed: int, folder: Path, folders: Mapping[str, str]) -> RunFolder:
    """Runs or goes on with one training; gives its folder."""
    run = RunFolder(folder / f"{row.replace(' ', '_').replace(',', '')}_{seed}")
    command = [sys.executable, "-m", "swiftseg", "train", RECIPE, "--out", str(run.path)]
    for name, path in folders.items():
        command += ["--data", f"{name}={path}"]
    overrides = (f"seed={seed}", f"hold_out='{HELD_OUT_DRIVE}'", f"epochs={EPOCHS}", *ROWS[row])
    for override in (*overrides, f"validate_every={EPOCHS // 4}"):
        command += ["--set", override]
    if run.found():
        command.append("--resume")
    subprocess.run(command, check=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    return run


def main() -> None:
    parser = argparse.ArgumentParser(description="Trains and scores one change a row.")
    parser.add_argument("--camvid", required=True)
    parser.add_argument("--idd-lite", required=True)
    parser.add_argument("--labelmefacade", required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/street_table"))
    parser.add_argument("--rows", help="comma-separated; all rows if left out")
    options = parser.parse_args()
    names = ("camvid", "idd_lite", "labelmefacade")
    folders = {name: str(getattr(options, name)) for name in names}
    parts = held_out_parts(folders, hold_out=HELD_OUT_DRIVE)
    kept: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for row in options.rows.split(",") if options.rows else ROWS:
        for seed in SEEDS:
            if str(seed) in kept.get(row, {}):
                continue
            run = train(row, seed, options.out, folders)
            segmenter = Segmenter.load(run.best)
            scored = {name: summary(evaluate(segmenter, part)) for name, part in parts.items()}
            kept.setdefault(row, {})[str(seed)] = scored
            with replacing(RESULTS) as temporary:
                temporary.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
