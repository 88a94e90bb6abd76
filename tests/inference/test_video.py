import sys
from fractions import Fraction

import av
import numpy as np
import pytest

from swiftseg.core import MissingExtraError, SwiftsegError
from swiftseg.data.toy_street import render_clip
from swiftseg.inference.video import FrameClock, is_camera, is_stream, reading_video
from swiftseg.inference.video_writer import writing_video
from tests.support.rtsp_server import serving_rtsp, start_rtsp_process
from tests.support.videos import corrupt_packets, write_clip
from tests.support.web_server import serving


def write_frames(path, grays, fps=Fraction(25), size_hw=(32, 48)):
    with writing_video(path, fps=fps) as writer:
        for index, gray in enumerate(grays):
            writer.write(np.full((*size_hw, 3), gray, np.uint8), float(index / fps))
    return path


def read_frames(path):
    with reading_video(path) as video:
        return list(video.frames())


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30_000, 1001), Fraction(12)])
def test_frames_their_times_and_the_rate_come_back(tmp_path, fps):
    grays = [20, 90, 160, 230, 40]
    path = write_frames(tmp_path / "a.mp4", grays, fps)

    with reading_video(path) as video:
        frames = list(video.frames())

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


def test_a_street_keeps_its_detail(tmp_path):
    images = [sample.image for sample in render_clip(1, 3, (96, 160))]
    with writing_video(tmp_path / "a.mp4", fps=Fraction(10)) as writer:
        for index, image in enumerate(images):
            writer.write(image, index / 10)
    luma = np.array([0.299, 0.587, 0.114])  # BT.601; color is stored at half size
    for frame, image in zip(read_frames(tmp_path / "a.mp4"), images, strict=True):
        error = np.mean((frame.image @ luma - image @ luma) ** 2)
        assert 10 * np.log10(255**2 / error) > 32  # dB, where x264 by itself gives 33


def test_a_picture_that_is_a_view_is_written_as_it_looks(tmp_path):
    image = np.zeros((32, 64, 3), np.uint8)
    image[:, :32] = 255
    with writing_video(tmp_path / "a.mp4", fps=Fraction(10)) as writer:
        writer.write(image[:, ::-1], 0.0)
    [frame] = read_frames(tmp_path / "a.mp4")
    np.testing.assert_allclose(frame.image, image[:, ::-1], atol=12)


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
    track = data.rindex(b"tkhd")  # the first is that of a file that a kill has cut
    at = data.index(identity, track)
    data[at : at + 36] = turned
    (tmp_path / "b.mp4").write_bytes(data)

    [frame] = read_frames(tmp_path / "b.mp4")

    assert frame.image.shape == (64, 32, 3)
    assert frame.image[:24].mean() > 240  # what was at the left is now on top
    assert frame.image[40:].mean() < 15
    assert [plane.shape for plane in frame.planes] == [(64, 32), (32, 16), (32, 16)]
    assert frame.planes[0][:24].mean() > 210  # of 235
    assert frame.planes[0][40:].mean() < 30  # of 16 and more


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


def test_a_frame_of_another_size_is_refused(tmp_path):
    with writing_video(tmp_path / "a.mp4", fps=Fraction(10)) as writer:
        writer.write(np.zeros((16, 16, 3), np.uint8), 0.0)
        with pytest.raises(ValueError, match=r"expected a frame of \(16, 16\), got \(16, 18\)"):
            writer.write(np.zeros((16, 18, 3), np.uint8), 0.1)


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
    path.write_bytes(b"")
    with pytest.raises(SwiftsegError, match=r"a\.mp4: the file is empty \(0 bytes\)"):
        read_frames(path)


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


def read_until_it_breaks(path, words):
    got = []
    with reading_video(path) as video, pytest.raises(SwiftsegError, match=words) as raised:
        got.extend(video.frames())
    return got, str(raised.value)


@pytest.mark.parametrize("name", ["a.avi", "a.mkv", "a.mp4"])
def test_a_damaged_packet_costs_its_frame_and_not_the_run(tmp_path, name):
    path = write_clip(tmp_path / name, 20, codec="mjpeg")  # each of its frames stands alone
    corrupt_packets(path, [4, 5, 11])
    with reading_video(path) as video:
        frames = list(video.frames())
    assert (video.damaged, len(frames)) == (3, 17)


def test_damage_between_differences_leaves_the_rest(tmp_path):
    path = write_clip(tmp_path / "a.mp4", 20)  # H.264, a whole picture every fifth frame
    corrupt_packets(path, [7])
    with reading_video(path) as video:
        times_s = [frame.time_s for frame in video.frames()]
    assert video.damaged == 1
    assert times_s[-1] == pytest.approx(1.9, abs=1e-3)
    assert len(times_s) >= 16


def test_the_frames_around_a_damaged_packet_keep_their_times(tmp_path):
    path = write_clip(tmp_path / "a.mkv", 10, codec="mjpeg")
    corrupt_packets(path, [3, 4])
    with reading_video(path) as video:
        times_s = [frame.time_s for frame in video.frames()]
    np.testing.assert_allclose(times_s, [0, 0.1, 0.2, 0.5, 0.6, 0.7, 0.8, 0.9], atol=1e-3)


@pytest.mark.parametrize("name", ["a.mp4", "a.avi"])
def test_a_file_that_is_cut_off_gives_its_frames_and_then_says_so(tmp_path, name):
    mux = {"movflags": "faststart"} if name == "a.mp4" else None
    path = write_clip(tmp_path / name, 20, codec="mjpeg", mux=mux)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    got, error = read_until_it_breaks(path, "the video breaks off after")
    assert 1 <= len(got) < 20
    assert f"after {len(got)} frames" in error


def test_nothing_but_damage_is_told(tmp_path):
    path = write_clip(tmp_path / "a.avi", 5, codec="mjpeg")
    corrupt_packets(path, range(5))
    read_until_it_breaks(path, r"a\.avi: the video holds no frame that can be decoded")


def test_a_size_that_changes_is_told_behind_the_frames_before_it(tmp_path):
    large = write_clip(tmp_path / "a.ts", 6, size_hw=(48, 64))
    small = write_clip(tmp_path / "b.ts", 6, size_hw=(32, 48))
    (tmp_path / "both.ts").write_bytes(large.read_bytes() + small.read_bytes())
    words = r"both\.ts: the frames' size changes from 48x64 to 32x48 after 6 frames"
    got, _ = read_until_it_breaks(tmp_path / "both.ts", words)
    assert len(got) == 6


def test_two_recordings_in_one_file_follow_each_other(tmp_path):
    path = write_clip(tmp_path / "a.ts", 20)
    path.write_bytes(2 * path.read_bytes())
    times_s = [frame.time_s for frame in read_frames(path)]
    np.testing.assert_allclose(times_s, np.arange(40) / 10, atol=1e-3)


def test_the_clock_never_runs_backward():
    clock = FrameClock(step_s=0.1)
    stamps = [5.0, 5.1, None, 5.3, 5.25, 5.4, 0.0, 0.1, None]
    times_s = [clock.at(stamp) for stamp in stamps]
    np.testing.assert_allclose(times_s, [0, 0.1, 0.2, 0.3, 0.3, 0.4, 0.5, 0.6, 0.7])


def test_frames_without_stamps_follow_the_rate():
    clock = FrameClock(step_s=0.5)
    assert [clock.at(stamp) for stamp in (None, None, 7.0, 7.5)] == [0.0, 0.5, 1.0, 1.5]


def test_a_file_on_a_server_is_a_file_and_a_stream_without_length_is_live(tmp_path):
    write_clip(tmp_path / "a.mp4", 8, mux={"movflags": "faststart"})
    write_clip(tmp_path / "a.ts", 8)
    with serving(tmp_path) as address:
        with reading_video(f"{address}/a.mp4") as video:
            assert not video.is_live
            assert video.num_frames == 8
            assert len(list(video.frames())) == 8
        with reading_video(f"{address}/a.ts") as video:
            assert video.is_live
            assert len(list(video.frames())) == 8


def test_a_stream_that_dies_gives_its_frames_and_then_says_so(tmp_path):
    path = write_clip(tmp_path / "a.ts", 40)
    with serving(tmp_path, dies_after=path.stat().st_size // 2) as address:
        got, _ = read_until_it_breaks(
            f"{address}/a.ts", r"a\.ts: the video breaks off after [0-9]+ frames \(.+\)$"
        )
    assert 10 <= len(got) <= 30


def test_an_rtsp_camera_gives_its_frames_and_its_end_is_told(tmp_path):
    path = write_clip(tmp_path / "a.ts", 40)
    whole = read_frames(path)
    with serving_rtsp(path) as address:
        with reading_video(address) as video:
            assert video.is_live
        got, error = read_until_it_breaks(address, r"/cam: the video breaks off after")
    assert error.endswith(f"after {len(got)} frames (the server has ended the stream)")
    assert len(got) == 39  # FFmpeg waits in vain for what would end the last one
    for ours, theirs in zip(got, whole, strict=False):
        np.testing.assert_array_equal(ours.image, theirs.image)


@pytest.fixture
def killed_server(tmp_path):
    """Starts, kills and starts a server again; all of its processes are gone in the end."""
    path = write_clip(tmp_path / "a.ts", 40)
    processes = []

    def start(port=0):
        process, port = start_rtsp_process(path, port)
        processes.append(process)
        return process, port

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_a_server_that_is_killed_and_started_again_leaves_a_gap(killed_server):
    process, port = killed_server()
    times_s = []
    with reading_video(f"rtsp://127.0.0.1:{port}/cam", reconnect_s=60) as video:
        frames = video.frames()
        times_s += [next(frames).time_s for _ in range(20)]
        assert video.gaps_s == []
        process.kill()
        process.wait()
        killed_server(port)
        while not video.gaps_s:  # what was on its way still comes
            times_s.append(next(frames).time_s)
        times_s += [next(frames).time_s for _ in range(20)]
    [gap_s] = video.gaps_s
    assert gap_s > 0
    assert np.diff(times_s).min() >= 0
    assert np.diff(times_s).max() >= gap_s


def test_a_server_that_stays_away_is_given_up(killed_server):
    process, port = killed_server()
    with reading_video(f"rtsp://127.0.0.1:{port}/cam", reconnect_s=1) as video:
        frames = video.frames()
        next(frames)
        process.kill()
        with pytest.raises(SwiftsegError, match="/cam: the video breaks off after"):
            list(frames)
    assert video.gaps_s == []


def test_a_stream_that_is_not_there_is_told(tmp_path):
    with serving(tmp_path) as address:
        pass  # nobody listens any more
    with pytest.raises(SwiftsegError, match=rf"cannot open the stream {address}/a\.ts \(.+\)"):
        read_frames(f"{address}/a.ts")


@pytest.mark.parametrize("begun", [False, True])
def test_frames_of_a_closed_video_are_refused(tmp_path, begun):
    path = write_clip(tmp_path / "a.mp4", 20)
    with reading_video(path) as video:
        frames = video.frames()
        if begun:
            next(frames)
    with pytest.raises(ValueError, match=r"a\.mp4 is closed"):
        next(frames)


def test_addresses_are_told_from_files():
    assert is_stream("rtsp://192.168.0.4:554/cam")
    assert is_stream("HTTP://host/a.ts")
    assert not is_stream("http/a.mp4")
    assert not is_stream("a.mp4")


def test_a_missing_camera_is_told():
    with pytest.raises(SwiftsegError, match=r"no camera at /dev/video987 \(.+\); this machine "):
        read_frames("camera:987")


def test_a_number_is_a_camera_unless_a_file_has_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert is_camera("camera:0")
    assert is_camera("0")
    assert not is_camera("camera:front")
    (tmp_path / "0").touch()
    assert not is_camera("0")


def test_without_pyav_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'swiftseg\[video\]'"):
        write_frames(tmp_path / "a.mp4", [1])
    with pytest.raises(MissingExtraError, match=r"pip install 'swiftseg\[video\]'"):
        read_frames(tmp_path / "a.mp4")
