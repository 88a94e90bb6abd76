"""The small YAML file that names the classes of a user's own folder."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from swiftseg.core import LabelSet, SwiftsegError
from swiftseg.data.paired_files import PairedFiles
from swiftseg.data.paired_folder import open_paired_folder
from swiftseg.data.voc_colors import voc_colors

FILE_NAME = "dataset.yaml"

EXAMPLE = "names: [background, crop, weed]; ignore_index: 255 (optional); palette (optional)"


class DatasetFile(BaseModel):
    """`names` in the order of their mask values; `palette` one RGB color a class."""

    model_config = ConfigDict(extra="forbid")

    names: tuple[str, ...]
    ignore_index: int | None = 255
    palette: tuple[tuple[int, int, int], ...] | None = None


def read_dataset_file(path: Path) -> LabelSet:
    """Reads class names, colors and ignore_index.

    Raises:
        SwiftsegError: The file is no such YAML; the message shows one.
    """
    try:
        fields: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        parsed = DatasetFile.model_validate(fields)
    except (OSError, yaml.YAMLError, ValidationError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise SwiftsegError(f"{path}: expected {EXAMPLE}; {reason}") from error
    palette = parsed.palette or voc_colors(len(parsed.names))
    try:
        return LabelSet(parsed.names, palette, parsed.ignore_index)
    except SwiftsegError as error:
        raise SwiftsegError(f"{path}: {error}") from error


def open_dataset_folder(folder: Path, split: str) -> PairedFiles:
    """Opens `images/{split}` and `masks/{split}` of a folder that holds a dataset.yaml."""
    labels = read_dataset_file(folder / FILE_NAME)
    return open_paired_folder(folder / "images" / split, folder / "masks" / split, labels)
