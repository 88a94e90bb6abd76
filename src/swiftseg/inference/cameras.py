"""The machine's cameras, by the devices that FFmpeg has on Linux, macOS and Windows."""

import re
import sys
from typing import NamedTuple

from swiftseg.core import SwiftsegError

_CAMERA = re.compile(r"(?:camera:)?(\d+)")
_FORMATS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}


class CameraInput(NamedTuple):
    """What `av.open` takes for a camera."""

    file: str
    format: str
    options: dict[str, str]


def camera_number(text: str) -> int | None:
    """Return the number in `camera:0` or `0`; None for any other text."""
    match = _CAMERA.fullmatch(text)
    return int(match[1]) if match else None


def camera_input(number: int, platform: str = sys.platform) -> CameraInput:
    """Return how a camera is opened.

    Raises:
        SwiftsegError: The system is none of the three, or has no camera of that number.
    """
    if platform == "darwin":
        # Without sound; macOS refuses every rate that the camera does not have, and all have 30.
        return CameraInput(f"{number}:none", "avfoundation", {"framerate": "30"})
    if platform == "win32":
        names = camera_names(platform)
        if number >= len(names):
            raise SwiftsegError(f"no camera {number}; {told_cameras(names)}")
        # Room for a second of raw frames, where the network is slower than the camera.
        return CameraInput(f"video={names[number]}", "dshow", {"rtbufsize": "100M"})
    if platform.startswith("linux"):
        return CameraInput(f"/dev/video{number}", "v4l2", {})
    raise SwiftsegError(f"cameras are read on Linux, macOS and Windows, and this is {platform}")


def camera_names(platform: str = sys.platform) -> list[str]:
    """Return the names of the machine's cameras, in the order of their numbers."""
    from av.device import enumerate_input_devices
    from av.error import FFmpegError

    known = _FORMATS.get("linux" if platform.startswith("linux") else platform, "")
    try:
        devices = enumerate_input_devices(known)
    except (FFmpegError, ValueError):
        return []
    return [one.name for one in devices if not one.media_types or "video" in one.media_types]


def told_cameras(names: list[str]) -> str:
    """Return a line about the cameras there are."""
    return f"this machine has {', '.join(names)}" if names else "this machine has none"
