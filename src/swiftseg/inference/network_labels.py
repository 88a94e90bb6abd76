"""A prepared image through the network: whole, or in overlapping tiles."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from swiftseg.data.images.windows import Pixels
from swiftseg.inference.fitting import inside, mean_color
from swiftseg.inference.planes import resize_planes
from swiftseg.inference.preparing import Prepared
from swiftseg.inference.tiles import Tiling, probability_bands
from swiftseg.kernels.confidence import confidence
from swiftseg.kernels.resize import resize_frame
from swiftseg.kernels.upsample_argmax import argmax
from swiftseg.runtimes import Backend


@dataclass(frozen=True, eq=False)
class NetworkLabels:
    """What the network gave for an image, before it is brought to the image's own size.

    Attributes:
        probabilities: float32 (C, h, w) where they were asked for, else None.
        timings_ms: Of `read`, `resize`, `network` and `labels`.
    """

    labels: np.ndarray
    probabilities: np.ndarray | None
    timings_ms: dict[str, float]


def whole_labels(
    backend: Backend, image: Prepared, void_below: float, *, with_probabilities: bool
) -> NetworkLabels:
    """Label an image that is shown to the network at once."""
    assert image.batch is not None
    backend = backend.at_size((image.batch.shape[1], image.batch.shape[2]))
    times_s = [perf_counter()]
    with backend.running(image.batch) as scores:
        times_s.append(perf_counter())
        labels = scores.labels()[0]
        if void_below:
            unsure = scores.unsure(void_below, backend.spec.temperature)[0]
            labels = np.where(unsure, np.uint8(backend.spec.labels.void), labels)
        probs = scores.probabilities()[0] if with_probabilities else None
        times_s.append(perf_counter())
    if image.area is not None:
        labels = inside(labels, image.area)
        probs = None if probs is None else inside(probs.transpose(1, 2, 0), image.area)
        probs = None if probs is None else np.ascontiguousarray(probs.transpose(2, 0, 1))
    timings_ms = {
        **image.timings_ms,
        "network": 1000 * (times_s[1] - times_s[0]),
        "labels": 1000 * (times_s[2] - times_s[1]),
    }
    return NetworkLabels(labels, probs, timings_ms)


def tile_bands(
    backend: Backend,
    picture: Pixels,
    tiling: Tiling,
    void_below: float,
    advance: Callable[[], None],
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Go over a picture in tiles; yield labels uint8 (rows, W) and float32 (C, rows, W).

    `advance` is called after each tile.
    """
    spec = backend.spec
    tile_hw = tiling.size_hw or spec.input.size_hw

    def tile_probabilities(tile: np.ndarray) -> np.ndarray:
        with backend.running(resize_frame(tile, spec.input.size_hw)[None]) as scores:
            probs = scores.probabilities()[0]
        advance()
        return resize_planes(probs, tile_hw)

    padding = mean_color(spec.input)
    for band in probability_bands(
        tile_probabilities, picture, tile_hw, padding, overlap=tiling.overlap
    ):
        labels = argmax(band[None])[0]
        if void_below:
            unsure = confidence(band, spec.temperature) < void_below
            labels = np.where(unsure, np.uint8(spec.labels.void), labels)
        yield labels, band


def tile_labels(
    bands: Iterable[tuple[np.ndarray, np.ndarray]], image: Prepared, *, with_probabilities: bool
) -> NetworkLabels:
    """Put the bands of an image together; of the times, `network` holds all of it."""
    begin = perf_counter()
    label_bands: list[np.ndarray] = []
    kept, row = None, 0
    for labels, probs in bands:
        label_bands.append(labels)
        if with_probabilities:
            if kept is None:
                kept = np.empty((len(probs), *image.frame.shape[:2]), dtype=np.float32)
            kept[:, row : row + probs.shape[1]] = probs
            row += probs.shape[1]
    timings_ms = {**image.timings_ms, "network": 1000 * (perf_counter() - begin)}
    return NetworkLabels(np.concatenate(label_bands), kept, timings_ms)
