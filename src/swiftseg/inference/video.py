"""Video files and cameras in, video files out, through PyAV; needs the `video` extra.

Frames keep their time stamps, so that a recording of uneven rate keeps its pace.
"""

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from swiftseg.core import MissingExtraError, SwiftsegError
from swiftseg.core.files import replacing

if TYPE_CHECKING:
    import av.container
    import av.video.frame
    import av.video.stream

VIDEO_SUFFIXES = (".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".mpg", ".mpeg")

_CAMERA = re.compile(r"camera:(\d+)")
_FALLBACK_FPS = Fraction(30)  # for containers that name no rate; the time stamps decide anyhow
_TICKS = 90_000  # a second; MPEG's clock, which the common frame rates divide


@dataclass(frozen=True, eq=False)
class TimedFrame:
    """A frame uint8 (H, W, 3) RGB and its time in seconds from the video's start."""

    image: np.ndarray
    time_s: float


@dataclass(frozen=True)
class Video:
    """An open video.

    Attributes:
        fps: Frames a second, on average.
        num_frames: As the container says; None where it does not, as for a camera.
        frames: The frames, upright, to be walked through once.
    """

    fps: Fraction
    num_frames: int | None
    frames: Iterator[TimedFrame]


class VideoWriter:
    """Takes frames of one size and encodes them; made by `writing_video`."""

    def __init__(self, container: "av.container.OutputContainer", fps: Fraction) -> None:
        self._container = container
        self._fps = fps
        self._stream: av.video.stream.VideoStream | None = None
        self._last_tick = -1

    def write(self, image: np.ndarray, time_s: float) -> None:
        """Appends a frame uint8 (H, W, 3) RGB; times count from the first frame, in order."""
        import av

        image = _even_sized(image)
        if self._stream is None:
            self._stream = self._open_stream(image)
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        self._last_tick = frame.pts = max(round(time_s * _TICKS), self._last_tick + 1)
        frame.time_base = Fraction(1, _TICKS)
        frame.duration = round(_TICKS / self._fps)
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Writes what the encoder still holds; raises SwiftsegError where no frame has come."""
        if self._stream is None:
            raise SwiftsegError("a video needs at least one frame")
        self._container.mux(self._stream.encode(None))

    def _open_stream(self, image: np.ndarray) -> "av.video.stream.VideoStream":
        stream = self._container.add_stream("libx264", rate=self._fps)
        stream.height, stream.width = image.shape[:2]
        stream.pix_fmt = "yuv420p"  # what every player reads
        stream.codec_context.time_base = Fraction(1, _TICKS)
        return stream


@contextmanager
def reading_video(source: Path | str) -> Generator[Video]:
    """Opens a video file or, as `camera:N`, the camera /dev/videoN.

    Raises:
        MissingExtraError: PyAV is not installed.
        SwiftsegError: There is no such file or camera, or it holds no video; while frames are read:
            the file is damaged, or holds no frame.
    """
    _require_pyav()
    import av
    from av.error import FFmpegError

    camera = _CAMERA.fullmatch(str(source))
    try:
        container = (
            av.open(f"/dev/video{camera[1]}", format="v4l2") if camera else av.open(str(source))
        )
    except (FFmpegError, ValueError) as error:
        raise _not_opened(source, camera[1] if camera else None, error) from error
    with container:
        if not container.streams.video:
            raise SwiftsegError(f"{source}: the file is truncated or holds no video")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        yield Video(
            fps=stream.average_rate or _FALLBACK_FPS,
            num_frames=stream.frames or None,
            frames=_frames(source, container),
        )


@contextmanager
def writing_video(path: Path, *, fps: Fraction) -> Generator[VideoWriter]:
    """Opens an H.264 .mp4 for writing; the file is at `path` once the block ends well.

    A side of odd length gets its last row or column twice, since H.264 stores color at half size.

    Raises:
        MissingExtraError: PyAV is not installed.
        SwiftsegError: The file cannot be written.
    """
    _require_pyav()
    import av
    from av.error import FFmpegError

    with replacing(path) as temporary:
        try:
            with av.open(str(temporary), "w", format="mp4") as container:
                writer = VideoWriter(container, fps)
                yield writer
                writer.finish()
        except FFmpegError as error:
            raise SwiftsegError(f"cannot write {path}: {error.strerror}") from error


def is_camera(source: str) -> bool:
    """Whether the text names a camera, as `camera:0` does."""
    return _CAMERA.fullmatch(source) is not None


def _frames(source: Path | str, container: "av.container.InputContainer") -> Iterator[TimedFrame]:
    from av.error import FFmpegError

    start_s: float | None = None
    try:
        for frame in container.decode(video=0):
            time_s = frame.time or 0.0
            start_s = time_s if start_s is None else start_s
            yield TimedFrame(_upright(frame), time_s - start_s)
    except FFmpegError as error:
        raise SwiftsegError(f"{source}: the video is damaged ({error.strerror})") from error
    if start_s is None:
        raise SwiftsegError(f"{source}: the video holds no frame")


def _upright(frame: "av.video.frame.VideoFrame") -> np.ndarray:
    """Turns a frame as its container asks for: phones store portraits lying down."""
    return np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), frame.rotation // 90))


def _even_sized(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return image
    return np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _require_pyav() -> None:
    if find_spec("av") is None:
        raise MissingExtraError("reading and writing video", "video")


def _not_opened(source: Path | str, camera: str | None, error: Exception) -> SwiftsegError:
    if camera is None and isinstance(error, FileNotFoundError):
        return SwiftsegError(f"no such file: {source}")
    reason = getattr(error, "strerror", None) or error
    if camera is not None:
        return SwiftsegError(
            f"no camera at /dev/video{camera} ({reason}); cameras are read through Linux's "
            "Video4Linux, `ls /dev/video*` lists them"
        )
    return SwiftsegError(f"{source}: not a video that can be read ({reason})")
