"""Averages the weights of trainings that began from one start, and writes them as one file.

    python benchmarks/average_weights.py fast_scnn-camvid=0.3 runs/a/best.pt=0.7 \
        --out mean.safetensors

A network that was trained on from another lies in the same valley as its start: their average is
often better on both data sets than either (Wortsman et al., Robust fine-tuning of zero-shot models,
arXiv:2109.01903). Each model is followed by its share; the shares are divided by their sum. Input,
class names and options are those of the last model named.
"""

import argparse
from pathlib import Path

import torch
from torch import Tensor

from swiftseg.inference import find_model
from swiftseg.trained import read_weights, save_weights
from swiftseg.trained.weights_file import read_description


def averaged(parts: list[tuple[dict[str, Tensor], float]]) -> dict[str, Tensor]:
    """Returns the weighted mean of every tensor of numbers; counts are the last part's."""
    total = sum(share for _, share in parts)
    last = parts[-1][0]
    return {
        name: sum(
            (weights[name].double() * (share / total) for weights, share in parts),
            start=torch.zeros((), dtype=torch.float64),
        ).to(tensor.dtype)
        if tensor.is_floating_point()
        else tensor
        for name, tensor in last.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("models", nargs="+", metavar="MODEL=SHARE")
    parser.add_argument("--out", type=Path, required=True, help="a .safetensors file")
    given = parser.parse_args()
    parts: list[tuple[dict[str, Tensor], float]] = []
    path = Path()
    for text in given.models:
        model, _, share = text.rpartition("=")
        path = find_model(model).weights or Path(model)
        parts.append((read_weights(path), float(share)))
    description = read_description(path)
    if description is None:
        raise SystemExit(f"{path} does not describe its network: name a file of swiftseg's last")
    save_weights(averaged(parts), description, given.out)


if __name__ == "__main__":
    main()
