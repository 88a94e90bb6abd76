"""A window that shows a video as it is segmented; needs the `show` extra."""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from swiftseg.core import SwiftsegError, needs_extra

if TYPE_CHECKING:
    import av

_CLOSING_KEYS = (27, ord("q"))  # Escape, Q
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")


class Window:
    """An open window, made by `showing`."""

    def __init__(self, cv2: Any, title: str) -> None:
        self._cv2 = cv2
        self._title = title

    def show(self, picture: "av.VideoFrame") -> bool:
        """Show a picture; return False once the user has closed the window, or pressed Q."""
        self._cv2.imshow(self._title, picture.to_ndarray(format="bgr24"))
        if self._cv2.waitKey(1) & 0xFF in _CLOSING_KEYS:
            return False
        return self._cv2.getWindowProperty(self._title, self._cv2.WND_PROP_VISIBLE) >= 1


@contextmanager
def showing(title: str) -> Generator[Window]:
    """Open a window, which takes pictures from this thread alone.

    To be opened before PyAV is imported: loaded behind PyAV's libraries, OpenCV's window hangs.

    Raises:
        MissingExtraError: OpenCV is not installed.
        SwiftsegError: There is no display, or this OpenCV opens no windows.
    """
    with needs_extra("a live window", "show"):
        import cv2
    if sys.platform.startswith("linux") and not any(map(os.environ.get, _DISPLAYS)):
        raise SwiftsegError(
            "--show needs a display and finds none here; without it the overlay is written as a "
            "video to watch"
        )
    window: Any = cv2
    try:
        window.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
    except cv2.error as error:
        raise SwiftsegError(
            "this OpenCV opens no windows: replace opencv-python-headless by opencv-python"
        ) from error
    try:
        yield Window(cv2, title)
    finally:
        window.destroyAllWindows()
