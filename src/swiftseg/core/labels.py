"""The class set of a dataset or a model."""

from dataclasses import dataclass

import numpy as np

from swiftseg.core.errors import SwiftsegError

RGB = tuple[int, int, int]


@dataclass(frozen=True)
class LabelSet:
    """Class names and their colors, in the order of their indices.

    Attributes:
        names: One name a class.
        palette: One RGB color a class, each channel in 0..255.
        ignore_index: The mask value that is no class (void), or None.
    """

    names: tuple[str, ...]
    palette: tuple[RGB, ...]
    ignore_index: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= len(self.names) <= 255:
            raise SwiftsegError(f"expected 1 to 255 class names, got {len(self.names)}")
        if len(set(self.names)) != len(self.names):
            raise SwiftsegError(f"class names repeat: {', '.join(self.names)}")
        if len(self.palette) != len(self.names):
            raise SwiftsegError(
                f"expected one color a class, got {len(self.palette)} for {len(self.names)} classes"
            )
        for color in self.palette:
            if len(color) != 3 or not all(0 <= value <= 255 for value in color):
                raise SwiftsegError(f"expected colors as three values in 0..255, got {list(color)}")
        if self.ignore_index is not None and 0 <= self.ignore_index < len(self.names):
            raise SwiftsegError(
                f"ignore_index {self.ignore_index} is the class {self.names[self.ignore_index]!r}"
            )

    def __len__(self) -> int:
        return len(self.names)

    @property
    def void(self) -> int:
        """The value of pixels that are no class: `ignore_index`, or 255 where there is none."""
        return 255 if self.ignore_index is None else self.ignore_index

    @property
    def colors(self) -> np.ndarray:
        """The palette as uint8 (C, 3)."""
        return np.array(self.palette, dtype=np.uint8)
