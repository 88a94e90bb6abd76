"""Counts labels that flicker where the scene stands still, with smoothing over time on and off.

    python benchmarks/flicker.py [--camvid DIR] [MODEL ...]

On two drives: the demo's, which is rendered, and CamVid's val, neighboring frames of one drive at
15 a second. A pixel is still where it has one true label in both of two neighboring frames and its
color changes by no more than STILL_CHANGE of 255 in any channel. The share of these whose predicted
label changes is kept as JSON.
"""

import argparse
import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from swiftseg.core import Sample
from swiftseg.core.files import replacing
from swiftseg.data import open_dataset
from swiftseg.data.toy_street import render_clip
from swiftseg.inference import Segmenter
from swiftseg.prediction.street_demo import CLIP_SEED

RESULTS = Path(__file__).parent / "results/flicker.json"
STILL_CHANGE = 8
SMOOTH = 0.6
DEMO_FRAMES, DEMO_SIZE_HW = 48, (360, 480)


def still_pixels(before: Sample, after: Sample) -> np.ndarray:
    """Tells where the scene does not change, bool (H, W)."""
    change = np.abs(before.image.astype(np.int16) - after.image.astype(np.int16)).max(axis=2)
    return (before.mask == after.mask) & (change <= STILL_CHANGE)


def flicker(segmenter: Segmenter, clip: Sequence[Sample]) -> dict[str, Any]:
    """Return the still pixels of a clip, and the share of them whose label changes."""
    label_maps = [segmenter(sample.image).label_map for sample in clip]
    still = changed = 0
    for (before, after), (old, new) in zip(pairwise(clip), pairwise(label_maps), strict=True):
        where = still_pixels(before, after)
        still += int(where.sum())
        changed += int((where & (old != new)).sum())
    return {"still_pixels": still, "flicker": changed / max(still, 1)}


def measure(model: str, clips: dict[str, Sequence[Sample]]) -> dict[str, Any]:
    segmenter = Segmenter.load(model)
    found: dict[str, Any] = {}
    for name, clip in clips.items():
        found[name] = {
            "off": flicker(segmenter, clip),
            f"smooth {SMOOTH}": flicker(segmenter.smoothed(SMOOTH), clip),
        }
        print(model, name, {how: round(100 * f["flicker"], 2) for how, f in found[name].items()})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Counts labels that flicker.")
    parser.add_argument("--camvid", help="the folder of CamVid")
    parser.add_argument("models", nargs="*", default=["fast_scnn-camvid"])
    options = parser.parse_args()
    clips: dict[str, Sequence[Sample]] = {
        "demo": render_clip(CLIP_SEED, DEMO_FRAMES, DEMO_SIZE_HW),
    }
    if options.camvid:
        clips["camvid val"] = list(open_dataset(options.camvid, "val"))
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for model in options.models:
        kept[Path(model).stem] = measure(model, clips)
        with replacing(RESULTS) as temporary:
            temporary.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
