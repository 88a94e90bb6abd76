"""Small videos, and ways to damage them."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import av
import numpy as np

_PIXEL_FORMATS = {"mjpeg": "yuvj420p"}
_FORMATS = {".ts": "mpegts"}


def write_clip(
    path: Path,
    num_frames: int,
    *,
    size_hw: tuple[int, int] = (32, 48),
    fps: int = 10,
    codec: str = "libx264",
    mux: Mapping[str, str] | None = None,
) -> Path:
    """Writes noise that moves to the right; `mux` are options of the container."""
    pixels = np.random.default_rng(0).integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    with av.open(
        str(path), "w", format=_FORMATS.get(path.suffix), options=dict(mux or {})
    ) as container:
        stream = container.add_stream(codec, rate=fps, options={"g": "5", "bf": "0"})
        stream.height, stream.width = size_hw
        stream.pix_fmt = _PIXEL_FORMATS.get(codec, "yuv420p")
        for index in range(num_frames):
            image = np.roll(pixels, index, axis=1)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def corrupt_packets(path: Path, indices: Iterable[int]) -> None:
    """Overwrites what packets carry with zeros, counted as they are stored; their headers stay."""
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    data = path.read_bytes()
    for index in indices:
        assert data.count(packets[index]) == 1
        data = data.replace(packets[index], bytes(len(packets[index])))
    path.write_bytes(data)
