"""How often each class occurs in the training masks, remembered where counting is slow.

A data set that is held in memory is counted in no time. For one that is read from its files every
epoch, decoding every mask before the first step takes minutes; the counts are kept in the cache
folder (see `swiftseg.core.cache`), under a name that changes with every file, its size and time.
"""

import hashlib
import pickle
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.core.cache import cache_folder
from swiftseg.core.files import write_file
from swiftseg.core.in_threads import in_threads
from swiftseg.core.shown_text import utf8
from swiftseg.data.paired_files import PairedFiles
from swiftseg.data.views.void_class import WithVoidClass
from swiftseg.training.frames import TrainingFrames

COUNTS_TYPE = "<i8"
DIGEST_BYTES = 32


def count_classes(frames: TrainingFrames) -> tuple[np.ndarray, np.ndarray]:
    """Count mask values over all frames.

    Returns:
        The pixels of each value, and all pixels of the masks in which it occurs: int64 (256,) each.
    """
    path = None if frames.held_on else cache_path(frames)
    counts = read_counts(path) if path else None
    if counts is None:
        counts = np.zeros((2, 256), np.int64)
        indices = range(len(frames))
        for _, mask in in_threads(frames.__getitem__, indices, threads=frames.threads):
            in_mask = np.bincount(mask.cpu().numpy().ravel(), minlength=256)
            counts += in_mask, np.where(in_mask > 0, in_mask.sum(), 0)
        if path:
            values = counts.astype(COUNTS_TYPE).tobytes()
            # A cache folder that cannot be written costs time, nothing else.
            with suppress(SwiftsegError):
                write_file(path, values + hashlib.sha256(values).digest())
    return counts[0], counts[1]


def cache_path(frames: TrainingFrames) -> Path | None:
    """Return the file, named by all that decides the counts; None where nothing can be kept."""
    files, folder = frames.dataset, cache_folder()
    if isinstance(files, WithVoidClass):
        files = files.dataset
    if not isinstance(files, PairedFiles) or folder is None:
        return None
    reading = version("swiftseg"), frames.dataset.labels, frames.size_hw, files.read_mask
    digest = hashlib.sha256(pickle.dumps(reading))  # only hashed, and never read again
    for pair in files.pairs:
        facts = pair.mask.stat()
        digest.update(utf8(f"{pair.mask.absolute()}\n{facts.st_size}\n{facts.st_mtime_ns}\n"))
    return folder / f"class_counts_{digest.hexdigest()[:32]}"


def read_counts(path: Path) -> np.ndarray | None:
    """Read counts that were kept; None where there is nothing, or nothing sound."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    values, digest = content[:-DIGEST_BYTES], content[-DIGEST_BYTES:]
    if hashlib.sha256(values).digest() != digest:
        return None
    return np.frombuffer(values, COUNTS_TYPE).reshape(2, 256).astype(np.int64)
