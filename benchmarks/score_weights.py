"""Scores the shipped weights by `swiftseg evaluate` and keeps the JSON under results/scores/.

    python benchmarks/score_weights.py --camvid DIR

Weights that are not shipped, or whose data is not given, are passed over and keep their file. The
table of the README is made from these files by readme_tables.py.
"""

import argparse
import hashlib
import json
import platform
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from swiftseg.core.files import replacing
from swiftseg.data.opening import TOY_STREET
from swiftseg.weights import shipped_models

SCORES = Path(__file__).parent / "results/scores"
PACKAGES = ("swiftseg", "onnxruntime", "numpy", "pillow")


@dataclass(frozen=True)
class Scoring:
    """A model and the labeled frames that it is published with."""

    model: str
    data: str
    split: str


# Frames that neither trained the weights nor chose among their epochs, where there are such: CamVid
# val has chosen among the epochs, since the test frames are kept for the last measurement.
SCORINGS = (
    Scoring("enet-camvid", "CamVid", "val"),
    Scoring("enet-streets", "CamVid", "val"),
    Scoring("fast_scnn-camvid", "CamVid", "val"),
    Scoring("fast_scnn-streets", "CamVid", "val"),
    Scoring("segfast-camvid", "CamVid", "val"),
    Scoring("segfast-streets", "CamVid", "val"),
    Scoring("enet-toystreet", TOY_STREET, "test"),
)


def score(scoring: Scoring, source: str) -> dict[str, Any]:
    """Runs the command on `source`, a folder or a name; gives its summary and what it hangs on."""
    command = ["evaluate", scoring.model, "--split", scoring.split, "--json", "--data"]
    arguments = [sys.executable, "-m", "swiftseg", *command, source]
    done = subprocess.run(arguments, stdout=subprocess.PIPE, check=True)
    # Nobody else has this machine's folders; the data's name says more.
    summary = json.loads(done.stdout) | {"data": scoring.data}
    return {
        "command": " ".join(["swiftseg", *command, scoring.data]),
        "sha256": weights_digest(scoring.model),
        "versions": {name: version(name) for name in PACKAGES},
        "machine": platform.machine(),
        **summary,
    }


def weights_digest(model: str) -> str:
    """Tells weights apart, so that a score cannot outlive the file it was taken from."""
    return hashlib.sha256(shipped_models()[model].read_bytes()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--camvid", help="the folder of CamVid")
    parser.add_argument("models", nargs="*", help="All, if none is named.")
    options = parser.parse_args()
    sources = {TOY_STREET: TOY_STREET, "CamVid": options.camvid}
    for scoring in SCORINGS:
        if options.models and scoring.model not in options.models:
            continue
        source = sources[scoring.data]
        if source is None or scoring.model not in shipped_models():
            print(f"passed over {scoring.model}: no weights, or no data given")
            continue
        path = SCORES / f"{scoring.model}.json"
        result = score(scoring, source)
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        print(f"wrote {path}: mIoU {result['mean_iou']:.4f}")


if __name__ == "__main__":
    main()
