"""Puts the best weights of a training into the package; their card is written by hand.

    python benchmarks/ship_weights.py runs/segfast_camvid_modern segfast-camvid

Writes NAME.onnx by `swiftseg export`, at the recipe's size and only where every engine agrees, and
NAME.safetensors to train on from.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from swiftseg.runs import RunFolder
from swiftseg.trained import Description, load_checkpoint, save_weights

WEIGHTS = Path(__file__).parents[1] / "src/swiftseg/weights"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="The folder of the training.")
    parser.add_argument("name", help="Such as segfast-camvid.")
    options = parser.parse_args()
    best = RunFolder(options.run).best
    checkpoint = load_checkpoint(best)
    recipe = checkpoint.recipe
    description = Description(
        network=checkpoint.stage.network,
        num_classes=recipe.num_classes,
        options=checkpoint.stage.without_backbone_weights().options,
        source=f"swiftseg train {recipe.name.replace('-', '_')}",
        input=recipe.input.to_spec(),
        labels=checkpoint.labels,
    )
    out = str(WEIGHTS / f"{options.name}.onnx")
    command = [sys.executable, "-m", "swiftseg", "export", str(best), "--out", out]
    command += ["--name", options.name]
    subprocess.run(command, check=True)
    save_weights(checkpoint.network, description, WEIGHTS / f"{options.name}.safetensors")


if __name__ == "__main__":
    main()
