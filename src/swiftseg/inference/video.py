"""Frames out of video files, cameras and streams, through PyAV; needs the `video` extra.

Frames keep their time stamps, so that a recording of uneven rate keeps its pace.
"""

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np

from swiftseg.core import MissingExtraError, SwiftsegError
from swiftseg.core.budgets import LARGE_PIXELS, MAX_VIDEO_PIXELS
from swiftseg.core.memory_limit import AT_ONCE, FRAME_PIXEL_BYTES, fits_limit
from swiftseg.inference.cameras import camera_input, camera_names, camera_number, told_cameras

if TYPE_CHECKING:
    import av.container
    import av.packet
    import av.video.frame
    import av.video.stream

VIDEO_SUFFIXES = (".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".ts")

STORED = "yuv420p"  # what nearly all videos hold, and every player reads

_STREAM = re.compile(r"(rtsps?|https?)://.+", re.IGNORECASE)
_FALLBACK_FPS = Fraction(30)  # for containers that name no rate; the time stamps decide anyhow
_HIGHEST_FPS = 1000  # above it a container has named its clock, as some streams do
_STREAM_PROTOCOLS = "rtsp,rtsps,rtp,srtp,udp,tcp,tls,http,https,httpproxy,crypto,data"
_PATIENCE_S = 10.0  # that a server may be silent
_DISORDER_S = 1.0  # a longer step back in time is a new count
_RETRY_S = 0.5  # between two tries to reach a server again


@dataclass(frozen=True, eq=False)
class TimedFrame:
    """A frame, upright.

    Attributes:
        image: uint8 (H, W, 3) RGB.
        time_s: Time from the video's start.
        planes: The frame as videos store it: brightness Y uint8 (H, W), color U and V at half size,
            rounded up. Views of the decoder's memory, to be read only.
        coding: How the planes make a color, see `color_coding`.
    """

    image: np.ndarray
    time_s: float
    planes: tuple[np.ndarray, ...]
    coding: tuple[int, int]


class Video:
    """An open video, made by `reading_video`.

    Attributes:
        fps: Frames a second, on average.
        num_frames: As the container says; None where it does not, as for a camera.
        is_live: It goes on whether its frames are taken or not: a camera, or a stream of no stated
            length.
        damaged: Packets that could not be decoded so far. Each costs its frame, and perhaps some
            that were stored as differences from it.
        gaps_s: How long an RTSP stream was away, each time that it came back.
        start_s: The time stamp of the first frame; 0 before it, and without a stamp.
    """

    def __init__(
        self, source: str, container: "av.container.InputContainer", *, reconnect_s: float = 0.0
    ) -> None:
        self._source = source
        self._in_use = Lock()
        self._is_closed = False
        self._given_up = Event()
        self._decoded = 0
        self._reconnect_s = reconnect_s if is_rtsp(source) else 0.0
        self.damaged = 0
        self.gaps_s: list[float] = []
        self.start_s = 0.0
        self.is_live = is_camera(source) or (is_stream(source) and not container.duration)
        self._take(container)
        rate = self._stream.average_rate
        self.fps = rate if rate and rate <= _HIGHEST_FPS else _FALLBACK_FPS
        self.num_frames = None if self.is_live else self._stream.frames or None

    def _take(self, container: "av.container.InputContainer") -> None:
        self._container = container
        self._stream: av.video.stream.VideoStream = container.streams.video[0]
        # Decoding several frames at once is faster, and holds some of them back, one a core.
        self._stream.thread_type = "SLICE" if self.is_live or self.is_large else "AUTO"

    def frames(self) -> Iterator[TimedFrame]:
        """Yield the frames, upright, all of one size; to be walked through once.

        Raises:
            SwiftsegError: The video breaks off, changes its size, or holds no frame.
            ValueError: The video has been closed.
        """
        frames = self._timed_frames()
        while True:
            with self._in_use:
                if self._is_closed:  # FFmpeg would crash
                    raise ValueError(f"{self._source} is closed")
                frame = next(frames, None)
            if frame is None:
                return
            yield frame

    @property
    def has_sound(self) -> bool:
        """Whether there is sound beside the frames."""
        return bool(self._container.streams.audio)

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width of the frames as stored."""
        return self._stream.height, self._stream.width

    @property
    def is_large(self) -> bool:
        """Whether a few frames take much of a computer's memory."""
        pixels = self._stream.width * self._stream.height
        return pixels >= LARGE_PIXELS or not fits_limit(AT_ONCE * FRAME_PIXEL_BYTES * pixels)

    def give_up(self) -> None:
        """Wait for no server any more; another thread may call it."""
        self._given_up.set()

    def close(self) -> None:
        """Close the container.

        Not while another thread reads it, which would free what that thread works with: a second
        Ctrl-C leaves a silent server so, and the process's end does the rest.
        """
        self._is_closed = True
        if self._in_use.acquire(blocking=False):
            try:
                self._container.close()
            finally:
                self._in_use.release()

    def _timed_frames(self) -> Iterator[TimedFrame]:
        clock = FrameClock(float(1 / self.fps))
        size_hw: tuple[int, ...] = ()
        for frame in self._all_frames(clock):
            if self._decoded == 0:
                self.start_s = frame.time or 0.0
            image = upright(frame, frame.to_ndarray(format="rgb24"))
            stored = frame.reformat(format=STORED)  # mostly the frame itself
            size_hw = size_hw or image.shape[:2]
            if image.shape[:2] != size_hw:
                before, now = ("{}x{}".format(*hw) for hw in (size_hw, image.shape))
                raise SwiftsegError(
                    f"{self._source}: the frames' size changes from {before} to {now} after "
                    f"{self._decoded} frames, and a video has one size; cut it there"
                )
            self._decoded += 1
            planes = tuple(upright(frame, plane) for plane in planes_of(stored))
            yield TimedFrame(
                np.ascontiguousarray(image), clock.at(frame.time), planes, color_coding(stored)
            )
        if self._decoded == 0:
            raise SwiftsegError(f"{self._source}: the video holds no frame that can be decoded")

    def _all_frames(self, clock: "FrameClock") -> Iterator["av.video.frame.VideoFrame"]:
        """Yield the frames, also those after a stream was away."""
        while True:
            try:
                yield from self._frames()
                return
            except SwiftsegError:
                gap_s = self._reconnect() if self._decoded else None
                if gap_s is None:
                    raise
                self.gaps_s.append(gap_s)
                clock.skip(gap_s)

    def _reconnect(self) -> float | None:
        """Open the stream again; return how many seconds that took, or None where it is gone."""
        begin = monotonic()
        while monotonic() - begin < self._reconnect_s and not self._given_up.is_set():
            try:
                container = open_container(self._source)
            except SwiftsegError:
                self._given_up.wait(_RETRY_S)
                continue
            self._container.close()
            self._take(container)
            return monotonic() - begin
        return None

    def _frames(self) -> Iterator["av.video.frame.VideoFrame"]:
        from av.error import FFmpegError

        is_cut = False
        try:
            for packet in self._container.demux(self._stream):
                if packet.size:
                    is_cut = packet.is_corrupt
                yield from self._decode(packet)
        except FFmpegError as error:
            yield from self._decode(None)
            raise self._broken_off(_reason(error)) from error
        if is_cut:
            raise self._broken_off("its last packet is not whole")
        if self.is_live and is_rtsp(self._source):  # which ends when a camera or its server dies
            raise self._broken_off("the server has ended the stream")

    def _decode(self, packet: "av.packet.Packet[Any] | None") -> list["av.video.frame.VideoFrame"]:
        """Decode a packet, or with None what the decoder still holds."""
        from av.error import FFmpegError

        try:
            return self._stream.decode(packet)
        except FFmpegError:
            self.damaged += 1
            return []

    def _broken_off(self, reason: str) -> SwiftsegError:
        if self._decoded == 0:
            return SwiftsegError(f"{self._source}: no frame can be decoded ({reason})")
        return SwiftsegError(
            f"{self._source}: the video breaks off after {self._decoded} frames ({reason})"
        )


class FrameClock:
    """Turns time stamps into times from the first frame that never run backward.

    Where no stamp tells, a frame comes `step_s` after the one before.
    """

    def __init__(self, step_s: float) -> None:
        self._step_s = step_s
        self._start_s: float | None = None
        self._next_s = self._last_s = 0.0

    def skip(self, gap_s: float) -> None:
        """Let the next frame come so many seconds later, whatever its stamp counts from."""
        self._start_s, self._next_s = None, self._last_s + gap_s

    def at(self, stamp_s: float | None) -> float:
        """Return a frame's time in seconds; None stands for a frame without a stamp."""
        time_s = self._next_s
        if stamp_s is not None and self._start_s is not None:
            time_s = stamp_s - self._start_s
            if time_s < self._last_s - _DISORDER_S:  # a second recording in the same file
                self._start_s, time_s = stamp_s - self._next_s, self._next_s
        elif stamp_s is not None:
            self._start_s = stamp_s - time_s
        self._last_s = max(time_s, self._last_s)
        self._next_s = self._last_s + self._step_s
        return self._last_s


@contextmanager
def reading_video(source: Path | str, *, reconnect_s: float = 0.0) -> Generator[Video]:
    """Open a video file, a stream (an rtsp or http address) or a camera.

    Args:
        source: The file, the address, or `camera:N` or `N` for a camera of this machine.
        reconnect_s: How many seconds a dropped RTSP stream is tried again for.

    Raises:
        MissingExtraError: PyAV is not installed.
        SwiftsegError: There is no such file, server or camera, or it holds no video.
    """
    name = str(source)
    with closing(Video(name, open_container(name), reconnect_s=reconnect_s)) as video:
        yield video


def open_container(name: str, data: BinaryIO | None = None) -> "av.container.InputContainer":
    """Open what `reading_video` takes, or the open file `data`, which errors call `name`.

    Raises:
        MissingExtraError: PyAV is not installed.
        SwiftsegError: It cannot be opened, holds no video, or its frames are too large.
    """
    require_pyav()
    import av
    from av.error import FFmpegError

    camera = None if data else _camera_of(name)
    try:
        if data is not None:
            container = av.open(data, "r")
        elif camera is not None:
            device = camera_input(camera)
            container = av.open(device.file, format=device.format, options=device.options)
        else:
            address, options = input_of(name)
            patience_s = _PATIENCE_S if is_stream(name) else None
            container = av.open(address, options=options, timeout=patience_s)
    except (FFmpegError, ValueError) as error:
        if data is not None:
            raise SwiftsegError(f"{name}: not a video that can be read ({error})") from error
        raise _not_opened(name, error) from error
    if not container.streams.video:
        container.close()
        raise SwiftsegError(f"{name}: the file is truncated or holds no video")
    stream = container.streams.video[0]
    if stream.width * stream.height > MAX_VIDEO_PIXELS:
        size = f"{stream.width}x{stream.height}"
        container.close()
        raise SwiftsegError(
            f"{name}: its frames of {size} exceed {MAX_VIDEO_PIXELS // 10**6} megapixels"
        )
    # For a stream whose frames are larger than the container says.
    stream.codec_context.options = {"max_pixels": str(MAX_VIDEO_PIXELS)}
    return container


def input_of(source: str) -> tuple[str, dict[str, str]]:
    """Return the address by which FFmpeg opens a file or a stream, and its options.

    A file is one whatever its name, `12:30.mp4` too, and opens files alone: a playlist in the
    clothes of a video would connect to where it likes. A stream opens no files.
    """
    if not is_stream(source):
        return f"file:{source}", {"protocol_whitelist": "file"}
    options = {"protocol_whitelist": _STREAM_PROTOCOLS}
    # Over TCP where the server can: over UDP lost packets leave grey smears.
    return source, {**options, "rtsp_flags": "prefer_tcp"} if is_rtsp(source) else options


def is_camera(source: str) -> bool:
    """Whether a text names a camera, as `camera:0` and `0` do where no file has that name."""
    return _camera_of(source) is not None


def _camera_of(source: str) -> int | None:
    return None if Path(source).exists() else camera_number(source)


def is_stream(source: str) -> bool:
    """Whether the text is an address, as `rtsp://HOST/PATH` is."""
    return _STREAM.fullmatch(source) is not None


def is_rtsp(source: str) -> bool:
    """Whether the text is an address of a camera's protocol."""
    return is_stream(source) and source.lower().startswith("rtsp")


def require_pyav() -> None:
    """Raise MissingExtraError where PyAV is not installed."""
    if find_spec("av") is None:
        raise MissingExtraError("reading and writing video", "video")


def planes_of(frame: "av.video.frame.VideoFrame") -> list[np.ndarray]:
    """View the planes of a frame of 8 bits, each uint8 (h, w), without the padding of its rows."""
    planes = cast("Sequence[Any]", frame.planes)  # buffers, which PyAV's stubs do not tell
    return [
        np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
        for plane in planes
    ]


def color_coding(frame: "av.video.frame.VideoFrame") -> tuple[int, int]:
    """Return FFmpeg's numbers for the weights between YUV and RGB, and for the values' range."""
    return frame.colorspace, frame.color_range


def upright(frame: "av.video.frame.VideoFrame", pixels: np.ndarray) -> np.ndarray:
    """Turn pixels as their frame's container asks for: phones store portraits lying down."""
    return np.rot90(pixels, frame.rotation // 90)


def _not_opened(source: str, error: Exception) -> SwiftsegError:
    camera = _camera_of(source)
    if camera is not None:
        place = camera_input(camera).file
        return SwiftsegError(
            f"no camera at {place} ({_reason(error)}); {told_cameras(camera_names())}"
        )
    if is_stream(source):
        return SwiftsegError(f"cannot open the stream {source} ({_reason(error)})")
    if isinstance(error, FileNotFoundError):
        return SwiftsegError(f"no such file: {source}")
    if Path(source).is_file() and Path(source).stat().st_size == 0:
        return SwiftsegError(f"{source}: the file is empty (0 bytes)")
    return SwiftsegError(f"{source}: not a video that can be read ({_reason(error)})")


def _reason(error: Exception) -> str:
    from av.error import ExitError

    if isinstance(error, ExitError):  # FFmpeg's words for a timeout: immediate exit requested
        return f"no data for {_PATIENCE_S:.0f} seconds"
    return str(getattr(error, "strerror", None) or error)
