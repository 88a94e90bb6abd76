"""scipy writes the files and says what is in them."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from swiftseg.core import SwiftsegError
from swiftseg.data.images.matlab_file import read_matlab_array
from tests.support.dataset_trees import write_sbd_mask

DTYPES = [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64, np.int64]


@pytest.mark.parametrize("do_compression", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (7, 5), (64, 33)])
def test_arrays_are_as_scipy_reads_them(
    tmp_path: Path, dtype: type, shape: tuple[int, int], do_compression: bool
):
    path = tmp_path / "a.mat"
    values = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
    others = {"text": "words", "before": np.arange(3.0), "A": values, "z": np.eye(2)}
    scipy.io.savemat(path, others, do_compression=do_compression)
    read = read_matlab_array(path, "A")
    assert read.shape == shape
    np.testing.assert_array_equal(read, scipy.io.loadmat(path)["A"])


@pytest.mark.parametrize("do_compression", [False, True])
def test_the_mask_in_the_struct_of_sbd(tmp_path: Path, do_compression: bool):
    path = tmp_path / "a.mat"
    mask = np.random.default_rng(0).integers(0, 21, (11, 6), dtype=np.uint8)
    write_sbd_mask(path, mask, do_compression=do_compression)
    np.testing.assert_array_equal(read_matlab_array(path, "GTcls", "Segmentation"), mask)


def test_what_is_not_there_is_named(tmp_path: Path):
    path = tmp_path / "a.mat"
    write_sbd_mask(path, np.ones((2, 2), np.uint8))
    for names in (("GTinst",), ("GTcls", "Other"), ("GTcls", "Boundaries"), ("GTcls",)):
        with pytest.raises(SwiftsegError, match=r"a\.mat: .*" + r"\.".join(names)):
            read_matlab_array(path, *names)


def test_a_missing_file(tmp_path: Path):
    with pytest.raises(SwiftsegError, match=r"cannot read .*none\.mat: No such file"):
        read_matlab_array(tmp_path / "none.mat", "A")


@pytest.mark.parametrize("content", [b"", b"no MATLAB", bytes(200), b"\x89HDF" + bytes(600)])
def test_other_files_are_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "a.mat"
    path.write_bytes(content)
    with pytest.raises(SwiftsegError, match=r"a\.mat: .* MATLAB 5"):
        read_matlab_array(path, "A")


def test_damage_anywhere_is_told_and_nothing_else_raised(tmp_path: Path):
    path = tmp_path / "a.mat"
    mask = np.random.default_rng(0).integers(0, 21, (30, 20), dtype=np.uint8)
    for do_compression in (False, True):
        write_sbd_mask(path, mask, do_compression=do_compression)
        whole = path.read_bytes()
        rng = np.random.default_rng(1)
        for _ in range(60):
            broken = bytearray(whole[: rng.integers(0, len(whole))])
            for position in rng.integers(0, max(len(broken), 1), 3):
                if broken and rng.integers(2):
                    broken[position] = rng.integers(256)
            path.write_bytes(broken)
            with suppress(SwiftsegError):  # what is damaged behind the mask does no harm
                read_matlab_array(path, "GTcls", "Segmentation")
