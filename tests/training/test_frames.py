from collections.abc import Iterator

import numpy as np
import pytest
import torch

from swiftseg.core import LabelSet, Sample
from swiftseg.recipes.recipe import Augmentation
from swiftseg.training import frames as frames_module
from swiftseg.training.augmentation import Augment
from swiftseg.training.frames import (
    EpochFrames,
    TrainingFrames,
    batch_loader,
    epoch_batches,
    readers_that_fit,
)

SIZE_HW = (12, 16)


class Noise:
    """Frames of noise, each with values of its own."""

    labels = LabelSet(("a", "b"), ((0, 0, 0), (9, 9, 9)), 255)

    def __init__(self, count: int) -> None:
        self.count, self.reads = count, 0

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int, /) -> Sample:
        self.reads += 1
        rng = np.random.default_rng(index)
        image = rng.integers(0, 256, (*SIZE_HW, 3), dtype=np.uint8)
        return Sample(str(index), image, rng.integers(0, 2, SIZE_HW, dtype=np.uint8))

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))


def augmented_batches(frames: TrainingFrames) -> list[tuple[torch.Tensor, torch.Tensor]]:
    recipe = Augmentation(scale=(0.5, 2.0), horizontal_flip=0.5, brightness=0.3, class_balanced=0.5)
    seed = (3, 0, 1)
    epoch = EpochFrames(frames, Augment(recipe, SIZE_HW, ignore_index=255), seed)
    return list(batch_loader(epoch, epoch_batches(len(frames), 3, seed)))


# torch warns of more processes than cores.
@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize("workers", [1, 3])
def test_any_number_of_workers_gives_the_same_batches(
    workers: int, monkeypatch: pytest.MonkeyPatch
):
    in_this_process = augmented_batches(TrainingFrames(Noise(12), None))
    monkeypatch.setattr(frames_module, "MEMORY_LIMIT_BYTES", 0)
    frames = TrainingFrames(Noise(12), None, workers=workers)
    loader = batch_loader(EpochFrames(frames, None, (0, 0, 0)), [])
    assert loader.num_workers == workers
    for ours, theirs in zip(augmented_batches(frames), in_this_process, strict=True):
        assert torch.equal(ours[0], theirs[0])
        assert torch.equal(ours[1], theirs[1])


def test_frames_that_fit_are_read_once():
    dataset = Noise(5)
    frames = TrainingFrames(dataset, None, torch.device("cpu"))
    looked_at = dataset.reads
    assert list(frames.read_ahead()) == [1, 2, 3, 4, 5]
    assert not list(frames.read_ahead())
    assert torch.equal(frames[4][0], torch.from_numpy(dataset[4].image))
    assert dataset.reads == looked_at + 6


def test_frames_that_do_not_fit_are_read_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(frames_module, "MEMORY_LIMIT_BYTES", 4 * 12 * 16 * 5 - 1)
    assert TrainingFrames(Noise(5), None).held_on is None
    frames = TrainingFrames(Noise(4), None)
    assert frames.held_on == torch.device("cpu")
    # At a quarter of the pixels all of them fit.
    assert TrainingFrames(Noise(5), (6, 8)).held_on == torch.device("cpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_frames_on_a_gpu_are_augmented_there_by_the_same_draw():
    device = torch.device("cuda", 0)
    frames = TrainingFrames(Noise(6), None, device)
    list(frames.read_ahead())
    on_cpu = augmented_batches(TrainingFrames(Noise(6), None))
    for ours, theirs in zip(augmented_batches(frames), on_cpu, strict=True):
        assert ours[0].device == ours[1].device == device
        assert torch.equal(ours[1].cpu(), theirs[1])
        # Resizing rounds differently.
        assert (ours[0].cpu().float() - theirs[0].float()).abs().max() <= 2


class LargeInTheMiddle(Noise):
    """Frames of noise, all but the first and the last of four times the size."""

    def __getitem__(self, index: int, /) -> Sample:
        sample = super().__getitem__(index)
        if index in (0, self.count - 1):
            return sample
        return Sample(sample.name, sample.image.repeat(4, axis=0), sample.mask.repeat(4, axis=0))


def test_frames_larger_than_those_that_were_looked_at_are_not_kept(
    monkeypatch: pytest.MonkeyPatch,
):
    one = 4 * SIZE_HW[0] * SIZE_HW[1]
    monkeypatch.setattr(frames_module, "SIZES_LOOKED_AT", 2)
    monkeypatch.setattr(frames_module, "MEMORY_LIMIT_BYTES", 6 * one)
    frames = TrainingFrames(LargeInTheMiddle(5), None)
    assert frames.held_on is not None
    assert list(frames.read_ahead()) == [1, 2]
    assert frames.held_on is None
    assert not frames.memory
    monkeypatch.setattr(frames_module, "SIZES_LOOKED_AT", 5)
    assert TrainingFrames(LargeInTheMiddle(5), None).held_on is None


@pytest.mark.skipif(not frames_module.SHARED_MEMORY.is_dir(), reason="Linux has /dev/shm")
def test_processes_whose_batches_do_not_fit_into_shared_memory_stay_out(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    frames = EpochFrames(TrainingFrames(Noise(6), None), None, (0, 0, 0))
    batch_bytes = 3 * 4 * SIZE_HW[0] * SIZE_HW[1]
    batches = epoch_batches(6, 3, (0, 0, 0))
    assert readers_that_fit(2, frames, batches) == 2
    free = frames_module.shutil.disk_usage(frames_module.SHARED_MEMORY).free
    assert free > 0
    monkeypatch.setattr(frames_module, "BATCHES_A_READER", free // batch_bytes // 2 + 2)
    assert readers_that_fit(2, frames, batches) == 1
    monkeypatch.setattr(frames_module, "BATCHES_A_READER", 2 * (free // batch_bytes))
    assert readers_that_fit(2, frames, batches) == 0
    assert "none will read (in a container give more by --shm-size" in capfd.readouterr().err
