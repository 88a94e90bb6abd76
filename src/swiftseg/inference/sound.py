"""The sound of a video file, copied beside its overlay as it is; needs the `video` extra."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swiftseg.inference.video import Video, input_of

if TYPE_CHECKING:
    import av.container
    import av.packet

# What every player finds in an .mp4.
CODECS = ("aac", "mp3", "ac3", "eac3", "alac", "opus", "flac")


class Sound:
    """The first sound of a video, copied packet by packet; made by `sound_of`.

    The video's first frame becomes time zero; `lost` says why a sound is not kept.
    """

    def __init__(
        self, video: Video, source: "av.container.InputContainer | None", lost: str = ""
    ) -> None:
        self.lost = lost
        self._video = video
        self._source = source
        self._stream = source.streams.audio[0] if source is not None else None
        if self._stream is not None and self._stream.codec_context.name not in CODECS:
            self.lost = f"an .mp4 holds no {self._stream.codec_context.name}"
            self._stream = None
        self._packets: Iterator[av.packet.Packet[Any]] = iter(())
        self._next: av.packet.Packet[Any] | None = None
        self._copy: Any = None

    def join(self, target: "av.container.OutputContainer") -> None:
        """Add the sound to a file, before its first packet is written."""
        if self._source is not None and self._stream is not None:
            self._copy = target.add_stream_from_template(self._stream)
            self._packets = self._source.demux(self._stream)
            self._advance()

    def copy_until(self, time_s: float, target: "av.container.OutputContainer") -> None:
        """Copy what is heard up to a time from the video's first frame."""
        while self._next is not None:
            packet, base = self._next, self._next.time_base
            assert packet.pts is not None
            if float(packet.pts * base) - self._video.start_s > time_s:
                return
            self._advance()
            shift = round(self._video.start_s / base)
            packet.pts -= shift
            packet.dts = packet.pts if packet.dts is None else packet.dts - shift
            if packet.pts >= 0:  # what was heard before the first frame is left out
                packet.stream = self._copy
                target.mux(packet)

    def _advance(self) -> None:
        from av.error import FFmpegError

        try:
            stamped = (packet for packet in self._packets if packet.size and packet.pts is not None)
            self._next = next(stamped, None)
        except FFmpegError as error:
            self._next, self.lost = None, f"it breaks off ({error.strerror})"


@contextmanager
def sound_of(video: Video, source: str) -> Generator[Sound]:
    """Open the sound of a video, which has none where its file has none."""
    import av

    if not video.has_sound:
        yield Sound(video, None)
    elif not Path(source).is_file():
        yield Sound(video, None, "that of cameras and streams is not recorded")
    else:
        address, options = input_of(source)
        with av.open(address, options=options) as container:
            yield Sound(video, container)
