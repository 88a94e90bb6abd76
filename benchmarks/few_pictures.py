"""What the default training reaches on 30 pictures, beside a tutorial's training of a U-Net.

    python benchmarks/few_pictures.py --minutes 20 --camvid CAMVID --facades FACADES

Three sets of 30 pictures, some of which the training holds out itself, and others to score on: of
CamVid, of facades (images/ and masks/ with indices), and of rendered streets. Both sides learn for
the same minutes on the same cores, and both are scored by `swiftseg.evaluation` on the same frames:

- `auto`: `swiftseg train auto`, with the weights that it chooses. Those have learned from all of
  CamVid's training frames, so that on CamVid it starts from `enet-toystreet`, the only shipped
  weights that have not, and its row says so.
- `unet`: segmentation_models.pytorch's Unet on a ResNet-34 as its tutorial for CamVid trains it:
  Dice loss, Adam at 2e-4 that falls as a cosine, flips, scales and crops of 320x320. The encoder
  starts from nothing. It is MIT-licensed and no dependency of ours:
  pip install segmentation-models-pytorch
- `unet-imagenet`: the same, but its encoder is a VGG-16 whose convolutions have seen ImageNet, as
  the tutorial's encoder has; --vgg16 names their file, without which this way is left out.

A row is written as soon as it is there, and rows that are there are not measured again. Measure on
a machine that has nothing else to do.
"""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import yaml
from PIL import Image
from torch import Tensor, nn

import swiftseg
from swiftseg.benchmarking.machine import describe_machine
from swiftseg.core import InputSpec, ModelSpec, SwiftsegError
from swiftseg.core.files import replacing
from swiftseg.data import Dataset, open_dataset
from swiftseg.data.toy_street import ToyStreet
from swiftseg.evaluation import evaluate
from swiftseg.inference import Segmenter
from swiftseg.layers.tensor_file import read_state_dict
from swiftseg.recipes.recipe import Augmentation
from swiftseg.runtimes.torch_backend import TorchBackend
from swiftseg.training.augmentation import Augment
from swiftseg.training.auto import SHIPPED_WEIGHTS
from swiftseg.training.frames import EpochFrames, TrainingFrames, batch_loader, epoch_batches

RESULT = Path(__file__).parent / "results" / "few_pictures.json"
NUM_PICTURES, NUM_SCORED = 30, 100
TOY_HW = (360, 480)
IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
CROP_HW, UNET_BATCH, UNET_LR = (320, 320), 8, 2e-4
UNET_CHANGES = Augmentation(scale=(0.5, 1.5), horizontal_flip=0.5, brightness=0.2, contrast=0.2)
STRIDE = 32  # of the U-Net, whose frames must divide by it


class Pictures(NamedTuple):
    """A set: where its 30 pictures lie, what it is scored on, and the weights `auto` may take."""

    folder: Path
    scored: Dataset
    weights: str | None


def write_pictures(samples: Sequence[Any], labels: swiftseg.LabelSet, folder: Path) -> Path:
    """Write samples as a user's own folder."""
    for number, sample in enumerate(samples):
        for name, pixels in (("images", sample.image), ("masks", sample.mask)):
            path = folder / name / f"{number:02}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    described = {"names": list(labels.names), "ignore_index": labels.ignore_index}
    (folder / "dataset.yaml").write_text(yaml.safe_dump(described))
    return folder


def evenly(dataset: Dataset, count: int) -> list[Any]:
    """Return that many samples, evenly taken."""
    chosen = np.linspace(0, len(dataset) - 1, min(count, len(dataset))).astype(int)
    return [dataset[int(index)] for index in np.unique(chosen)]


class Listed(list[Any]):
    """Samples as a data set."""

    labels: swiftseg.LabelSet


def listed(samples: Sequence[Any], labels: swiftseg.LabelSet) -> Listed:
    found = Listed(samples)
    found.labels = labels
    return found


def open_sets(options: argparse.Namespace, folder: Path) -> Iterator[tuple[str, Pictures]]:
    """Yield each set by its name, its pictures written below a folder."""
    if options.camvid:
        train, val = (open_dataset(options.camvid, split) for split in ("train", "val"))
        written = write_pictures(evenly(train, NUM_PICTURES), train.labels, folder / "camvid")
        scored = listed(evenly(val, NUM_SCORED), val.labels)
        yield "camvid", Pictures(written, scored, "enet-toystreet")
    if options.facades:
        train, val = (open_dataset(options.facades, split) for split in ("train", "val"))
        written = write_pictures(evenly(train, NUM_PICTURES), train.labels, folder / "facades")
        yield "facades", Pictures(written, listed(evenly(val, NUM_SCORED), val.labels), None)
    toy = ToyStreet("train", NUM_PICTURES, TOY_HW)
    written = write_pictures(list(toy), toy.labels, folder / "toystreet")
    scored = ToyStreet("test", NUM_SCORED, TOY_HW)
    yield "toystreet", Pictures(written, listed(list(scored), scored.labels), None)


def train_auto(pictures: Pictures, seed: int, minutes: float, folder: Path) -> dict[str, Any]:
    """Train by default for some minutes; the number of epochs follows from two short trainings."""
    common = {"data": pictures.folder, "weights": pictures.weights, "overwrite": True}
    seconds: dict[int, float] = {}
    for epochs in (1, 3):
        begin = time.perf_counter()
        probe = swiftseg.train("auto", out=folder / "probe", epochs=epochs, **common)
        seconds[epochs] = time.perf_counter() - begin
    # A disturbed first training must not make an epoch look short.
    per_epoch = max((seconds[3] - seconds[1]) / 2, seconds[3] / 6)
    epochs = max(1, int((60 * minutes - (seconds[1] - per_epoch)) / per_epoch))
    begin = time.perf_counter()
    run = swiftseg.train(
        "auto", out=folder / "run", epochs=epochs, overrides=[f"seed={seed}"], **common
    )
    took = (time.perf_counter() - begin) / 60
    evaluation = evaluate(Segmenter.load(run.folder), pictures.scored, show_progress=False)
    [stage] = probe.recipe.stages
    return {
        "network": stage.network,
        "starts_from": pictures.weights or SHIPPED_WEIGHTS.get(stage.network, "none"),
        "epochs": epochs,
        "minutes": round(took, 2),
        "mean_iou": round(100 * evaluation.scores.mean_iou, 2),
    }


def train_unet(pictures: Pictures, seed: int, minutes: float, vgg16: Path | None) -> dict[str, Any]:
    """Train the tutorial's U-Net for some minutes; its rate falls with the time that is over.

    Its encoder is a VGG-16 with the weights of a file, or without one a new ResNet-34.
    """
    import segmentation_models_pytorch as smp  # pyright: ignore[reportMissingImports]

    torch.manual_seed(seed)
    train_set = open_dataset(pictures.folder, "train")
    labels = train_set.labels
    encoder = "resnet34" if vgg16 is None else "vgg16"
    network = smp.Unet(encoder, encoder_weights=None, classes=len(labels))
    if vgg16 is not None:
        network.encoder.load_state_dict(read_state_dict(vgg16))
    loss_of = smp.losses.DiceLoss("multiclass", ignore_index=labels.ignore_index)
    optimizer = torch.optim.Adam(network.parameters(), lr=UNET_LR)
    steps, begin = 0, time.perf_counter()
    for frames, masks in augmented_batches(train_set, seed):
        over = (time.perf_counter() - begin) / (60 * minutes)
        if over >= 1:
            break
        optimizer.param_groups[0]["lr"] = UNET_LR * 0.5 * (1 + np.cos(np.pi * over))
        loss = loss_of(network.train()(normalized(frames)), masks.long())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        steps += 1
    took = (time.perf_counter() - begin) / 60
    spec = ModelSpec("unet", "unet", labels, InputSpec(whole_hw(train_set), **IMAGENET))
    segmenter = Segmenter(TorchBackend(Whole(network).eval(), spec))
    evaluation = evaluate(segmenter, pictures.scored, show_progress=False)
    return {
        "network": f"smp Unet, {encoder}",
        "starts_from": "none" if vgg16 is None else vgg16.stem,
        "steps": steps,
        "minutes": round(took, 2),
        "mean_iou": round(100 * evaluation.scores.mean_iou, 2),
    }


class Whole(nn.Module):
    """A network of another library, as ours are called."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        return self.network(image)


def augmented_batches(train_set: Dataset, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield batches without an end: uint8 (N, h, w, 3) and (N, h, w)."""
    ignored = train_set.labels.ignore_index
    augment = Augment(UNET_CHANGES, CROP_HW, ignore_index=255 if ignored is None else ignored)
    frames, epoch = TrainingFrames(train_set, None), 0
    while True:
        of_epoch = (seed, 0, epoch)
        batches = epoch_batches(len(frames), min(UNET_BATCH, len(frames)), of_epoch)
        yield from batch_loader(EpochFrames(frames, augment, of_epoch), batches)
        epoch += 1


def normalized(frames: Tensor) -> Tensor:
    """Return float32 (N, 3, h, w) as the encoder of the tutorial wants it."""
    mean, std = (torch.tensor(IMAGENET[name]).reshape(1, 3, 1, 1) for name in ("mean", "std"))
    return (frames.movedim(-1, 1).float() / 255 - mean) / std


def whole_hw(dataset: Dataset) -> tuple[int, int]:
    """Return the size of a frame in multiples of the U-Net's stride."""
    height, width = dataset[0].mask.shape
    return round(height / STRIDE) * STRIDE, round(width / STRIDE) * STRIDE


def read_rows(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text())["rows"] if path.is_file() else []


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    content = {"machine": describe_machine().model_dump(), "rows": rows}
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n")


def measure(options: argparse.Namespace, rows: list[dict[str, Any]], folder: Path) -> None:
    """Measure every row that is not there yet: each set by each way, before the next seed."""
    sets = dict(open_sets(options, folder))
    ways: dict[str, Callable[[Pictures, int], dict[str, Any]]] = {
        "auto": lambda pictures, seed: train_auto(pictures, seed, options.minutes, folder),
        "unet": lambda pictures, seed: train_unet(pictures, seed, options.minutes, None),
    }
    if options.vgg16 is not None:
        ways["unet-imagenet"] = lambda pictures, seed: train_unet(
            pictures, seed, options.minutes, options.vgg16
        )
    for seed, set_name, way in product(map(int, options.seeds.split(",")), sets, ways):
        key = {"set": set_name, "way": way, "seed": seed, "budget": options.minutes}
        if any(key.items() <= row.items() for row in rows):
            continue
        try:
            rows.append({**key, **ways[way](sets[set_name], seed)})
        except SwiftsegError as error:
            rows.append({**key, "error": str(error)})
        write_rows(options.out, rows)
        print(json.dumps(rows[-1]), flush=True)
        shutil.rmtree(folder / "run", ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--camvid", type=Path, help="the SegNet tutorial's folder")
    parser.add_argument("--facades", type=Path, help="images/ and masks/ of facades")
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--vgg16", type=Path, help="convolutions of torchvision's vgg16")
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        measure(options, read_rows(options.out), Path(name))


if __name__ == "__main__":
    main()
