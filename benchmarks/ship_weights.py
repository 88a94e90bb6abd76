"""Puts the best weights of a training into the package; their card is written by hand.

    python benchmarks/ship_weights.py runs/segfast_camvid_modern segfast-camvid

With `--start fast_scnn-camvid=0.25` the weights are averaged with those that the training began
from: a network that was trained on lies in the same valley as its start, and their average may be
better on the old data and the new ones than either (Wortsman et al., arXiv:2109.01903).

Writes NAME.onnx by `swiftseg export`, at the recipe's size and only where every engine agrees, and
NAME.safetensors to train on from.
"""

import argparse
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from swiftseg.runs import RunFolder
from swiftseg.trained import Description, load_checkpoint, read_weights, save_weights
from swiftseg.trained.checkpoint import Checkpoint, save_checkpoint
from swiftseg.weights import shipped_weights

WEIGHTS = Path(__file__).parents[1] / "src/swiftseg/weights"


def averaged(checkpoint: Checkpoint, start: str, share: float) -> Checkpoint:
    """Returns the checkpoint with such a share of its start's weights; its scores are unknown."""
    begun = read_weights(shipped_weights()[start])
    network = {
        name: tensor.lerp(begun[name], share) if tensor.is_floating_point() else tensor
        for name, tensor in checkpoint.network.items()
    }
    return replace(checkpoint, network=network, state=replace(checkpoint.state, history=[]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="The folder of the training.")
    parser.add_argument("name", help="Such as segfast-camvid.")
    parser.add_argument("--start", metavar="NAME=SHARE", help="Average with shipped weights.")
    options = parser.parse_args()
    checkpoint = load_checkpoint(RunFolder(options.run).best)
    if options.start:
        start, _, share = options.start.partition("=")
        checkpoint = averaged(checkpoint, start, float(share))
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
    with tempfile.TemporaryDirectory() as folder:
        best = Path(folder) / "best.pt"
        save_checkpoint(checkpoint, best)
        command = [sys.executable, "-m", "swiftseg", "export", str(best), "--out", out]
        subprocess.run([*command, "--name", options.name], check=True)
    save_weights(checkpoint.network, description, WEIGHTS / f"{options.name}.safetensors")


if __name__ == "__main__":
    main()
