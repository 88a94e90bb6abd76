"""An exported file carries a digest of itself, and whatever changes in it is found."""

from pathlib import Path

import onnx
import pytest

from swiftseg.core import SwiftsegError
from swiftseg.runtimes import load_backend, read_spec
from swiftseg.runtimes.model_file import check_digest, sealed
from tests.support.exported import shade_spec, write_shade_model


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = write_shade_model(tmp_path / "m.onnx")
    path.write_bytes(sealed(path.read_bytes()))
    return path


def test_a_sealed_file_is_the_same_model(path: Path):
    assert read_spec(path) == shade_spec()
    onnx.checker.check_model(onnx.load(path), full_check=True)
    assert load_backend(path).spec == shade_spec()


def test_sealing_twice_replaces_the_digest(path: Path):
    once = path.read_bytes()
    assert sealed(once) == once


def test_every_flipped_bit_is_found(path: Path):
    whole = path.read_bytes()
    survived = []
    for place in range(len(whole)):
        path.write_bytes(
            whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :]
        )
        try:
            check_digest(path)
            read_spec(path)
        except SwiftsegError:
            continue
        survived.append(place)
    # What is left is the key of the entry itself: without it the file counts as an older one.
    key = whole.index(b"swiftseg_sha256")
    assert all(key - 8 <= place < key + 15 + 2 for place in survived), survived


def test_a_file_of_an_older_version_carries_no_digest(tmp_path: Path):
    check_digest(write_shade_model(tmp_path / "m.onnx"))
