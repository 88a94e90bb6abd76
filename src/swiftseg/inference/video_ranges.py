"""A video cut into ranges of frames that can be decoded apart, by different machines.

A frame is known by its time stamp, and its number is its stamp's place among all stamps. So a frame
that cannot be decoded costs its own number, and every range numbers its frames as the whole does.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.inference.video import open_container, upright

if TYPE_CHECKING:
    import av.container
    import av.video.frame


def frame_ranges(
    source: str, frames: int, data: BinaryIO | None = None
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield ranges as (the first frame's number, the time stamps of all), without decoding.

    Args:
        source: The file, or what errors call `data`.
        frames: How many frames a range has at most.
        data: The file, open, where it is none of this machine.

    Raises:
        MissingExtraError: PyAV is not installed.
        SwiftsegError: The file is no video, or its frames have no time stamps.
    """
    with closing(open_container(source, data)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    stamps = sorted({packet.pts for packet in packets if packet.pts is not None})
    if not stamps or any(packet.pts is None for packet in packets):
        raise SwiftsegError(
            f"{source}: its frames have no time stamps, which cutting a video needs; label it with "
            "swiftseg predict"
        )
    for first in range(0, len(stamps), frames):
        yield first, tuple(stamps[first : first + frames])


def read_range(
    source: str, first: int, stamps: Sequence[int], data: BinaryIO | None = None
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the frames of a range as (number, uint8 (H, W, 3) RGB upright), in order.

    Args:
        source: The file, or what errors call `data`.
        first: The number of the first frame.
        stamps: The time stamps of all frames, as `frame_ranges` gave them.
        data: The file, open, where it is none of this machine.

    Raises:
        SwiftsegError: The file cannot be read, or none of these frames can be decoded.
    """
    from av.error import FFmpegError

    numbers = {stamp: first + index for index, stamp in enumerate(stamps)}
    found = 0
    with closing(open_container(source, data)) as container:
        try:
            container.seek(stamps[0], stream=container.streams.video[0])
            for frame in _decoded(container):
                if frame.pts is not None and frame.pts > stamps[-1]:
                    break
                if frame.pts in numbers:
                    found += 1
                    image = upright(frame, frame.to_ndarray(format="rgb24"))
                    yield numbers[frame.pts], np.ascontiguousarray(image)
        except FFmpegError as error:
            raise SwiftsegError(
                f"{source}: frames from {first} cannot be read ({error})"
            ) from error
    if found == 0:
        raise SwiftsegError(
            f"{source}: none of the frames {first} to {first + len(stamps) - 1} can be decoded"
        )


def _decoded(
    container: "av.container.InputContainer",
) -> Iterator["av.video.frame.VideoFrame"]:
    """Yield the frames that can be decoded; damaged packets are skipped."""
    from av.error import FFmpegError

    stream = container.streams.video[0]
    for packet in container.demux(stream):
        try:
            yield from stream.decode(packet)
        except FFmpegError:
            continue
