"""What killed runs have left is found again, and nothing else."""

import errno
import os
import time
from pathlib import Path

import pytest

from swiftseg.core.files import create_file, remove_left, replacing, sweep

OTHERS = (".hidden.png", ".a-b.png", ".a-0123456g.png", "a-01234567.png", ".other-01234567.mp4")


def test_what_was_left_long_ago_is_swept(tmp_path):
    folder = tmp_path / "deep"
    an_hour_ago = time.time() - 3600
    with (
        replacing(folder / "a.png") as old,
        replacing(folder / "b c[1]") as plain,
        replacing(folder / "a.png") as new,
    ):
        for path in (old, plain, *(folder / name for name in OTHERS)):
            path.touch()
            os.utime(path, (an_hour_ago, an_hour_ago))
        sweep(tmp_path)
        assert {path.name for path in folder.iterdir()} == {*OTHERS, new.name}
        for path in (old, plain):
            path.touch()  # so that they can be renamed


def test_what_is_left_of_one_file_is_found_by_its_name(tmp_path):
    names = ("a[1].mp4", "a.mp4", f"{'n' * 240}.mp4")
    for name in names:
        with replacing(tmp_path / name) as temporary:
            temporary.touch()
            left = temporary.with_name(f"{temporary.stem[:-8]}01234567.mp4")
            left.touch()
    for name in names:
        remove_left(tmp_path / name)
    assert {path.name for path in tmp_path.iterdir()} == set(names)


@pytest.mark.parametrize("has_links", [True, False])
def test_a_file_is_created_whole_and_once(tmp_path, monkeypatch, has_links):
    if not has_links:
        monkeypatch.setattr(Path, "hardlink_to", refuse_links)
    path = tmp_path / "folder/.lock"
    assert create_file(path, "mine")
    assert not create_file(path, "yours")
    assert [found.name for found in path.parent.iterdir()] == [".lock"]
    assert path.read_text() == "mine"


def refuse_links(path, target):
    if path.exists():
        raise FileExistsError
    raise OSError(errno.ENOTSUP, "Operation not supported")
