"""Training frames at network size, and the order in which they come."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from swiftseg.data import Dataset

Batch = tuple[Tensor, Tensor]

# Decoded frames up to this many bytes stay in memory; a larger set is read again every epoch.
MEMORY_LIMIT_BYTES = 4 << 30
READER_PROCESSES = 4


class TrainingFrames(TorchDataset[Batch]):
    """A data set as tensors: image uint8 (h, w, 3) and mask uint8 (h, w), both at `size_hw`.

    Images are resized bilinearly, masks to the nearest pixel.
    """

    def __init__(self, dataset: Dataset, size_hw: tuple[int, int]) -> None:
        self.dataset = dataset
        self.size_hw = size_hw
        self.fits_in_memory = 4 * size_hw[0] * size_hw[1] * len(dataset) <= MEMORY_LIMIT_BYTES
        self.memory: dict[int, Batch] = {}

    def read_ahead(self) -> Iterator[int]:
        """Reads all frames into memory if they fit; yields how many there are so far."""
        if not self.fits_in_memory:
            return
        with ThreadPoolExecutor() as threads:
            for index, frame in enumerate(threads.map(self.read, range(len(self)))):
                self.memory[index] = frame
                yield index + 1

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Batch:
        return self.memory[index] if index in self.memory else self.read(index)

    def read(self, index: int) -> Batch:
        sample = self.dataset[index]
        image, mask = sample.image, sample.mask
        if mask.shape != self.size_hw:
            size_wh = self.size_hw[::-1]
            image = np.asarray(
                Image.fromarray(image).resize(size_wh, Image.Resampling.BILINEAR, reducing_gap=3.0)
            )
            mask = np.asarray(Image.fromarray(mask).resize(size_wh, Image.Resampling.NEAREST))
        return torch.from_numpy(image.copy()), torch.from_numpy(mask.copy())


def epoch_batches(
    num_frames: int, batch_size: int, *, seed: int, stage: int, epoch: int
) -> list[list[int]]:
    """Shuffles the frames of one epoch into batches; an incomplete last batch is dropped.

    The order depends on the arguments alone, so that a resumed run sees the same batches.
    """
    order = np.random.default_rng((seed, stage, epoch)).permutation(num_frames)
    full = num_frames // batch_size * batch_size
    return order[:full].reshape(-1, batch_size).tolist()


def batch_loader(frames: TrainingFrames, batches: list[list[int]]) -> DataLoader[Batch]:
    """Loads images uint8 (N, h, w, 3) and masks uint8 (N, h, w) in the given order."""
    workers = 0 if frames.fits_in_memory else READER_PROCESSES
    # A generator of its own: a loader draws a seed when it starts, and from torch's global state
    # that would move the dropout of a resumed run.
    generator = torch.Generator()
    return DataLoader(frames, batch_sampler=batches, num_workers=workers, generator=generator)


def count_pixels(dataset: Dataset) -> tuple[np.ndarray, int]:
    """Counts the pixels of each class at label size, int64 (C,), and all pixels, void included."""
    counts = np.zeros(256, dtype=np.int64)
    with ThreadPoolExecutor() as threads:
        for sample in threads.map(dataset.__getitem__, range(len(dataset))):
            counts += np.bincount(sample.mask.ravel(), minlength=256)
    return counts[: len(dataset.labels)], int(counts.sum())
