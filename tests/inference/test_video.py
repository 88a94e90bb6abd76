import sys
from fractions import Fraction

import av
import numpy as np
import pytest

from swiftseg.core import MissingExtraError, SwiftsegError
from swiftseg.inference.video import is_camera, reading_video, writing_video


def write_frames(path, grays, fps=Fraction(25), size_hw=(32, 48)):
    with writing_video(path, fps=fps) as writer:
        for index, gray in enumerate(grays):
            writer.write(np.full((*size_hw, 3), gray, np.uint8), float(index / fps))
    return path


def read_frames(path):
    with reading_video(path) as video:
        return list(video.frames)


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30_000, 1001), Fraction(12)])
def test_frames_their_times_and_the_rate_come_back(tmp_path, fps):
    grays = [20, 90, 160, 230, 40]
    path = write_frames(tmp_path / "a.mp4", grays, fps)

    with reading_video(path) as video:
        frames = list(video.frames)

    assert video.fps == fps
    assert video.num_frames == 5
    assert [frame.image.shape for frame in frames] == [(32, 48, 3)] * 5
    assert all(frame.image.dtype == np.uint8 for frame in frames)
    means = [frame.image.mean() for frame in frames]
    np.testing.assert_allclose(means, grays, atol=4)  # H.264 is lossy
    times_s = [frame.time_s for frame in frames]
    np.testing.assert_allclose(times_s, np.arange(5) / float(fps), atol=1e-4)


def test_an_uneven_pace_is_kept(tmp_path):
    times_s = [0.0, 0.04, 0.5, 0.54, 2.0]
    with writing_video(tmp_path / "a.mp4", fps=Fraction(25)) as writer:
        for time_s in times_s:
            writer.write(np.zeros((16, 16, 3), np.uint8), time_s)
    read = [frame.time_s for frame in read_frames(tmp_path / "a.mp4")]
    np.testing.assert_allclose(read, times_s, atol=1e-4)


def test_an_odd_side_is_made_even(tmp_path):
    [frame] = read_frames(write_frames(tmp_path / "a.mp4", [100], size_hw=(33, 47)))
    assert frame.image.shape == (34, 48, 3)
    np.testing.assert_allclose(frame.image, 100, atol=4)


def test_colors_keep_their_order(tmp_path):
    red = np.full((32, 32, 3), (220, 30, 30), np.uint8)
    with writing_video(tmp_path / "a.mp4", fps=Fraction(10)) as writer:
        writer.write(red, 0.0)
    [frame] = read_frames(tmp_path / "a.mp4")
    np.testing.assert_allclose(frame.image, red, atol=12)


def test_a_portrait_is_put_upright(tmp_path):
    lying = np.zeros((32, 64, 3), np.uint8)
    lying[:, :32] = 255  # white at the left
    with writing_video(tmp_path / "a.mp4", fps=Fraction(10)) as writer:
        writer.write(lying, 0.0)
    data = bytearray((tmp_path / "a.mp4").read_bytes())
    identity = b"".join(n.to_bytes(4, "big") for n in (65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30))
    # A phone held upright: x' = -y, y' = x, which turns the picture clockwise (ISO 14496-12).
    turned = b"".join(
        n.to_bytes(4, "big", signed=True) for n in (0, 65536, 0, -65536, 0, 0, 32 << 16, 0, 1 << 30)
    )
    track = data.index(b"tkhd")
    at = data.index(identity, track)
    data[at : at + 36] = turned
    (tmp_path / "b.mp4").write_bytes(data)

    [frame] = read_frames(tmp_path / "b.mp4")

    assert frame.image.shape == (64, 32, 3)
    assert frame.image[:24].mean() > 240  # what was at the left is now on top
    assert frame.image[40:].mean() < 15


def test_ctrl_c_between_frames_leaves_a_playable_file(tmp_path):
    path = tmp_path / "a.mp4"
    with writing_video(path, fps=Fraction(10)) as writer:
        try:
            for index in range(10):
                if index == 3:
                    raise KeyboardInterrupt
                writer.write(np.zeros((16, 16, 3), np.uint8), index / 10)
        except KeyboardInterrupt:
            pass
    assert len(read_frames(path)) == 3


def test_an_error_or_no_frame_leaves_no_file(tmp_path):
    with pytest.raises(SwiftsegError, match="at least one frame"):
        write_frames(tmp_path / "a.mp4", [])
    with pytest.raises(OverflowError):
        write_frames(tmp_path / "b.mp4", [10, 300])  # the second frame cannot be made
    assert not list(tmp_path.iterdir())


def test_what_is_no_video_is_refused(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"not a video at all")
    with pytest.raises(SwiftsegError, match=r"a\.mp4: not a video that can be read"):
        read_frames(path)
    with pytest.raises(SwiftsegError, match=r"no such file: .*gone\.mp4"):
        read_frames(tmp_path / "gone.mp4")


def test_sound_alone_is_no_video(tmp_path):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44_100)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        sound.rate = 44_100
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    with pytest.raises(SwiftsegError, match="truncated or holds no video"):
        read_frames(path)


def test_a_video_without_frames_is_refused(tmp_path):
    path = tmp_path / "a.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuvj420p"
        container.start_encoding()
    with pytest.raises(SwiftsegError, match=r"a\.avi: .*"):
        read_frames(path)


def test_a_missing_camera_is_told():
    with pytest.raises(SwiftsegError, match="no camera at /dev/video987"):
        read_frames("camera:987")
    assert is_camera("camera:0")
    assert not is_camera("camera:front")


def test_without_pyav_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'swiftseg\[video\]'"):
        write_frames(tmp_path / "a.mp4", [1])
    with pytest.raises(MissingExtraError, match=r"pip install 'swiftseg\[video\]'"):
        read_frames(tmp_path / "a.mp4")
