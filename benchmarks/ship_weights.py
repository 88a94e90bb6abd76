"""Puts the best weights of a training into the package; their card is written by hand.

    python benchmarks/ship_weights.py runs/segfast_camvid_modern segfast-camvid

Writes NAME.onnx by `swiftseg export`, at the recipe's size and only where every engine agrees, and
NAME.safetensors to train on from.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from swiftseg.importing.import_checkpoint import Imported
from swiftseg.trained.checkpoint import build_network, load_checkpoint
from swiftseg.trained.weights_file import save_weights

WEIGHTS = Path(__file__).parents[1] / "src/swiftseg/weights"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="The folder of the training.")
    parser.add_argument("name", help="Such as segfast-camvid.")
    options = parser.parse_args()
    best = options.run / "best.pt"
    checkpoint = load_checkpoint(best)
    stage = checkpoint.recipe.stages[checkpoint.stage]
    weights = Imported(
        network=stage.network,
        num_classes=checkpoint.recipe.num_classes,
        options=stage.options,
        weights=build_network(checkpoint, best).state_dict(),
        source=f"swiftseg train {checkpoint.recipe.name.replace('-', '_')}",
        expects="",
        deviations=(),
        bridged=(),
        left_out=(),
    )
    out = str(WEIGHTS / f"{options.name}.onnx")
    command = [sys.executable, "-m", "swiftseg", "export", str(best), "--out", out]
    command += ["--name", options.name]
    subprocess.run(command, check=True)
    save_weights(weights, WEIGHTS / f"{options.name}.safetensors")


if __name__ == "__main__":
    main()
