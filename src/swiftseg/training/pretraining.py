"""Pre-training of a network's first modules as a classifier, on ImageNet or a tree like it.

Fast-SCNN (arXiv:1902.04502, section 4.3) replaces its feature fusion by average pooling and its
classifier by a softmax layer. The paper reports 60.71 % top-1 and 83.0 % top-5 accuracy and does
not describe the training. Here it is MobileNet's usual one: SGD with a rate that falls along a
cosine, crops of 8 to 100 % of a picture's area, mirrored at random.
"""

import csv
import io
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import lr_scheduler
from torch.utils.data import DataLoader, Dataset
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from swiftseg.core import SwiftsegError, UsageError, log, unknown_name
from swiftseg.core.errors import first_line
from swiftseg.core.files import replacing, write_file
from swiftseg.core.progress import LateProgress
from swiftseg.data.images.image_file import read_image
from swiftseg.layers.tensor_digest import digest_of
from swiftseg.layers.tensor_file import DIGEST_KEY, read_tensor_file
from swiftseg.models.fast_scnn import FastSCNNImageNet
from swiftseg.recipes.recipe import Optimizer
from swiftseg.runs import RunFolder
from swiftseg.training.fine_tune import MEAN, STD
from swiftseg.training.optimization import parameter_groups

CLASSIFIERS: Mapping[str, Callable[[int], nn.Module]] = {"fast_scnn": FastSCNNImageNet}

WEIGHTS = "pretrained.safetensors"
SMALLEST_AREA = 0.08
SHORT_SIDE = 256 / 224  # of a picture to score, times the crop's side
SETTINGS = Optimizer(
    name="sgd", lr=0.1, weight_decay=4e-5, no_decay=("depthwise", "norm", "bias")
)  # section 4's, but for the rate


@dataclass(frozen=True)
class Accuracy:
    """An epoch of a pre-training.

    Attributes:
        epoch: From 1.
        loss: The mean of its training batches.
        lr: At its end.
        top1: The share of validation pictures whose class is the likeliest, 0..1.
        top5: And of those whose class is among the five likeliest.
    """

    epoch: int
    loss: float
    lr: float
    top1: float
    top5: float


def pretrain(
    network: str,
    data: Path,
    out: Path,
    *,
    epochs: int = 90,
    batch_size: int = 256,
    lr: float = 0.1,
    side: int = 224,
    workers: int = 4,
    seed: int = 0,
    resume: bool = False,
    on_epoch: Callable[[Accuracy], None] | None = None,
) -> list[Accuracy]:
    """Train a classifier and write the weights that `swiftseg train --weights` starts from.

    Args:
        network: One of `CLASSIFIERS`.
        data: Holds `train/CLASS/*` and `val/CLASS/*`, ImageNet's synsets or any other classes.
        out: Gets `pretrained.safetensors` of the best epoch, `metrics.csv` and `last.pt`.
        epochs: How often all pictures are seen.
        batch_size: Over all devices.
        lr: The rate at the start, of a batch of 256; others have one in proportion.
        side: Of the square crops, in pixels.
        workers: Processes that read pictures; 0 reads in this one.
        seed: Of the weights, the order and the crops.
        resume: Whether to go on with what `out` holds.
        on_epoch: Called after each epoch, once its files are written.

    Returns:
        All epochs so far.

    Raises:
        UsageError: There is no such network, `out` holds a run and `resume` is false, or it holds
            one that was begun otherwise.
        SwiftsegError: A folder is missing or a picture cannot be read.
    """
    if network not in CLASSIFIERS:
        raise unknown_name("network to pre-train", network, CLASSIFIERS)
    run = RunFolder(out)
    if not resume and run.last.exists():
        raise UsageError(f"{out}: holds a pre-training already; continue it with --resume")
    accelerator = Accelerator(cpu=not torch.accelerator.is_available())
    if batch_size % accelerator.num_processes:
        raise UsageError(
            f"a batch of {batch_size} cannot be shared by {accelerator.num_processes} processes"
        )
    settings = {"epochs": epochs, "batch_size": batch_size, "lr": lr, "side": side, "seed": seed}
    train_set = open_pictures(data / "train", training_transform(side))
    val_set = open_pictures(data / "val", validation_transform(side))
    if train_set.classes != val_set.classes:
        raise SwiftsegError(f"{data}: train and val do not hold folders of the same classes")
    if len(train_set) < batch_size:
        raise UsageError(
            f"a batch of {batch_size} is larger than the data of {len(train_set)} pictures"
        )
    torch.manual_seed(seed)
    model = CLASSIFIERS[network](len(train_set.classes))
    rate = lr * batch_size / 256
    optimizer = torch.optim.SGD(parameter_groups(SETTINGS, model, rate), momentum=SETTINGS.momentum)
    schedule = lr_scheduler.CosineAnnealingLR(optimizer, epochs * (len(train_set) // batch_size))
    history = restored(run.last, settings, model, optimizer, schedule) if resume else []
    a_device = batch_size // accelerator.num_processes
    train_batches = batches_of(Readable(train_set), a_device, workers, shuffled=True)
    val_batches = batches_of(val_set, a_device, workers, shuffled=False)
    model, optimizer, train_batches, val_batches = accelerator.prepare(
        model, optimizer, train_batches, val_batches
    )
    with run.locked() if accelerator.is_main_process else nullcontext():
        for epoch in range(len(history) + 1, epochs + 1):
            torch.manual_seed(hash((seed, epoch)))
            loss = run_epoch(
                accelerator, model, optimizer, schedule, train_batches, f"epoch {epoch}/{epochs}"
            )
            top1, top5 = score(accelerator, model, val_batches, len(val_set))
            history.append(Accuracy(epoch, loss, float(schedule.get_last_lr()[0]), top1, top5))
            if accelerator.is_main_process:
                whole = accelerator.unwrap_model(model)
                keep(run, settings, whole, optimizer, schedule, history)
                if on_epoch:
                    on_epoch(history[-1])
    return history


def open_pictures(folder: Path, transform: Callable[[Image.Image], Tensor]) -> ImageFolder:
    """Open pictures in one folder a class.

    Raises:
        SwiftsegError: There is no such folder, or a class has no picture.
    """
    try:
        return ImageFolder(str(folder), transform, loader=read_picture)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SwiftsegError(f"{folder}: expected pictures in {folder}/CLASS ({error})") from error


class Readable(Dataset[tuple[Tensor, int]]):
    """Pictures; one that cannot be read is replaced by the next one, with a warning."""

    def __init__(self, pictures: ImageFolder) -> None:
        self.pictures = pictures

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        for number in range(index, index + len(self)):
            try:
                return self.pictures[number % len(self)]
            except SwiftsegError as error:
                log.warn(f"left out: {error}")
        raise SwiftsegError(f"{self.pictures.root}: no picture can be read")


def read_picture(path: str) -> Image.Image:
    return Image.fromarray(read_image(Path(path)))


def training_transform(side: int) -> v2.Compose:
    crop = v2.RandomResizedCrop(side, scale=(SMALLEST_AREA, 1.0), antialias=True)
    return v2.Compose([v2.ToImage(), crop, v2.RandomHorizontalFlip(), *normalization()])


def validation_transform(side: int) -> v2.Compose:
    resized = v2.Resize(round(SHORT_SIDE * side), antialias=True)
    return v2.Compose([v2.ToImage(), resized, v2.CenterCrop(side), *normalization()])


def normalization() -> tuple[v2.Transform, ...]:
    return v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)


def batches_of(
    pictures: Dataset[tuple[Tensor, int]], batch_size: int, workers: int, *, shuffled: bool
) -> DataLoader[Any]:
    """Return batches of pictures float (N, 3, H, W) and classes int64 (N,)."""
    return DataLoader(
        pictures,
        batch_size,
        shuffle=shuffled,
        num_workers=workers,
        drop_last=shuffled,
        pin_memory=torch.cuda.is_available(),
    )


def run_epoch(
    accelerator: Accelerator,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: lr_scheduler.LRScheduler,
    batches: DataLoader[Any],
    name: str,
) -> float:
    """Take the steps of one epoch; return their mean loss."""
    model.train()
    total = torch.zeros((), device=accelerator.device)
    with LateProgress(name, enabled=accelerator.is_main_process) as progress:
        progress.expect(len(batches))
        for pictures, classes in batches:
            optimizer.zero_grad(set_to_none=True)
            with accelerator.autocast():
                loss = F.cross_entropy(model(pictures), classes)
            accelerator.backward(loss)
            optimizer.step()
            schedule.step()
            total += loss.detach()
            progress.advance()
    mean = accelerator.reduce(total, "mean")
    return float(torch.as_tensor(mean)) / len(batches)


@torch.no_grad()
def score(
    accelerator: Accelerator, model: nn.Module, batches: DataLoader[Any], count: int
) -> tuple[float, float]:
    """Return top-1 and top-5 accuracy, 0..1; of fewer than five classes all are among the five."""
    model.eval()
    right = torch.zeros(2, device=accelerator.device)
    for pictures, classes in batches:
        scores, classes = accelerator.gather_for_metrics((model(pictures), classes))
        likeliest = scores.topk(min(5, scores.shape[1])).indices  # (N, 5)
        hits = likeliest == classes[:, None]
        right += torch.stack((hits[:, 0].sum(), hits.any(1).sum()))
    top1, top5 = (right / count).tolist()
    return top1, top5


def keep(
    run: RunFolder,
    settings: Mapping[str, float],
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: lr_scheduler.LRScheduler,
    history: list[Accuracy],
) -> None:
    """Write an epoch's results; the weights are those of the best one."""
    if history[-1].top1 >= max(epoch.top1 for epoch in history):
        weights = {n: t.detach().cpu().contiguous() for n, t in model.state_dict().items()}
        with replacing(run.path / WEIGHTS, durable=True) as path:
            save_file(weights, path, {DIGEST_KEY: digest_of(weights)})
    state = {
        "settings": dict(settings),
        "network": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "schedule": schedule.state_dict(),
        "history": [astuple(epoch) for epoch in history],
    }
    with replacing(run.last, durable=True) as path:
        torch.save(state, path)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow([field.name for field in fields(Accuracy)])
    writer.writerows(astuple(epoch) for epoch in history)
    write_file(run.metrics, table.getvalue())


def restored(
    path: Path,
    settings: Mapping[str, float],
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: lr_scheduler.LRScheduler,
) -> list[Accuracy]:
    """Fill everything from what `keep` wrote; return the epochs so far.

    Raises:
        SwiftsegError: The file is missing, damaged, or of other classes.
        UsageError: It was begun with other settings.
    """
    state = read_tensor_file(path)
    try:
        for name, value in settings.items():
            begun = state["settings"][name]
            if begun != value:
                option = "--" + name.replace("_", "-")
                raise UsageError(f"{path.parent}: was begun with {option} {begun}, not {value}")
        model.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        return [Accuracy(*epoch) for epoch in state["history"]]
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise SwiftsegError(
            f"{path}: not a pre-training of these classes: {first_line(error)}"
        ) from error
