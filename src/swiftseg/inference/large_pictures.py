"""Pictures that fit no memory: read, labeled and written window by window."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from swiftseg.core import InputSpec, SwiftsegError
from swiftseg.core.memory_limit import PIXEL_BYTES, fits_limit
from swiftseg.core.spec import described_bands
from swiftseg.data.images.geo_tags import geo_tags
from swiftseg.data.images.header import MAX_PIXELS
from swiftseg.data.images.windows import Pixels, open_windows
from swiftseg.inference.fitting import choose_fit
from swiftseg.inference.segmenter import Segmenter
from swiftseg.inference.tiles import count_windows
from swiftseg.kernels.bands import viewable
from swiftseg.render import overlay
from swiftseg.render.label_tiff import write_label_tiff

MAX_WHOLE_PIXELS = 32_000_000  # beyond them a picture in tiles is not held as a whole
SHOWN_SIDE = 2048  # of the overlay of such a picture, in pixels


@dataclass(frozen=True)
class LargeLabels:
    """What labeling a large picture gives beside the file.

    Attributes:
        pixels: Of each class, by its name.
        overlay: uint8 (h, w, 3), the labels over the picture, every n-th pixel of both.
    """

    path: Path
    size_hw: tuple[int, int]
    tile_hw: tuple[int, int]
    pixels: dict[str, int]
    overlay: np.ndarray


def needs_windows(segmenter: Segmenter, size_hw: tuple[int, int]) -> bool:
    """Whether a picture is labeled in tiles and is too large to be held as a whole."""
    if segmenter.fit not in ("auto", "tile"):
        return False
    pixels = size_hw[0] * size_hw[1]
    if choose_fit(segmenter.fit, size_hw, segmenter.spec.input.size_hw) != "tile":
        return pixels > MAX_PIXELS
    return pixels > MAX_WHOLE_PIXELS or not fits_limit(pixels * PIXEL_BYTES)


def label_large(
    segmenter: Segmenter,
    image: Path | str | np.ndarray,
    out: Path,
    show: Callable[[int, int], None] = lambda done, total: None,
) -> LargeLabels:
    """Label a picture in tiles and write its label map as a tiled TIFF.

    Args:
        segmenter: Whose tiles are taken.
        image: A file, or an array (H, W, bands).
        out: The TIFF to write.
        show: Called after each tile with how many are done, and how many there are.

    Raises:
        MissingExtraError: tifffile is not installed.
        SwiftsegError: The picture cannot be read or has other bands than the model takes, or the
            file cannot be written.
    """
    is_file = not isinstance(image, np.ndarray)
    tags = geo_tags(Path(image)) if is_file else []
    with _opened(image, segmenter.spec.input) as picture:
        size_hw = picture.shape[0], picture.shape[1]
        total = count_windows(size_hw, segmenter.tile_hw, segmenter.tiling.overlap)
        seen = _SeenLabels(picture, segmenter, total, show)
        write_label_tiff(out, seen.bands(), size_hw, segmenter.spec.labels, tags)
        names = segmenter.spec.labels.names
        pixels = dict(zip(names, seen.counts.tolist(), strict=False))
        return LargeLabels(out, size_hw, segmenter.tile_hw, pixels, seen.overlay())


@contextmanager
def _opened(image: Path | str | np.ndarray, spec: InputSpec) -> Generator[Pixels]:
    if isinstance(image, np.ndarray):
        yield image
        return
    with open_windows(Path(image)) as picture:
        got = described_bands(picture.shape[2], picture.dtype.name)
        if got != spec.described:
            raise SwiftsegError(f"{image}: {got} where the model takes {spec.described}")
        yield picture


class _SeenLabels:
    """The labels of a picture as they come, counted and shown on the way to their file."""

    def __init__(
        self,
        picture: Pixels,
        segmenter: Segmenter,
        total: int,
        show: Callable[[int, int], None],
    ) -> None:
        self.picture, self.segmenter, self.total, self.show = picture, segmenter, total, show
        self.done = 0
        self.counts = np.zeros(256, np.int64)  # void, where it is asked for, among them
        self.step = -(-max(picture.shape[:2]) // SHOWN_SIDE)
        self.shown_labels: list[np.ndarray] = []
        self.shown_rows: list[np.ndarray] = []

    def bands(self) -> Iterator[np.ndarray]:
        """Yield uint8 (rows, W) from top to bottom."""
        top = 0
        for labels, _ in self.segmenter.tile_bands(self.picture, self._advance):
            self.counts += np.bincount(labels.ravel(), minlength=256)
            for row in range(-top % self.step, len(labels), self.step):
                self.shown_labels.append(labels[row, :: self.step].copy())
                window = slice(top + row, top + row + 1), slice(0, self.picture.shape[1])
                self.shown_rows.append(self.picture[window][0, :: self.step].copy())
            yield labels
            top += len(labels)

    def overlay(self) -> np.ndarray:
        picture = viewable(np.stack(self.shown_rows))
        return overlay(picture, np.stack(self.shown_labels), self.segmenter.spec.labels)

    def _advance(self) -> None:
        self.done += 1
        self.show(self.done, self.total)
