"""The class set of a dataset or a model, and labels that stand for several of its classes."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from swiftseg.core.budgets import MAX_NAME_LENGTH
from swiftseg.core.errors import SwiftsegError
from swiftseg.core.shown_text import as_utf8, shown

RGB = tuple[int, int, int]


@dataclass(frozen=True)
class ClassSet:
    """A label that stands for one of several classes, which of them being unknown.

    Attributes:
        name: What the data call it, such as `vehicles`.
        classes: The indices of two classes or more, in ascending order.
    """

    name: str
    classes: tuple[int, ...]


@dataclass(frozen=True)
class LabelSet:
    """Class names and their colors, in the order of their indices.

    Attributes:
        names: One name a class.
        palette: One RGB color a class, each channel in 0..255.
        ignore_index: The mask value that is no class (void), or None.
        sets: What masks may hold beside the classes; see `set_values`. A model has none.
        unlabeled: The classes that no label of the data is, unless as one of a set.
    """

    names: tuple[str, ...]
    palette: tuple[RGB, ...]
    ignore_index: int | None = None
    sets: tuple[ClassSet, ...] = ()
    unlabeled: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= len(self.names) <= 255:
            raise SwiftsegError(f"expected 1 to 255 class names, got {len(self.names)}")
        if len(set(self.names)) != len(self.names):
            raise SwiftsegError(f"class names repeat: {', '.join(self.names)}")
        for name in self.names:
            if not 1 <= len(name) <= MAX_NAME_LENGTH:
                raise SwiftsegError(
                    f"expected class names of 1 to {MAX_NAME_LENGTH} characters, got "
                    f"{len(name)}: '{name[:20]}'"
                )
            if shown(name) != name or as_utf8(name) != name:
                raise SwiftsegError(
                    f"the class name '{as_utf8(name)}' holds control characters, or bytes that are "
                    "no UTF-8"
                )
        if len(self.palette) != len(self.names):
            raise SwiftsegError(
                f"expected one color per class, got colors: {len(self.palette)}, "
                f"classes: {len(self.names)}"
            )
        for color in self.palette:
            if len(color) != 3 or not all(0 <= value <= 255 for value in color):
                raise SwiftsegError(f"expected colors as three values in 0..255, got {list(color)}")
        if self.ignore_index is not None and 0 <= self.ignore_index < len(self.names):
            raise SwiftsegError(
                f"ignore_index {self.ignore_index} is the class {self.names[self.ignore_index]!r}"
            )

        if len(self.names) + len(self.sets) > 255:
            raise SwiftsegError(
                f"{len(self.names)} classes and {len(self.sets)} sets of them do not fit a mask of "
                "8 bits; 255 do"
            )

    def __len__(self) -> int:
        return len(self.names)

    @property
    def void(self) -> int:
        """The value of pixels that are no class: `ignore_index`, or 255 where there is none."""
        return 255 if self.ignore_index is None else self.ignore_index

    @property
    def set_values(self) -> tuple[int, ...]:
        """The mask value of each set: the first above the classes that are not `ignore_index`."""
        free = (v for v in range(len(self.names), 256) if v != self.ignore_index)
        return tuple(value for value, _ in zip(free, self.sets, strict=False))

    @property
    def members(self) -> np.ndarray:
        """What each mask value may be, bool (256, C); no class for what is ignored or unused."""
        members = np.eye(256, len(self.names), dtype=bool)
        for value, of_set in zip(self.set_values, self.sets, strict=True):
            members[value, list(of_set.classes)] = True
        return members

    @property
    def without_sets(self) -> "LabelSet":
        """The classes alone, as a model has them."""
        return LabelSet(self.names, self.palette, self.ignore_index)

    def to_dict(self) -> dict[str, Any]:
        """Return what describes the classes of a model."""
        return {
            "names": self.names,
            "palette": self.palette,
            "ignore_index": self.ignore_index,
        }

    @property
    def colors(self) -> np.ndarray:
        """The palette as uint8 (C, 3)."""
        return np.array(self.palette, dtype=np.uint8)

    @property
    def value_colors(self) -> np.ndarray:
        """The color of each mask value, uint8 (256, 3): sets are mixed, and the rest is black."""
        colors = np.zeros((256, 3), np.uint8)
        colors[: len(self.names)] = self.colors
        for value, of_set in zip(self.set_values, self.sets, strict=True):
            colors[value] = self.colors[list(of_set.classes)].mean(axis=0)
        return colors
