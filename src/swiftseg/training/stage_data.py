"""The data of each stage of a recipe."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from swiftseg.core import LabelSet, Sample, SwiftsegError
from swiftseg.data import Dataset
from swiftseg.data.void_class import WithVoidClass
from swiftseg.training.augmentation import Augment
from swiftseg.training.criterion import PADDING_INDEX
from swiftseg.training.frames import MEMORY_LIMIT_BYTES, TrainingFrames
from swiftseg.training.recipe import Recipe, Stage


@dataclass
class StageData:
    """What a stage learns from and is scored on.

    Attributes:
        frames: Training frames, at network size unless they are augmented.
        augment: Draws what the network sees, or None.
        val_set: What the evaluator scores, at label size.
        val_frames: The same at network size, for the validation loss.
        batch_size: Over all devices.
        epochs: Of the stage.
    """

    frames: TrainingFrames
    augment: Augment | None
    val_set: Dataset
    val_frames: TrainingFrames
    batch_size: int
    epochs: int

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

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int, /) -> Sample:
        if index in self.samples:
            return self.samples[index]
        sample = self.dataset[index]
        if self.bytes < MEMORY_LIMIT_BYTES:
            self.samples[index] = sample
            self.bytes += sample.image.nbytes + sample.mask.nbytes
        return sample

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))


def open_stage_data(
    recipe: Recipe, open_split: Callable[[str | None, str], Dataset], num_processes: int
) -> list[StageData]:
    """Opens what each stage needs; stages on the same data share it.

    Raises:
        SwiftsegError: The data cannot be opened or don't fit the recipe.
    """
    opened: dict[tuple[str | None, str], tuple[TrainingFrames, Dataset, TrainingFrames]] = {}
    stages: list[StageData] = []
    for stage in recipe.stages:
        dataset = stage.dataset or recipe.dataset
        key = (dataset, stage.train_split)
        if key not in opened:
            train_set = classes_of(recipe, open_split(dataset, stage.train_split))
            val_set = KeptInMemory(classes_of(recipe, open_split(dataset, recipe.val_split)))
            opened[key] = (
                TrainingFrames(train_set, None if recipe.augmentation else recipe.input.size_hw),
                val_set,
                TrainingFrames(val_set, recipe.input.size_hw),
            )
        frames, val_set, val_frames = opened[key]
        batch_size = checked_batch_size(recipe, stage, len(frames), num_processes)
        augment = build_augment(recipe, frames.dataset.labels)
        stages.append(StageData(frames, augment, val_set, val_frames, batch_size, stage.epochs))
    return stages


def classes_of(recipe: Recipe, dataset: Dataset) -> Dataset:
    """Gives the data with the recipe's classes, void among them where it says so."""
    if recipe.void_as_class:
        dataset = WithVoidClass(dataset)
    if len(dataset.labels) != recipe.num_classes:
        raise SwiftsegError(
            f"the recipe has {recipe.num_classes} classes where the data has "
            f"{len(dataset.labels)} ({', '.join(dataset.labels.names)}); "
            f"set num_classes={len(dataset.labels)}"
        )
    return dataset


def checked_batch_size(recipe: Recipe, stage: Stage, num_frames: int, num_processes: int) -> int:
    """Gives the stage's batch size, if the data fill it and the processes divide it."""
    batch_size = stage.batch_size or recipe.batch_size
    if num_frames < batch_size:
        raise SwiftsegError(
            f"a batch of {batch_size} is larger than the data of {num_frames} frames; "
            f"set batch_size to {num_frames} or less"
        )
    if batch_size % num_processes:
        raise SwiftsegError(
            f"a batch of {batch_size} does not divide over {num_processes} processes"
        )
    return batch_size


def build_augment(recipe: Recipe, labels: LabelSet) -> Augment | None:
    if recipe.augmentation is None:
        return None
    ignore_index = PADDING_INDEX if labels.ignore_index is None else labels.ignore_index
    return Augment(recipe.augmentation, recipe.input.size_hw, ignore_index=ignore_index)
