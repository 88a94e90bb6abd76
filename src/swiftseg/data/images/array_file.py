"""Masks and pictures kept as arrays: .npy and .npz of NumPy, .mat of MATLAB, numbers as text."""

import re
import zipfile
from pathlib import Path

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.core.budgets import MAX_ARRAY_BYTES
from swiftseg.data.images.matlab_file import read_matlab_arrays

BINARY_SUFFIXES = (".npy", ".npz", ".mat")
TEXT_SUFFIX = ".txt"  # most such files hold other text: see `is_text_array`
ARRAY_SUFFIXES = (*BINARY_SUFFIXES, TEXT_SUFFIX)
_LINE = re.compile(rb"-?\d+(?:\s+-?\d+){15,}\s*")  # shorter ones may list boxes or joints
_HEAD_BYTES = 1 << 16
# Names that settle which of several arrays in one file is the mask, the surest first.
_MASK_NAMES = (
    *("type_map", "mask", "masks", "label", "labels", "groundtruth", "gt", "labelmap"),
    *("segmentation", "seg", "annotation", "inst_map", "arr_0", "s"),  # S as in COCO-Stuff 10k
)


def read_array(path: Path) -> np.ndarray:
    """Read the one array of rows and columns that a file holds, in the type it is stored in.

    Returns:
        (H, W), or (H, W, 3) of colors in a NumPy file; (H, W) channels of a one-hot array.

    Raises:
        SwiftsegError: The file is missing, damaged, or holds no such array or several.
    """
    if path.suffix.lower() == TEXT_SUFFIX:
        return _read_text(path)
    arrays = _read_arrays(path)
    planes = {name: plane_of(array) for name, array in arrays.items()}
    found = {name: plane for name, plane in planes.items() if plane is not None}
    if not found:
        expected = "a mask of rows and columns, or one channel a class with one 1 at each pixel"
        raise _no_such_array(path, expected, arrays)
    return _only_array(path, found)


def plane_of(array: np.ndarray) -> np.ndarray | None:
    """Return what an array holds as a mask, or None where it is none.

    Returns:
        (H, W) as it is or without an axis of one, (H, W, 3) of colors, or for an array of one
        channel a class, where each pixel has a single value above 0, the channel, uint8 (H, W).
    """
    if array.ndim != 3:
        return array if _is_plane(array) else None
    axis = 2 if array.shape[2] <= array.shape[0] else 0
    if array.shape[axis] == 1:
        array = array.squeeze(axis)
    elif _is_one_hot(array, axis):
        return array.argmax(axis).astype(np.uint8)
    return array if _is_plane(array) else None


def _is_one_hot(array: np.ndarray, axis: int) -> bool:
    channels = array.shape[axis]
    if not array.size or not 2 <= channels <= 255 or array.dtype.kind not in "biuf":
        return False
    top = array.max()
    # Three channels of 0 and 255 are pure colors.
    if top not in (1, 255) or (channels == 3 and top == 255):
        return False
    is_single = np.count_nonzero(array) == array.size // channels
    return is_single and bool((array.max(axis) == top).all())


def read_array_picture(path: Path) -> np.ndarray:
    """Read the one picture that an array file holds, (H, W, bands), in the type it is stored in.

    The bands are the shortest axis: the last one where it is no longer than the first.

    Raises:
        SwiftsegError: The file is missing, damaged, or holds no picture or several.
    """
    arrays = _read_arrays(path)
    pictures = {name: array for name, array in arrays.items() if _is_picture(array)}
    if not pictures:
        raise _no_such_array(path, "a picture of rows, columns and bands", arrays)
    picture = _only_array(path, pictures)
    if picture.ndim == 2:
        return picture[..., None]
    return picture if picture.shape[2] <= picture.shape[0] else np.moveaxis(picture, 0, -1)


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    suffix = path.suffix.lower()
    if suffix == ".mat":
        return read_matlab_arrays(path)
    try:
        return _read_archive(path) if suffix == ".npz" else {"": _read_npy(path)}
    except Exception as error:  # numpy raises whatever a damaged header makes it do
        reason = " ".join(str(error).split())
        raise SwiftsegError(f"{path}: not a NumPy file that can be read ({reason})") from error


def is_text_array(path: Path) -> bool:
    """Whether a text file begins with two lines of as many whole numbers, 16 or more."""
    try:
        with path.open("rb") as file:
            lines = [file.readline(_HEAD_BYTES) for _ in range(2)]
    except OSError:
        return False
    is_matrix = all(_LINE.fullmatch(line) for line in lines)
    return is_matrix and len(lines[0].split()) == len(lines[1].split())


def _read_text(path: Path) -> np.ndarray:
    try:
        _check_bytes(path.stat().st_size)
        return np.loadtxt(path, np.int64, ndmin=2)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise SwiftsegError(f"{path}: expected lines of whole numbers ({reason})") from error


def _read_archive(path: Path) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(path) as archive:
        _check_bytes(sum(entry.file_size for entry in archive.infolist()))
    with np.load(path, allow_pickle=False) as loaded:
        return dict(loaded)


def _read_npy(path: Path) -> np.ndarray:
    mapped = np.load(path, mmap_mode="r", allow_pickle=False)  # compares shape and file size
    _check_bytes(mapped.nbytes)
    return np.array(mapped)


def _check_bytes(count: int) -> None:
    if count > MAX_ARRAY_BYTES:
        raise ValueError(f"its arrays exceed {MAX_ARRAY_BYTES >> 20} MB")


def _is_plane(array: np.ndarray) -> bool:
    """Whether an array can be a mask; MATLAB keeps single numbers and rows as matrices, too."""
    is_color = array.ndim == 3 and array.shape[2] == 3
    return (array.ndim == 2 or is_color) and array.dtype.kind in "biuf" and min(array.shape) > 1


def _is_picture(array: np.ndarray) -> bool:
    is_large = array.ndim in (2, 3) and sorted(array.shape)[-2] > 1
    return is_large and array.dtype.kind in "biuf"


def _no_such_array(path: Path, expected: str, arrays: dict[str, np.ndarray]) -> SwiftsegError:
    shapes = [" x ".join(map(str, array.shape)) for array in arrays.values()]
    got = f"an array of {', '.join(shapes[:3])}" if shapes else "no array of numbers"
    return SwiftsegError(f"{path}: expected {expected}; got {got}")


def _only_array(path: Path, arrays: dict[str, np.ndarray]) -> np.ndarray:
    if len(arrays) > 1:
        lower = {name.lower(): name for name in arrays}
        named = next((lower[name] for name in _MASK_NAMES if name in lower), None)
        arrays = {named: arrays[named]} if named is not None else arrays
    if len(arrays) != 1:
        names = ", ".join(sorted(arrays))
        raise SwiftsegError(
            f"{path}: expected one array of rows and columns, got the arrays {names}"
        )
    return next(iter(arrays.values()))
