"""Measures what `--void-below` keeps, and writes the temperature into the shipped models.

    python benchmarks/confidence.py --camvid CAMVID --others DIR [--write]

CamVid's val frames are halved by turns: one half gives the temperature, the other one says how many
pixels reach a probability and how many of these are right. DIR holds pictures that show no street;
`results/confidence.json` names them.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from swiftseg import Segmenter
from swiftseg.core.files import replacing
from swiftseg.data import open_dataset
from swiftseg.evaluation.fit_confidence import confident_pixels
from swiftseg.exporting.onnx_file import rewrite_spec
from swiftseg.kernels.confidence import confidence
from swiftseg.metrics.calibration import (
    calibration_counts,
    expected_calibration_error,
    fit_temperature,
)
from swiftseg.prediction.sources import find_sources
from swiftseg.runtimes import read_spec
from swiftseg.weights import shipped_models

RESULTS = Path(__file__).parent / "results/confidence.json"
MODELS = (
    "enet-camvid",
    "enet-streets",
    "fast_scnn-camvid",
    "fast_scnn-streets",
    "segfast-camvid",
    "segfast-streets",
)
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)

Pixels = tuple[np.ndarray, np.ndarray]  # probabilities float32 (C, N) and true classes (N,)


def measure(name: str, camvid: Path, others: Path) -> dict[str, Any]:
    """Return the temperature of a model, and what each threshold keeps and gets right."""
    segmenter = Segmenter.load(name)
    val_set = open_dataset(camvid, "val")
    frames = [confident_pixels(segmenter, val_set, index) for index in range(len(val_set))]
    fitted_on, judged_on = _joined(frames[::2]), _joined(frames[1::2])
    temperature = round(fit_temperature(*fitted_on), 3)
    probs, classes = judged_on
    sure, right = confidence(probs, temperature), probs.argmax(axis=0) == classes
    others_sure = [
        confidence(segmenter.probabilities(source.given), temperature)
        for source in find_sources([str(others)])
    ]
    elsewhere = np.concatenate([values.ravel() for values in others_sure])
    return {
        "temperature": temperature,
        "calibration_error": _calibration_error(probs, classes, 1.0),
        "calibration_error_with_temperature": _calibration_error(probs, classes, temperature),
        "accuracy": float(right.mean()),
        "thresholds": {
            str(threshold): {
                "kept": float((sure >= threshold).mean()),
                "accuracy_of_kept": float(right[sure >= threshold].mean()),
                "kept_of_no_street": float((elsewhere >= threshold).mean()),
            }
            for threshold in THRESHOLDS
        },
    }


def _joined(frames: list[Pixels]) -> Pixels:
    probs, classes = zip(*frames, strict=True)
    return np.concatenate(probs, axis=1), np.concatenate(classes)


def _calibration_error(probs: np.ndarray, classes: np.ndarray, temperature: float) -> float:
    powers = probs ** np.float32(1 / temperature)
    scaled = powers / powers.sum(axis=0)
    counts = calibration_counts(scaled[:, None], classes[None], None)
    return expected_calibration_error(counts)


def write_temperature(path: Path, temperature: float) -> None:
    """Write a temperature into the description of an exported file, unless it is there."""
    spec = read_spec(path)
    if spec.temperature != temperature:
        rewrite_spec(path, replace(spec, temperature=temperature))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--camvid", type=Path, required=True, help="The folder of CamVid.")
    parser.add_argument("--others", type=Path, required=True, help="Pictures of no street.")
    parser.add_argument("--write", action="store_true", help="Write it into the shipped models.")
    parser.add_argument("models", nargs="*", default=MODELS, help="Others keep their numbers.")
    options = parser.parse_args()
    kept = json.loads(RESULTS.read_text("utf-8"))["models"] if RESULTS.exists() else {}
    measured = {name: measure(name, options.camvid, options.others) for name in options.models}
    report: dict[str, Any] = {
        "data": "CamVid val: even frames give the temperature, odd frames all other numbers",
        "others": [Path(source.given).name for source in find_sources([str(options.others)])],
        "models": {**kept, **measured},
    }
    with replacing(RESULTS) as temporary:
        temporary.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    for name, numbers in measured.items():
        print(name, json.dumps(numbers, indent=1))
        if options.write:
            write_temperature(shipped_models()[name], numbers["temperature"])


if __name__ == "__main__":
    main()
