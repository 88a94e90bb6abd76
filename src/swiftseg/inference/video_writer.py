"""Frames into video files, through PyAV; needs the `video` extra.

Frames keep their time stamps, so that a recording of uneven rate keeps its pace.
"""

from collections.abc import Generator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.core.files import replacing
from swiftseg.inference.video import STORED, color_coding, require_pyav

if TYPE_CHECKING:
    import av
    import av.container
    import av.video.stream

    from swiftseg.inference.sound import Sound

_TICKS = 90_000  # a second; MPEG's clock, which the common frame rates divide
# The network shares the cores with x264. On overlays of 512x1024 the preset `veryfast` takes 3.5
# times as long for files a fifth smaller that look alike (SSIM, PSNR). Two of the steps that
# `ultrafast` leaves out cost next to nothing and more than pay in quality.
_X264 = {"preset": "ultrafast", "crf": "26", "x264-params": "partitions=i4x4:deblock=0,0"}


# Each group of pictures, of up to a few seconds, can be played once it is written: what a kill or a
# loss of power leaves of the temporary file is a video. At its end it becomes an ordinary one.
_FRAGMENTED = {"movflags": "hybrid_fragmented+frag_keyframe", "flush_packets": "1"}


class VideoWriter:
    """Takes frames of one size and encodes them; made by `writing_video`."""

    def __init__(
        self, container: "av.container.OutputContainer", fps: Fraction, sound: "Sound | None"
    ) -> None:
        self._container = container
        self._sound = sound
        self._fps = fps
        self._stream: av.video.stream.VideoStream | None = None
        self._size: tuple[int, ...] = ()
        self._last_tick = -1

    def write(self, picture: "np.ndarray | av.VideoFrame", time_s: float) -> None:
        """Append a picture.

        Args:
            picture: uint8 (H, W, 3) RGB, or a frame as `overlay_frame` makes it, which is encoded
                as it is.
            time_s: Counts from the first frame, in order.

        Raises:
            ValueError: The picture has another size than the first one.
        """
        import av

        frame = picture
        if isinstance(frame, np.ndarray):
            frame = av.VideoFrame.from_numpy_buffer(even_sized(frame), format="rgb24")
        size = (frame.height, frame.width)
        if self._stream is None:
            self._size = size
            self._stream = self._open_stream(frame)
            if self._sound is not None:
                self._sound.join(self._container)
        if size != self._size:
            raise ValueError(f"expected a frame of {self._size}, got {size}")
        self._last_tick = frame.pts = max(round(time_s * _TICKS), self._last_tick + 1)
        frame.time_base = Fraction(1, _TICKS)
        frame.duration = round(_TICKS / self._fps)
        self._container.mux(self._stream.encode(frame))
        self._copy_sound(time_s)

    def finish(self) -> None:
        """Write what the encoder still holds; raise SwiftsegError where no frame has come."""
        if self._stream is None:
            raise SwiftsegError("a video needs at least one frame")
        self._container.mux(self._stream.encode(None))
        self._copy_sound(self._last_tick / _TICKS + float(1 / self._fps))

    def _copy_sound(self, time_s: float) -> None:
        if self._sound is not None:
            self._sound.copy_until(time_s, self._container)

    def _open_stream(self, frame: "av.VideoFrame") -> "av.video.stream.VideoStream":
        stream = self._container.add_stream("libx264", rate=self._fps, options=_X264)
        stream.height, stream.width = frame.height, frame.width
        stream.pix_fmt = STORED
        if frame.format.name == STORED:
            context = stream.codec_context
            context.colorspace, context.color_range = color_coding(frame)
        stream.codec_context.time_base = Fraction(1, _TICKS)
        return stream


@contextmanager
def writing_video(
    path: Path, *, fps: Fraction, sound: "Sound | None" = None
) -> Generator[VideoWriter]:
    """Open an H.264 .mp4 for writing; the file is at `path` once the block ends well.

    A side of odd length gets its last row or column twice, since H.264 stores color at half size.
    The sound is copied as far as there are frames.

    Raises:
        MissingExtraError: PyAV is not installed.
        SwiftsegError: The file cannot be written.
    """
    require_pyav()
    import av
    from av.error import FFmpegError

    with replacing(path) as temporary:
        try:
            with av.open(str(temporary), "w", format="mp4", options=_FRAGMENTED) as container:
                writer = VideoWriter(container, fps, sound)
                yield writer
                writer.finish()
        except FFmpegError as error:
            raise SwiftsegError(f"cannot write {path}: {error.strerror}") from error


def even_sized(image: np.ndarray) -> np.ndarray:
    """Repeat the last row or column of uint8 (H, W, 3) where their number is odd."""
    height, width = image.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return np.ascontiguousarray(image)
    return np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
