"""The small YAML file that names the classes of a user's own folder."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from swiftseg.core import LabelSet, SwiftsegError
from swiftseg.data.paired_folder import PairedFolder

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
    except (yaml.YAMLError, ValidationError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise SwiftsegError(f"{path}: expected {EXAMPLE}; {reason}") from error
    palette = parsed.palette or default_palette(len(parsed.names))
    try:
        return LabelSet(parsed.names, palette, parsed.ignore_index)
    except SwiftsegError as error:
        raise SwiftsegError(f"{path}: {error}") from error


def default_palette(num_classes: int) -> tuple[tuple[int, int, int], ...]:
    """Colors that differ well: PASCAL VOC's bit-interleaved color map."""
    colors: list[tuple[int, int, int]] = []
    for index in range(num_classes):
        bits = [(index >> shift) & 1 for shift in range(8)]
        red, green, blue = (
            sum(bits[channel + 3 * place] << (7 - place) for place in range(3) if channel + 3 * place < 8)
            for channel in range(3)
        )
        colors.append((red, green, blue))
    return tuple(colors)


def open_dataset_folder(folder: Path, split: str) -> PairedFolder:
    """Opens `images/{split}` and `masks/{split}` of a folder that holds a dataset.yaml."""
    labels = read_dataset_file(folder / FILE_NAME)
    return PairedFolder(folder / "images" / split, folder / "masks" / split, labels)
