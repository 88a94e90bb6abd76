import av.device
import pytest

from swiftseg.core import SwiftsegError
from swiftseg.inference.cameras import camera_input, camera_names, camera_number


def device(name, *media_types):
    return av.device.DeviceInfo(name, name, False, list(media_types))


@pytest.fixture
def devices(monkeypatch):
    """Lets FFmpeg find two cameras and a microphone, whatever system asks."""
    found = [device("Front", "video"), device("Mic", "audio"), device("Back", "video")]
    monkeypatch.setattr(av.device, "enumerate_input_devices", lambda format_name: found)


def test_a_number_names_a_camera():
    assert [camera_number(text) for text in ("0", "camera:12", "a", "camera:", "-1")] == [
        *(0, 12),
        *(None, None, None),
    ]


def test_each_system_has_its_devices(devices):
    assert camera_input(1, "linux") == ("/dev/video1", "v4l2", {})
    assert camera_input(1, "darwin")[:2] == ("1:none", "avfoundation")
    assert camera_input(1, "win32")[:2] == ("video=Back", "dshow")


def test_a_camera_that_windows_has_not_is_told(devices):
    with pytest.raises(SwiftsegError, match="no camera 2; this machine has Front, Back"):
        camera_input(2, "win32")


def test_another_system_is_told():
    with pytest.raises(SwiftsegError, match="Linux, macOS and Windows, and this is sunos5"):
        camera_input(0, "sunos5")


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_ffmpeg_of_another_system_has_no_cameras(platform):
    assert isinstance(camera_names(platform), list)
