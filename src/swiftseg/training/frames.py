"""Training frames, and the order in which they come."""

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from swiftseg.core.in_threads import THREADS, in_threads
from swiftseg.core.memory import free_memory_bytes
from swiftseg.data import Dataset
from swiftseg.data.views.mixture import Mixture
from swiftseg.kernels.resize import resize_frame, resize_labels
from swiftseg.runtimes.cores import physical_cores
from swiftseg.training.augmentation import Augment
from swiftseg.training.spread_samples import spread_samples
from swiftseg.training.training_progress import say_once

Batch = tuple[Tensor, Tensor]

# Decoded frames up to this many bytes stay in memory; a larger set is read again every epoch.
MEMORY_LIMIT_BYTES = 4 << 30
MEMORY_SHARE = 0.25  # of what is free: training and validation frames, and the networks beside them
SIZES_LOOKED_AT = 16
GPU_MEMORY_SHARE = 0.25  # of what is free before the training; networks need the rest
CPU = torch.device("cpu")
MAX_READER_PROCESSES = 4
SHARED_MEMORY = Path("/dev/shm")  # where batches of reader processes lie; Docker gives it 64 MB
BATCHES_A_READER = 3  # two that are read ahead and one that is handed over


class TrainingFrames:
    """A data set as tensors: images uint8 (H, W, 3) and masks uint8 (H, W), kept if they fit.

    Images of other types than uint8 are float32 (H, W, bands).

    Args:
        dataset: Where they come from.
        size_hw: Their size: images are resized bilinearly, masks to the nearest pixel. None leaves
            each at its own, for an augmentation to crop from.
        device: Where they are kept if its memory holds them all, and then they are augmented there
            as well; else the CPU's is tried.
        workers: Threads that read frames into memory, and processes that read those that do not
            fit; 0 reads in the training's own process. None takes a number for this machine.
    """

    def __init__(
        self,
        dataset: Dataset,
        size_hw: tuple[int, int] | None,
        device: torch.device = CPU,
        *,
        workers: int | None = None,
    ) -> None:
        self.dataset = dataset
        self.size_hw = size_hw
        self.workers = workers
        expected = expected_bytes(dataset, size_hw)
        places = [d for d in (device, CPU) if expected <= memory_limit(d)]
        self.held_on = places[0] if places else None
        self.limit_bytes = memory_limit(places[0]) if places else 0
        self.memory: dict[int, Batch] = {}

    @property
    def threads(self) -> int:
        """How many threads read frames."""
        return THREADS if self.workers is None else max(self.workers, 1)

    def reader_processes(self) -> int:
        """Return how many processes read frames during an epoch."""
        if self.held_on:
            return 0
        machines = min(MAX_READER_PROCESSES, physical_cores())
        return machines if self.workers is None else self.workers

    def read_ahead(self) -> Iterator[int]:
        """Read all frames into memory if they fit; yields how many there are so far.

        Where they turn out larger than those that were looked at, none is kept.
        """
        if self.held_on is None or len(self.memory) == len(self):
            return
        kept_bytes = 0
        frames = in_threads(self.read, range(len(self)), threads=self.threads)
        for index, (image, mask) in enumerate(frames):
            kept_bytes += image.nbytes + mask.nbytes
            if kept_bytes > self.limit_bytes:
                self.held_on = None
                self.memory.clear()
                return
            self.memory[index] = image.to(self.held_on), mask.to(self.held_on)
            yield index + 1

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Batch:
        return self.memory[index] if index in self.memory else self.read(index)

    def read(self, index: int) -> Batch:
        sample = self.dataset[index]
        image, mask = sample.image, sample.mask
        if self.size_hw is not None and mask.shape != self.size_hw:
            image = resize_frame(image, self.size_hw)
            mask = resize_labels(mask, self.size_hw)
        if image.dtype != np.uint8:  # torch does little with 16 bits
            image = image.astype(np.float32)
        return torch.from_numpy(image.copy()), torch.from_numpy(mask.copy())


def expected_bytes(dataset: Dataset, size_hw: tuple[int, int] | None) -> int:
    """Return how much memory all frames take, by some of them where each has its own size."""
    if size_hw is not None:
        return (_value_bytes(dataset[0].image) + 1) * size_hw[0] * size_hw[1] * len(dataset)
    if isinstance(dataset, Mixture):
        return sum(expected_bytes(part, None) for part in dataset.parts)
    samples = spread_samples(dataset, SIZES_LOOKED_AT)
    sizes = [(_value_bytes(sample.image) + 1) * sample.mask.size for sample in samples]
    return int(np.mean(sizes) * len(dataset))


def _value_bytes(image: np.ndarray) -> int:
    """Return how many bytes a pixel of an image takes as a tensor."""
    return image.shape[2] * (1 if image.dtype == np.uint8 else 4)


def memory_limit(device: torch.device) -> int:
    """Return how many bytes of frames a device may hold for this process."""
    if device.type != "cuda":
        processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))  # as torchrun tells
        return min(MEMORY_LIMIT_BYTES, int(MEMORY_SHARE * free_memory_bytes() / processes))
    free, _ = torch.cuda.mem_get_info(device)
    return int(GPU_MEMORY_SHARE * free)


class EpochFrames(TorchDataset[Batch]):
    """The frames of one epoch, augmented; `seed` names the epoch."""

    def __init__(
        self,
        frames: TrainingFrames,
        augment: Augment | Sequence[Augment] | None,
        seed: tuple[int, int, int],
    ) -> None:
        self.frames, self.augment, self.seed = frames, augment, seed

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, draw: int) -> Batch:
        """Return a frame; a draw of n frames or more is the second of a frame, or a later one."""
        index = draw % len(self.frames)
        image, mask = self.frames[index]
        augment = self.augment
        if augment is None:
            return image, mask
        if not isinstance(augment, Augment):
            augment = augment[self.part_of(index)]
        return augment(image, mask, (*self.seed, draw))

    def part_of(self, index: int) -> int:
        dataset = self.frames.dataset
        return dataset.part_of(index) if isinstance(dataset, Mixture) else 0


def epoch_batches(
    num_frames: int,
    batch_size: int,
    seed: tuple[int, int, int],
    *,
    sizes: Sequence[int] = (),
    shares: Sequence[float] = (),
) -> list[list[int]]:
    """Shuffle the frames of one epoch into batches; an incomplete last batch is dropped.

    The order depends on the arguments alone, so that a resumed run sees the same batches.

    Args:
        num_frames: Of all data sets together.
        batch_size: Over all devices.
        seed: The run, the stage and the epoch.
        sizes: The frames of each data set, where they are not drawn as often as they are.
        shares: How often each data set is drawn, in any unit.
    """
    random = np.random.default_rng(seed)
    order = random.permutation(num_frames)
    if shares:
        order = random.permutation(draws_by_share(num_frames, sizes, shares, random))
    full = num_frames // batch_size * batch_size
    return order[:full].reshape(-1, batch_size).tolist()


def draws_by_share(
    num_frames: int, sizes: Sequence[int], shares: Sequence[float], random: np.random.Generator
) -> np.ndarray:
    """Draw as many frames as there are, of each data set by its share: int64 (num_frames,).

    Within an epoch a data set's frames have all been drawn before one is drawn again; the second
    draw of frame i is `num_frames + i`, and so on.
    """
    ends = np.round(np.cumsum(shares) / np.sum(shares) * num_frames).astype(int)
    draws: list[np.ndarray] = []
    for count, size, first in zip(
        np.diff(ends, prepend=0), sizes, np.cumsum([0, *sizes[:-1]]), strict=True
    ):
        passes = -(-count // size)
        drawn = [random.permutation(size) + first + num_frames * number for number in range(passes)]
        draws.append(np.concatenate([*drawn, np.empty(0, int)])[:count])
    return np.concatenate(draws)


def batch_loader(frames: EpochFrames, batches: list[list[int]]) -> DataLoader[Batch]:
    """Return a loader of images uint8 (N, h, w, 3) and masks uint8 (N, h, w) in the given order."""
    # A generator of its own: a loader draws a seed when it starts, and from torch's global state
    # that would move the dropout of a resumed run.
    generator = torch.Generator()
    workers = frames.frames.reader_processes()
    if workers and batches:
        workers = readers_that_fit(workers, frames, batches)
    return DataLoader(frames, batch_sampler=batches, num_workers=workers, generator=generator)


def readers_that_fit(workers: int, frames: EpochFrames, batches: list[list[int]]) -> int:
    """Return how many reader processes have room for their batches in shared memory.

    Where there is too little, fewer processes read, or the training's own; a line says so.
    """
    if not SHARED_MEMORY.is_dir():
        return workers
    frame_bytes = sum(tensor.nbytes for tensor in frames[batches[0][0]])
    needed = BATCHES_A_READER * frame_bytes * len(batches[0])
    free = shutil.disk_usage(SHARED_MEMORY).free
    fitting = min(workers, free // max(needed, 1))
    if fitting < workers:
        say_once(
            f"warning: {SHARED_MEMORY} has {free >> 20} MB free, and {workers} processes that read "
            f"frames need {workers * needed >> 20} MB; {fitting or 'none'} will read (in a "
            "container give more by --shm-size or --ipc=host)"
        )
    return fitting
