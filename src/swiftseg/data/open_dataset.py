"""Finds out what a folder holds and opens it."""

from pathlib import Path

from swiftseg.core import SwiftsegError
from swiftseg.data.camvid import is_camvid, open_camvid
from swiftseg.data.dataset import Dataset
from swiftseg.data.dataset_file import EXAMPLE, FILE_NAME, open_dataset_folder


def open_dataset(folder: Path, split: str) -> Dataset:
    """Opens one split of the data in a folder: CamVid's tree, or images/, masks/ and a YAML file.

    Raises:
        SwiftsegError: The folder is missing or holds neither tree, or a pair is broken.
        UsageError: The data has no such split.
    """
    if not folder.is_dir():
        raise SwiftsegError(f"{folder}: no such folder")
    if (folder / FILE_NAME).is_file():
        return open_dataset_folder(folder, split)
    if is_camvid(folder):
        return open_camvid(folder, split)
    raise SwiftsegError(
        f"{folder}: neither CamVid's tree (train, trainannot, ...) nor images/{split}, "
        f"masks/{split} and a {FILE_NAME} such as {EXAMPLE}"
    )
