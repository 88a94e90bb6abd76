"""Between the fields of ROS image messages and arrays; needs no ROS."""

import io
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image as PillowImage

Bytes = bytes | bytearray | memoryview


def image_to_rgb(encoding: str, size_hw: tuple[int, int], step: int, data: Bytes) -> np.ndarray:
    """Return the picture of a `sensor_msgs/Image` as uint8 (H, W, 3) RGB.

    Its field `is_bigendian` says how numbers of several bytes lie in memory; of the encodings that
    are read here, none has such.

    Args:
        encoding: One of `ENCODINGS`.
        size_hw: The message's height and width.
        step: Bytes from row to row, padding included.
        data: `step` bytes a row; for nv12, the rows of color pairs come behind those of brightness.

    Raises:
        ValueError: The encoding is another, or the fields contradict one another.
    """
    if encoding not in ENCODINGS:
        raise ValueError(f"unknown encoding {encoding!r}; choose from {', '.join(ENCODINGS)}")
    if min(size_hw) < 1:
        raise ValueError(f"expected an image of 1x1 at least, got {size_hw[0]}x{size_hw[1]}")
    return ENCODINGS[encoding](size_hw, step, data)


def compressed_to_rgb(data: Bytes) -> np.ndarray:
    """Return the picture of a `sensor_msgs/CompressedImage`, JPEG or PNG, as uint8 (H, W, 3) RGB.

    Raises:
        ValueError: The bytes are no picture, or a damaged one.
    """
    try:
        with PillowImage.open(io.BytesIO(data), formats=("JPEG", "PNG")) as picture:
            return np.asarray(picture.convert("RGB"))
    except (OSError, SyntaxError, PillowImage.DecompressionBombError) as error:
        raise ValueError(f"cannot decode the compressed image: {error}") from error


def _read_rgb8(size_hw: tuple[int, int], step: int, data: Bytes) -> np.ndarray:
    return np.ascontiguousarray(_rows(size_hw, step, data, channels=3))


def _read_bgr8(size_hw: tuple[int, int], step: int, data: Bytes) -> np.ndarray:
    return np.ascontiguousarray(_rows(size_hw, step, data, channels=3)[..., ::-1])


def _read_mono8(size_hw: tuple[int, int], step: int, data: Bytes) -> np.ndarray:
    return np.repeat(_rows(size_hw, step, data, channels=1), 3, axis=2)


def _read_nv12(size_hw: tuple[int, int], step: int, data: Bytes) -> np.ndarray:
    """Full brightness, and one pair of colors for each 2x2 pixels: BT.601 in 16..235."""
    height, width = size_hw
    if height % 2 or width % 2:
        raise ValueError(f"an nv12 image has an even height and width, got {height}x{width}")
    planes = _rows((height + height // 2, width), step, data, channels=1)[..., 0]
    brightness = 1.164384 * (planes[:height].astype(np.float32) - 16)
    pairs = planes[height:].reshape(height // 2, width // 2, 2).astype(np.float32) - 128
    blue, red = pairs.repeat(2, axis=0).repeat(2, axis=1).transpose(2, 0, 1)
    rgb = np.empty((height, width, 3), np.float32)
    rgb[..., 0] = brightness + 1.596027 * red
    rgb[..., 1] = brightness - 0.391762 * blue - 0.812968 * red
    rgb[..., 2] = brightness + 2.017232 * blue
    return np.rint(rgb).clip(0, 255).astype(np.uint8)


def _rows(size_hw: tuple[int, int], step: int, data: Bytes, channels: int) -> np.ndarray:
    """Return a view (H, W, channels) of the data without the padding behind each row."""
    height, width = size_hw
    if step < width * channels:
        raise ValueError(
            f"a row of {width} pixels takes {width * channels} bytes, and step is {step}"
        )
    flat = np.frombuffer(data, np.uint8)
    if flat.size < step * height:
        raise ValueError(
            f"{height} rows of {step} bytes are {step * height}, got {flat.size} bytes"
        )
    rows = flat[: step * height].reshape(height, step)
    return rows[:, : width * channels].reshape(height, width, channels)


ENCODINGS: Mapping[str, Callable[[tuple[int, int], int, Bytes], np.ndarray]] = {
    "rgb8": _read_rgb8,
    "bgr8": _read_bgr8,
    "mono8": _read_mono8,
    "nv12": _read_nv12,
}
