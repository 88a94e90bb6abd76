"""The data behind `--calibration`: frames as the model will see them, with masks or without."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil, sqrt
from pathlib import Path

import numpy as np

from swiftseg.core import LabelSet, ModelSpec, SwiftsegError
from swiftseg.data import Dataset, open_dataset
from swiftseg.data.images.header import IMAGE_SUFFIXES
from swiftseg.data.images.image_file import read_image
from swiftseg.data.opening import OWN_DATA, TOY_STREET, recognize
from swiftseg.data.own.dataset_file import DatasetFile
from swiftseg.data.own.file_tree import walk_tree
from swiftseg.data.own.finding import refuse_broken
from swiftseg.data.own.own_data import NoMasksError, find_own_data
from swiftseg.data.views.void_class import WithVoidClass
from swiftseg.inference.fitting import Area, shown_whole

FEWEST_FRAMES = 16  # below it a share of labels, or a range of activations, says little
MOST_FRAMES = 64  # evenly taken of more; they are all held in memory
MOST_MASK_PIXELS = 1 << 21  # held of one mask, as many as Cityscapes' have: 128 MB in all
MADE_UP_NAME = re.compile(r"class_\d+|background|foreground")


@dataclass(frozen=True)
class Calibration:
    """Frames, and their masks or none.

    Attributes:
        frames: uint8 (*size_hw, 3), RGB, as the model sees them.
        areas: Where in each frame its picture lies; None where it fills it.
        masks: uint8 (H, W), one a frame, of the picture's size before it was brought to the
            model's; of those larger than `MOST_MASK_PIXELS` every second, third or further row and
            column. Empty where there are none.
        ignore_index: What the masks hold where they name no class, or None.
    """

    frames: tuple[np.ndarray, ...]
    areas: tuple[Area | None, ...]
    masks: Sequence[np.ndarray] = ()
    ignore_index: int | None = None


def read_calibration(source: Path, spec: ModelSpec) -> Calibration:
    """Read pictures alone, or whatever labeled data `swiftseg train` takes.

    Frames are resized as `predict` does it, but for huge ones, which are shown whole. Of labeled
    data the val split is taken; frames of train are added where it has fewer than
    `FEWEST_FRAMES`.

    Args:
        source: A folder, a dataset YAML or a list of pairs.
        spec: Describes the model.

    Raises:
        SwiftsegError: There are too few frames, one cannot be read, or the data have other classes
            than the model.
    """
    if str(source) != TOY_STREET and not source.exists():
        raise SwiftsegError(f"{source}: no such folder")
    sets = _labeled_sets(source, spec.labels)
    if sets is None:
        paths = [source / file.path for file in walk_tree(source).images]
        paths = [path for path in paths if path.suffix.lower() in IMAGE_SUFFIXES]
        check_number(source, len(paths))
        return calibrate_on((read_image(paths[index]) for index in _evenly(len(paths))), spec)
    masks = list[np.ndarray]()

    def pictures() -> Iterator[np.ndarray]:
        for data, index in _chosen(source, sets):
            sample = data[index]
            masks.append(_thinned(sample.mask))
            yield sample.image
            del sample  # not kept while the next one is read

    shown = calibrate_on(pictures(), spec)
    return Calibration(shown.frames, shown.areas, masks, sets[0].labels.ignore_index)


def _thinned(mask: np.ndarray) -> np.ndarray:
    step = ceil(sqrt(mask.size / MOST_MASK_PIXELS))
    return np.ascontiguousarray(mask[::step, ::step])


def calibrate_on(pictures: Iterable[np.ndarray], spec: ModelSpec) -> Calibration:
    """Return pictures uint8 (H, W, 3) as the model sees them."""
    shown = list(map(partial(shown_whole, spec=spec.input), pictures))  # which keeps no picture
    return Calibration(tuple(frame for frame, _ in shown), tuple(area for _, area in shown))


def check_number(source: Path, count: int) -> None:
    """Raise SwiftsegError below `FEWEST_FRAMES`."""
    if count < FEWEST_FRAMES:
        raise SwiftsegError(f"{source}: {count} frames; calibration takes {FEWEST_FRAMES} or more")


def _labeled_sets(source: Path, labels: LabelSet) -> list[Dataset] | None:
    """Open val, and train where that is too little; None for pictures without masks."""
    try:
        open_split = _split_opener(source, labels)
    except NoMasksError:
        return None
    sets = [open_split("val")]
    if len(sets[0]) < FEWEST_FRAMES:
        sets.append(open_split("train"))
    return [_with_classes(source, data, labels) for data in sets]


def _split_opener(source: Path, labels: LabelSet) -> Callable[[str], Dataset]:
    if str(source) == TOY_STREET or recognize(source) != OWN_DATA:
        return partial(open_dataset, str(source))
    own = find_own_data(source)
    refuse_broken(own.findings, source)
    file, _ = own.described()
    if own.file is None and _names_no_classes(file):
        file = file.model_copy(update={"names": labels.names, "ignore_index": labels.ignore_index})
    return partial(own.open, file=file)


def _names_no_classes(file: DatasetFile) -> bool:
    """Whether masks hold indices whose names were made up: they are the model's then."""
    is_plain = file.mask_encoding in ("index", "palette") and file.label_mapping is None
    return is_plain and all(MADE_UP_NAME.fullmatch(name) for name in file.labels().names)


def _with_classes(source: Path, data: Dataset, labels: LabelSet) -> Dataset:
    """Return the data as evaluation sees them, with void as a class where the model has it."""
    if data.labels.names == labels.names:
        return data
    if data.labels.ignore_index is not None:
        with_void = WithVoidClass(data)
        if with_void.labels.names == labels.names:
            return with_void
    raise SwiftsegError(
        f"{source} has the classes {', '.join(data.labels.names)} where the model has "
        f"{', '.join(labels.names)}; calibrate on data of the model's classes"
    )


def _chosen(source: Path, sets: list[Dataset]) -> Iterator[tuple[Dataset, int]]:
    """Yield val evenly, and as much of train as `FEWEST_FRAMES` asks for."""
    check_number(source, sum(len(data) for data in sets))
    val_set, *others = sets
    for index in _evenly(len(val_set)):
        yield val_set, index
    for train_set in others:
        for index in _evenly(len(train_set), FEWEST_FRAMES - len(val_set)):
            yield train_set, index


def _evenly(count: int, most: int = MOST_FRAMES) -> list[int]:
    """Pick `most` indices of `count`, or all of fewer."""
    kept = min(count, most)
    return [index * count // kept for index in range(kept)]
