"""Finds out what a folder holds and opens it."""

from pathlib import Path

from swiftseg.core import SwiftsegError, unknown_name
from swiftseg.data.camvid import is_camvid, open_camvid
from swiftseg.data.dataset import Dataset
from swiftseg.data.dataset_file import EXAMPLE, FILE_NAME, open_dataset_folder

TOY_STREET = "toystreet"
TOY_STREET_SCENES = {"train": 800, "val": 100, "test": 100}


def open_dataset(source: Path | str, split: str) -> Dataset:
    """Opens one split of data: CamVid's tree, or images/, masks/ and a YAML file, or `toystreet`.

    Args:
        source: A folder, or the name `toystreet` for scenes that are rendered as they are read.
        split: Such as `train` or `val`.

    Raises:
        SwiftsegError: The folder is missing or holds neither tree, or a pair is broken.
        UsageError: The data has no such split.
    """
    if source == TOY_STREET:
        if split not in TOY_STREET_SCENES:
            raise unknown_name("split", split, TOY_STREET_SCENES)
        from swiftseg.data.toy_street import ToyStreet  # readers of folders need no renderer

        return ToyStreet(split, TOY_STREET_SCENES[split])
    folder = Path(source)
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
