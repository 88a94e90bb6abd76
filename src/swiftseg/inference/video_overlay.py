"""Label maps over the frames of a video, without a way through RGB; needs the `video` extra.

Videos hold brightness at full size and color at half. Blended there, a picture moves half the
bytes, and the encoder takes it as it is: at 512x1024 a quarter of the time that drawing in RGB and
coming back from it takes.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from swiftseg.core import LabelSet
from swiftseg.inference.video import STORED, TimedFrame, planes_of
from swiftseg.inference.video_writer import even_sized
from swiftseg.render import with_legend
from swiftseg.render.colors import blend, clear_values, looked_up

if TYPE_CHECKING:
    import av


def overlay_frame(
    frame: TimedFrame,
    label_map: np.ndarray,
    labels: LabelSet,
    *,
    alpha: float = 0.5,
    hide: tuple[str, ...] = (),
    legend: bool = True,
) -> "av.VideoFrame":
    """Blend the classes' colors over a frame, with the legend beneath or beside it.

    The picture is `with_legend(overlay(...))`, made even in height and width. Four pixels share a
    color, which is here that of the upper left one's class.

    Args:
        frame: Of H x W.
        label_map: uint8 (H, W).
        labels: The classes and their colors.
        alpha: The colors' part, 0..1.
        hide: Names of classes that are not drawn.
        legend: Whether there is one.
    """
    import av

    page, tables = _page_and_tables(labels, label_map.shape, frame.coding, hide, legend)
    picture = av.VideoFrame(page[0].shape[1], page[0].shape[0], STORED)
    picture.colorspace, picture.color_range = frame.coding
    clear = clear_values(labels, hide)
    half = label_map[::2, ::2]
    for out, own, rest, table, classes in zip(
        planes_of(picture), frame.planes, page, tables, (label_map, half, half), strict=True
    ):
        height, width = own.shape
        blend(own, looked_up(classes, table), alpha, out=out[:height, :width])
        is_clear = looked_up(classes, clear).astype(bool)
        np.copyto(out[:height, :width], own, where=is_clear)
        out[:height, width:] = rest[:height, width:]
        out[height:] = rest[height:]
    return picture


@lru_cache(maxsize=2)
def _page_and_tables(
    labels: LabelSet,
    size_hw: tuple[int, ...],
    coding: tuple[int, int],
    hide: tuple[str, ...],
    legend: bool,
) -> tuple[list[np.ndarray], list[bytes]]:
    """Return the planes of a black picture with its legend, and each value's Y, U and V."""
    page = np.zeros((*size_hw, 3), np.uint8)
    if legend:
        page = with_legend(page, labels, hide=hide)
    palette = np.zeros((1, 256, 3), np.uint8)
    palette[0, : len(labels)] = labels.colors
    tables = [plane.tobytes() for plane in _planes_from_rgb(palette, "yuv444p", coding)]
    return _planes_from_rgb(even_sized(page), STORED, coding), tables


def _planes_from_rgb(image: np.ndarray, pix_fmt: str, coding: tuple[int, int]) -> list[np.ndarray]:
    import av

    frame = av.VideoFrame.from_ndarray(image, format="rgb24")
    frame.colorspace, frame.color_range = coding
    return planes_of(frame.reformat(format=pix_fmt))
