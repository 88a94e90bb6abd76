"""What Fast-SCNN's paper says of its design, asked of the shipped weights on CamVid's val frames.

    python benchmarks/fast_scnn_claims.py --camvid DIR

Without another training: the high-resolution branch set to zero (section 4.3), and frames of half
and a quarter of the size (Table 6), whose labels are enlarged to the masks' size. The paper's
figures are those of Cityscapes' val and test frames. Writes results/fast_scnn_claims.json and
docs/results/fast-scnn-claims.md.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

from swiftseg.core import ModelSpec
from swiftseg.core.files import replacing
from swiftseg.data import open_dataset
from swiftseg.evaluation import evaluate
from swiftseg.inference import Segmenter
from swiftseg.models import create_model
from swiftseg.runtimes import read_spec
from swiftseg.runtimes.torch_backend import TorchBackend
from swiftseg.trained import read_weights
from swiftseg.weights import shipped_models, shipped_weights

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "benchmarks/results/fast_scnn_claims.json"
PAGE = ROOT / "docs/results/fast-scnn-claims.md"
MODEL = "fast_scnn-camvid"

# Of each row: whether the skip is there, what the frame's sides are divided by, the paper's mean
# IoU in % of the row, and of the row that it is compared with there.
ROWS = {
    "as it is": (True, 1, 69.22, 69.22),
    "skip set to zero": (False, 1, 64.30, 69.22),
    "half the input": (True, 2, 62.8, 68.0),
    "a quarter of the input": (True, 4, 51.9, 68.0),
}

INTRODUCTION = """# What Fast-SCNN's paper says of its design

Made by `python benchmarks/fast_scnn_claims.py` from the shipped `fast_scnn-camvid`, on CamVid's 101
val frames: mean IoU in %, and the points that are lost against the row that the paper compares
with. No row has a training of its own, so half and a quarter of the input have weights of the full
size. The paper's figures are of Cityscapes: val for the skip, test for the inputs, and it does not
say whether those were trained at their size.

| | ours | points lost | the paper | points lost |
| --- | ---: | ---: | ---: | ---: |
"""


def mean_iou(spec: ModelSpec, camvid: Path, *, skip: bool, divisor: int) -> float:
    """Score the shipped weights, 0..1."""
    network = create_model(spec.network, num_classes=len(spec.labels), skip=skip)
    network.load_state_dict(read_weights(shipped_weights()[MODEL]))
    height, width = spec.input.size_hw
    size_hw = height // divisor, width // divisor
    small = replace(spec, input=replace(spec.input, size_hw=size_hw))
    segmenter = Segmenter(TorchBackend(network.eval(), small))
    return evaluate(segmenter, open_dataset(camvid, "val")).scores.mean_iou


def page(found: dict[str, float]) -> str:
    whole = found["as it is"]
    lines = [
        f"| {name} | {100 * found[name]:.1f} | {100 * (whole - found[name]):.1f} | {paper:.1f} | "
        f"{against - paper:.1f} |"
        for name, (_, _, paper, against) in ROWS.items()
    ]
    return INTRODUCTION + "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--camvid", type=Path, required=True, help="the folder of CamVid")
    given = parser.parse_args()
    spec = read_spec(shipped_models()[MODEL])
    found = {
        name: mean_iou(spec, given.camvid, skip=skip, divisor=divisor)
        for name, (skip, divisor, _, _) in ROWS.items()
    }
    for path, text in ((RESULT, json.dumps(found, indent=1) + "\n"), (PAGE, page(found))):
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    print(page(found))


if __name__ == "__main__":
    main()
