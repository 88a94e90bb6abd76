"""How often each class occurs in the training masks, remembered where counting is slow.

A data set that is held in memory is counted in no time. For one that is read from its files every
epoch, decoding every mask before the first step takes minutes; the counts are kept in the user's
cache folder (`$XDG_CACHE_HOME/swiftseg`, by default `~/.cache/swiftseg`), under a name that changes
with every file, its size and its time.
"""

import hashlib
import os
import pickle
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

import swiftseg
from swiftseg.core import SwiftsegError
from swiftseg.core.files import replacing
from swiftseg.data import Dataset
from swiftseg.data.paired_files import PairedFiles
from swiftseg.data.views.void_class import WithVoidClass
from swiftseg.training.frames import TrainingFrames

COUNTS_TYPE = "<i8"
DIGEST_BYTES = 32


def count_classes(frames: TrainingFrames) -> tuple[np.ndarray, np.ndarray]:
    """Counts mask values over all frames.

    Returns:
        The pixels of each value, and all pixels of the masks in which it occurs: int64 (256,) each.
    """
    path = None if frames.held_on else cache_path(frames)
    counts = read_counts(path) if path else None
    if counts is None:
        counts = np.zeros((2, 256), np.int64)
        for in_mask in frames.mask_counts():
            counts += in_mask, np.where(in_mask > 0, in_mask.sum(), 0)
        if path:
            keep_counts(counts, path)
    return counts[0], counts[1]


def cache_path(frames: TrainingFrames) -> Path | None:
    """Names the file by all that decides the counts; None where the masks are no files."""
    files = paired_files(frames.dataset)
    if files is None:
        return None
    reading = swiftseg.__version__, frames.dataset.labels, frames.size_hw, files.read_mask
    digest = hashlib.sha256(pickle.dumps(reading))
    for fact in mask_facts(files):
        digest.update(fact.encode())
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return folder / "swiftseg" / f"class_counts_{digest.hexdigest()[:32]}"


def paired_files(dataset: Dataset) -> PairedFiles | None:
    """Gives the files behind a data set, if it is one of files."""
    if isinstance(dataset, WithVoidClass):
        dataset = dataset.dataset
    return dataset if isinstance(dataset, PairedFiles) else None


def mask_facts(files: PairedFiles) -> Iterator[str]:
    for pair in files.pairs:
        facts = pair.mask.stat()
        yield f"{pair.mask.absolute()}\n{facts.st_size}\n{facts.st_mtime_ns}\n"


def read_counts(path: Path) -> np.ndarray | None:
    """Reads what `keep_counts` wrote; None where there is nothing, or nothing sound."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    values, digest = content[:-DIGEST_BYTES], content[-DIGEST_BYTES:]
    if hashlib.sha256(values).digest() != digest:
        return None
    return np.frombuffer(values, COUNTS_TYPE).reshape(2, 256).astype(np.int64)


def keep_counts(counts: np.ndarray, path: Path) -> None:
    values = counts.astype(COUNTS_TYPE).tobytes()
    # A cache folder that cannot be written costs time, nothing else.
    with suppress(SwiftsegError), replacing(path) as temporary:
        temporary.write_bytes(values + hashlib.sha256(values).digest())
