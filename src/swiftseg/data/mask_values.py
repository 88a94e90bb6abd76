"""From the values or colors that a mask file holds to classes, by one look-up a mask."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from swiftseg.core import LabelSet, SwiftsegError
from swiftseg.core.labels import RGB
from swiftseg.data.images.image_file import read_image, read_mask
from swiftseg.data.paired_files import MaskReader


class UnknownValuesError(SwiftsegError):
    """A mask holds values or colors that are no class."""


class IndexMasks:
    """Read masks of one value a pixel and turns the values into classes.

    Args:
        class_of_value: The class, or ignore_index, by the value in the file (0 to 255). Values
            that are not listed are refused.
        ignore_index: As in the label set; it only serves to tell in errors what is ignored.
        read: Gives a file's values as uint8 (H, W).
    """

    def __init__(
        self,
        class_of_value: Mapping[int, int],
        ignore_index: int | None,
        read: MaskReader = read_mask,
    ) -> None:
        self.class_of_value = dict(class_of_value)
        self.ignore_index = ignore_index
        self.read = read
        self.known = bytes(sorted(value for value in class_of_value if 0 <= value <= 255))
        self.table = bytes(class_of_value.get(value, 0) for value in range(256))

    def __call__(self, path: Path) -> np.ndarray:
        """Read a mask as uint8 (H, W).

        Raises:
            SwiftsegError: The file cannot be read or holds other values.
        """
        values = self.read(path)
        if values.dtype != np.uint8:
            return self._wide_classes(values, path)
        # bytes.translate looks up twice as fast as numpy's indexing.
        held = bytearray(values)
        if held.translate(None, self.known):
            raise self._unknown(values, path)
        return np.frombuffer(held.translate(self.table), np.uint8).reshape(values.shape)

    def _wide_classes(self, values: np.ndarray, path: Path) -> np.ndarray:
        """Turn values that do not fit 8 bits into classes."""
        distinct, where = np.unique(values, return_inverse=True)
        if not self.class_of_value.keys() >= set(distinct.tolist()):
            raise self._unknown(values, path)
        classes = np.array([self.class_of_value[v] for v in distinct.tolist()], np.uint8)
        return classes[where.reshape(values.shape)]

    def _unknown(self, values: np.ndarray, path: Path) -> SwiftsegError:
        found = zip(*np.unique(values, return_counts=True), strict=True)
        unknown = [(value, count) for value, count in found if value not in self.class_of_value]
        listed = ", ".join(f"{value} ({count} pixels)" for value, count in unknown[:5])
        known = sorted(self.class_of_value)
        classes = [v for v in known if self.class_of_value[v] != self.ignore_index]
        ignored = [v for v in known if self.class_of_value[v] == self.ignore_index]
        ignored_text = f" or {_ranges(ignored)} (ignored)" if ignored else ""
        return UnknownValuesError(
            f"{path}: values outside the classes: {listed}; "
            f"expected {_ranges(classes)}{ignored_text}"
        )


def plain_masks(labels: LabelSet) -> IndexMasks:
    """Make the reader of masks that hold class indices and ignore_index already."""
    values = list(range(len(labels)))
    # An ignore_index that no mask file can hold, such as -1, means that nothing is ignored.
    if labels.ignore_index is not None and 0 <= labels.ignore_index <= 255:
        values.append(labels.ignore_index)
    return IndexMasks({value: value for value in values}, labels.ignore_index)


class ColorMasks:
    """Read masks of one color a class.

    Args:
        class_of_color: The class, or ignore_index, by RGB color; other colors are refused.
        read: Gives a file's colors as uint8 (H, W, 3).
    """

    def __init__(self, class_of_color: Mapping[RGB, int], read: MaskReader = read_image) -> None:
        self.class_of_color = tuple(class_of_color.items())
        self.read = read

    def __call__(self, path: Path) -> np.ndarray:
        """Read a mask as uint8 (H, W).

        Raises:
            SwiftsegError: The file cannot be read or holds other colors.
        """
        pixels = self.read(path)
        codes = pixels[..., 0].astype(np.uint32) << 16
        codes |= pixels[..., 1].astype(np.uint32) << 8
        codes |= pixels[..., 2]
        entries = _color_table(self.class_of_color)[codes]
        if not entries.all():
            raise self._unknown(codes[entries == 0], path)
        return (entries - 1).astype(np.uint8)

    def _unknown(self, codes: np.ndarray, path: Path) -> SwiftsegError:
        colors, counts = np.unique(codes, return_counts=True)
        most = np.argsort(-counts, kind="stable")[:5]
        listed = ", ".join(
            f"({colors[i] >> 16}, {colors[i] >> 8 & 255}, {colors[i] & 255}) ({counts[i]} pixels)"
            for i in most
        )
        return UnknownValuesError(
            f"{path}: colors that are no class: {listed}; "
            f"expected the {len(self.class_of_color)} colors of the dataset, without blending"
        )


@lru_cache(maxsize=8)
def _color_table(class_of_color: tuple[tuple[RGB, int], ...]) -> np.ndarray:
    """Hold one more than the class at each color's 24-bit code, and 0 where there is no class.

    Of its 32 MB only the pages that colors lie on are ever touched. It is kept here, not in the
    reader, so that readers stay small when they are sent to another process.
    """
    table = np.zeros(1 << 24, np.uint16)
    for (red, green, blue), index in class_of_color:
        table[red << 16 | green << 8 | blue] = index + 1
    return table


def _ranges(values: Sequence[int]) -> str:
    """Write sorted values as ranges: 0..5, 7, 9..11."""
    parts: list[list[int]] = []
    for value in values:
        if parts and value == parts[-1][-1] + 1:
            parts[-1][1:] = [value]
        else:
            parts.append([value])
    return ", ".join("..".join(map(str, part)) for part in parts)
