"""The data of each stage of a recipe."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from swiftseg.core import LabelSet, Sample, SwiftsegError, UsageError
from swiftseg.data import Dataset
from swiftseg.data.views.groups import has_group, hold_out, hold_out_share
from swiftseg.data.views.mixture import Mixture, Part
from swiftseg.data.views.void_class import WithVoidClass
from swiftseg.recipes.recipe import DataPart, Recipe, Stage
from swiftseg.training.augmentation import Augment
from swiftseg.training.criterion import padding_index
from swiftseg.training.frames import CPU, TrainingFrames, epoch_batches, memory_limit


@dataclass
class StageData:
    """What a stage learns from and is scored on.

    Attributes:
        frames: Training frames, at network size unless they are augmented.
        augment: Draws what the network sees, for each of several data sets; or None.
        val_set: What the evaluator scores, at label size.
        val_frames: The same at network size, for the validation loss.
        shares: How often each of several data sets is drawn; empty for one.
    """

    frames: TrainingFrames
    augment: Augment | list[Augment] | None
    val_set: Dataset
    val_frames: TrainingFrames
    batch_size: int
    epochs: int
    shares: tuple[float, ...] = ()

    def batches(self, seed: tuple[int, int, int]) -> list[list[int]]:
        """Return the frames of each batch of an epoch."""
        dataset = self.frames.dataset
        sizes = dataset.sizes if isinstance(dataset, Mixture) else ()
        return epoch_batches(
            len(self.frames), self.batch_size, seed, sizes=sizes, shares=self.shares
        )

    @property
    def steps_per_epoch(self) -> int:
        return len(self.frames) // self.batch_size

    @property
    def total_steps(self) -> int:
        return self.epochs * self.steps_per_epoch


class KeptInMemory:
    """A data set whose samples are read once, as long as they fit in memory."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.labels: LabelSet = dataset.labels
        self.samples: dict[int, Sample] = {}
        self.bytes = 0
        self.limit_bytes = memory_limit(CPU)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int, /) -> Sample:
        if index in self.samples:
            return self.samples[index]
        sample = self.dataset[index]
        if self.bytes < self.limit_bytes:
            self.samples[index] = sample
            self.bytes += sample.image.nbytes + sample.mask.nbytes
        return sample

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))


def open_stage_data(
    recipe: Recipe,
    open_split: Callable[[str | None, str], Dataset],
    num_processes: int,
    device: torch.device = CPU,
    *,
    workers: int | None = None,
) -> list[StageData]:
    """Open what each stage needs; stages on the same data share it.

    Raises:
        SwiftsegError: The data cannot be opened or don't fit the recipe.
    """
    last = recipe.stages[-1]
    opened: dict[tuple[str | None, str], tuple[TrainingFrames, Dataset, TrainingFrames]] = {}
    stages: list[StageData] = []
    for stage in recipe.stages:
        dataset = stage.dataset or recipe.dataset
        key = (dataset, stage.train_split)
        if key not in opened:
            is_final = key == (last.dataset or recipe.dataset, last.train_split)
            sets = divided(recipe, open_split, *key, is_final=is_final)
            train_set, val_set = (classes_of(recipe, dataset) for dataset in sets)
            val_set = KeptInMemory(val_set)
            size_hw = None if recipe.augmentation else recipe.input.size_hw
            opened[key] = (
                TrainingFrames(train_set, size_hw, device, workers=workers),
                val_set,
                TrainingFrames(val_set, recipe.input.size_hw),
            )
        frames, val_set, val_frames = opened[key]
        batch_size = checked_batch_size(recipe, stage, len(frames), num_processes)
        augment = build_augment(recipe, frames.dataset.labels)
        shares = tuple(part.share for part in recipe.datasets)
        stages.append(
            StageData(frames, augment, val_set, val_frames, batch_size, stage.epochs, shares)
        )
    return stages


def divided(
    recipe: Recipe,
    open_split: Callable[[str | None, str], Dataset],
    dataset: str | None,
    train_split: str,
    *,
    is_final: bool,
) -> tuple[Dataset, Dataset]:
    """Open what to learn from and what to be scored on.

    A group to hold out must be in the final stage's data; where an earlier stage has others, such
    as coarse annotations of other cities, it is scored on their validation split.
    """
    if recipe.datasets:
        return divided_parts(recipe, open_split, train_split)
    train_set, group = open_split(dataset, train_split), recipe.hold_out
    if group is not None and (is_final or has_group(train_set, group)):
        return hold_out(train_set, group)
    return train_set, open_split(dataset, recipe.val_split)


def divided_parts(
    recipe: Recipe, open_split: Callable[[str | None, str], Dataset], train_split: str
) -> tuple[Mixture, Mixture]:
    """Open several data sets, each divided in its own way; see `divided_part`."""
    train: list[Part] = []
    val: list[Part] = []
    for part in recipe.datasets:
        sets = divided_part(recipe, part, open_split, train_split)
        for parts, dataset in zip((train, val), sets, strict=True):
            parts.append(Part(part.name, dataset, part.labels))
    group = recipe.hold_out
    if group is not None and not any(has_group(part.dataset, group) for part in val):
        names = ", ".join(part.name for part in recipe.datasets)
        raise UsageError(f"the group {group!r} exists in none of {names}")
    return Mixture(train), Mixture(val)


def divided_part(
    recipe: Recipe,
    part: DataPart,
    open_split: Callable[[str | None, str], Dataset],
    train_split: str,
) -> tuple[Dataset, Dataset]:
    """Open what to learn from and what to be scored on of one of several data sets.

    The group that the recipe holds out is that of the data sets which have one of its name.
    """
    train_set = open_split(part.name, train_split)
    if recipe.hold_out is not None and has_group(train_set, recipe.hold_out):
        return hold_out(train_set, recipe.hold_out)
    if part.hold_out_share:
        return hold_out_share(train_set, part.hold_out_share)
    return train_set, open_split(part.name, recipe.val_split)


def classes_of(recipe: Recipe, dataset: Dataset) -> Dataset:
    """Return the data with the recipe's classes, void among them where it says so."""
    if recipe.void_as_class:
        dataset = WithVoidClass(dataset)
    if len(dataset.labels) != recipe.num_classes:
        raise SwiftsegError(
            f"the recipe has {recipe.num_classes} classes where the data has "
            f"{len(dataset.labels)} ({', '.join(dataset.labels.names)}); "
            f"write `num_classes: {len(dataset.labels)}` in place of `num_classes: "
            f"{recipe.num_classes}`, or add --set num_classes={len(dataset.labels)}"
        )
    return dataset


def checked_batch_size(recipe: Recipe, stage: Stage, num_frames: int, num_processes: int) -> int:
    """Return the stage's batch size, if the data fill it and the processes divide it."""
    batch_size = stage.batch_size or recipe.batch_size
    if num_frames < batch_size:
        raise SwiftsegError(
            f"a batch of {batch_size} is larger than the data of {num_frames} frames; "
            f"set batch_size to {num_frames} or less"
        )
    if batch_size % num_processes:
        raise SwiftsegError(
            f"a batch of {batch_size} cannot be shared by {num_processes} processes"
        )
    if batch_size // num_processes < recipe.accumulate:
        raise SwiftsegError(
            f"a batch of {batch_size} over {num_processes} processes cannot be taken in "
            f"{recipe.accumulate} parts; set accumulate to {batch_size // num_processes} or less"
        )
    return batch_size


def build_augment(recipe: Recipe, labels: LabelSet) -> Augment | list[Augment] | None:
    """Return what draws a frame's changes: one for each of several data sets."""
    if recipe.augmentation is None:
        return None
    size_hw, ignore_index = recipe.input.size_hw, padding_index(labels)
    if not recipe.datasets:
        return Augment(recipe.augmentation, size_hw, ignore_index=ignore_index)
    of_parts = (part.augmentation or recipe.augmentation for part in recipe.datasets)
    return [Augment(settings, size_hw, ignore_index=ignore_index) for settings in of_parts]
