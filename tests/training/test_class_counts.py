import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swiftseg.data import open_dataset
from swiftseg.data.views.void_class import WithVoidClass
from swiftseg.training import frames as frames_module
from swiftseg.training.class_counts import count_classes
from swiftseg.training.frames import TrainingFrames
from tests.support.tiny_camvid import make_tiny_camvid


@pytest.fixture
def camvid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(frames_module, "MEMORY_LIMIT_BYTES", 0)
    return make_tiny_camvid(tmp_path / "camvid")


def training_frames(folder: Path) -> TrainingFrames:
    return TrainingFrames(open_dataset(folder, "train"), None)


def by_hand(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    masks = [np.asarray(Image.open(path)) for path in (folder / "trainannot").iterdir()]
    counts = np.array([sum((mask == v).sum() for mask in masks) for v in range(256)])
    where = np.array([sum(mask.size for mask in masks if (mask == v).any()) for v in range(256)])
    return counts, where


def cache_files(folder: Path) -> list[Path]:
    return sorted((folder.parent / "cache" / "swiftseg").glob("class_counts_*"))


def count_masks_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    read: list[int] = []
    original = TrainingFrames.read
    monkeypatch.setattr(
        TrainingFrames, "read", lambda self, index: (read.append(index), original(self, index))[1]
    )
    return read


def test_the_second_count_reads_no_mask(camvid: Path, monkeypatch: pytest.MonkeyPatch):
    read = count_masks_read(monkeypatch)
    first = count_classes(training_frames(camvid))
    assert len(read) == 6
    second = count_classes(training_frames(camvid))
    assert len(read) == 6
    for counts in (first, second):
        np.testing.assert_array_equal(counts, by_hand(camvid))
    assert len(cache_files(camvid)) == 1


def test_a_changed_mask_is_counted(camvid: Path):
    count_classes(training_frames(camvid))
    path = camvid / "trainannot" / "0001TP_000000.png"
    before = path.stat()
    Image.fromarray(np.zeros((24, 32), np.uint8)).save(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    np.testing.assert_array_equal(count_classes(training_frames(camvid)), by_hand(camvid))


def test_other_classes_and_sizes_are_other_counts(camvid: Path):
    dataset = open_dataset(camvid, "train")
    plain = count_classes(TrainingFrames(dataset, None))[0]
    with_void = count_classes(TrainingFrames(WithVoidClass(dataset), None))[0]
    small = count_classes(TrainingFrames(dataset, (12, 16)))[0]
    assert len(cache_files(camvid)) == 3
    assert plain.sum() == with_void.sum() == 4 * small.sum()


@pytest.mark.parametrize("content", [b"", b"text", bytes(5000)])
def test_a_damaged_cache_is_counted_anew(camvid: Path, content: bytes):
    count_classes(training_frames(camvid))
    [path] = cache_files(camvid)
    sound = path.read_bytes()
    path.write_bytes(content)
    np.testing.assert_array_equal(count_classes(training_frames(camvid)), by_hand(camvid))
    assert path.read_bytes() == sound


def test_a_cache_that_cannot_be_written_is_no_error(camvid: Path, monkeypatch: pytest.MonkeyPatch):
    file = camvid / "file"
    file.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    np.testing.assert_array_equal(count_classes(training_frames(camvid)), by_hand(camvid))


def test_frames_in_memory_leave_no_cache(camvid: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(camvid.parent / "cache"))
    np.testing.assert_array_equal(count_classes(training_frames(camvid)), by_hand(camvid))
    assert not cache_files(camvid)
