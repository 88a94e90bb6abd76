"""Scores models of CamVid's classes on streets elsewhere, and keeps the JSON.

    python benchmarks/street_scores.py --camvid DIR --idd-lite DIR --labelmefacade DIR [MODEL ...]

Indian roads and facades are the frames that fast_scnn_streets holds out: whole drives, and places
by the beginning of the pictures' names. Their labels are coarser than CamVid's classes: a
prediction inside the set of classes that a label stands for is right, and mean IoU is that of the
coarse labels, as for whoever maps the 11 classes to them. MODEL is a shipped name or a file; all
shipped models of CamVid's classes are scored where none is named.
"""

import argparse
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from swiftseg.core.files import replacing
from swiftseg.data import Dataset
from swiftseg.data.published.camvid import CAMVID_LABELS
from swiftseg.data.views.mixture import Part, in_classes
from swiftseg.evaluation import Evaluation, evaluate
from swiftseg.inference import Segmenter, find_model
from swiftseg.recipes import load_recipe
from swiftseg.training.stage_data import divided_part
from swiftseg.training.training_data import split_opener
from swiftseg.weights import shipped_models

RESULTS = Path(__file__).parent / "results/street_scores.json"
RECIPE = "fast_scnn_streets"


def held_out_parts(folders: Mapping[str, str], hold_out: str | None = None) -> dict[str, Dataset]:
    """Opens what the recipe keeps out of the training, each data set in CamVid's classes.

    Of CamVid that is val, or a drive that is held out.
    """
    recipe = load_recipe(RECIPE, [] if hold_out is None else [f"hold_out='{hold_out}'"])
    open_split = split_opener(RECIPE, folders)
    parts: dict[str, Dataset] = {}
    for part in recipe.datasets:
        _, held_out = divided_part(recipe, part, open_split, "train")
        parts[part.name] = in_classes(Part(part.name, held_out, part.labels), CAMVID_LABELS)
    return parts


def summary(evaluation: Evaluation) -> dict[str, Any]:
    """Return the rows that the data set has labels for, and their means."""
    scores = evaluation.scores.to_dict(evaluation.labels)
    return {
        "frames": evaluation.frames,
        "mean_iou": scores["mean_iou"],
        "mean_iou_interval_95": evaluation.mean_iou_interval,
        "global_accuracy": scores["global_accuracy"],
        "iou": {name: iou for name, iou in scores["iou"].items() if iou is not None},
    }


def score(model: str, parts: Mapping[str, Dataset]) -> dict[str, Any]:
    path = find_model(model).path
    segmenter = Segmenter.load(model)
    scored = {name: summary(evaluate(segmenter, part)) for name, part in parts.items()}
    return {"sha256": hashlib.sha256(Path(path).read_bytes()).hexdigest(), **scored}


def street_models() -> list[str]:
    return [name for name in shipped_models() if name.endswith(("-camvid", "-streets"))]


def main() -> None:
    parser = argparse.ArgumentParser(description="Scores models on streets elsewhere.")
    parser.add_argument("--camvid", required=True)
    parser.add_argument("--idd-lite", required=True)
    parser.add_argument("--labelmefacade", required=True)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("models", nargs="*")
    options = parser.parse_args()
    names = ("camvid", "idd_lite", "labelmefacade")
    parts = held_out_parts({name: getattr(options, name) for name in names})
    kept = json.loads(options.out.read_text()) if options.out.exists() else {}
    for model in options.models or street_models():
        kept[Path(model).stem] = score(model, parts)
        means = {name: round(100 * kept[Path(model).stem][name]["mean_iou"], 1) for name in parts}
        print(model, means, flush=True)
        with replacing(options.out) as temporary:
            temporary.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
