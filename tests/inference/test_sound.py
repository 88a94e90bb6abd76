from fractions import Fraction

import av
import numpy as np
import pytest

from swiftseg.inference.sound import sound_of
from swiftseg.inference.video import reading_video
from swiftseg.inference.video_writer import writing_video

RATE = 48_000


def film(path, codec, *, seconds=2, delay_s=0.0):
    """Write gray frames and a tone; the frames begin later than the tone."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=10)
        video.height, video.width, video.pix_fmt = 32, 48, "yuv420p"
        sound = container.add_stream(codec, rate=RATE)
        for index in range(10 * seconds):
            frame = av.VideoFrame.from_ndarray(np.full((32, 48, 3), 90, np.uint8), format="rgb24")
            frame.pts, frame.time_base = index + round(10 * delay_s), Fraction(1, 10)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        tone = np.sin(np.arange(RATE * seconds) * 2 * np.pi * 440 / RATE)
        for start in range(0, tone.size, 1024):
            part = (20_000 * tone[start : start + 1024]).astype(np.int16)[None]
            frame = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    return str(path)


def copied(source, path):
    """Write the frames and the sound of a video into another; return why sound was lost."""
    with reading_video(source) as video, sound_of(video, source) as sound:
        with writing_video(path, fps=Fraction(10), sound=sound) as writer:
            for frame in video.frames():
                writer.write(frame.image, frame.time_s)
        return sound.lost


def packets(path):
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        return [(float(p.pts * p.time_base), bytes(p)) for p in container.demux(stream) if p.size]


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "aac"), ("a.mkv", "aac"), ("a.mkv", "ac3")])
def test_the_sound_is_copied(tmp_path, name, codec):
    source = film(tmp_path / name, codec)
    assert copied(source, tmp_path / "out.mp4") == ""
    ours, theirs = packets(tmp_path / "out.mp4"), packets(source)
    begin = [data for _, data in theirs].index(ours[0][1])
    assert begin <= 2  # what an encoder puts before zero
    assert [data for _, data in ours] == [data for _, data in theirs[begin : begin + len(ours)]]
    assert ours[-1][0] == pytest.approx(2, abs=0.1)
    assert ours[0][0] < 0.05
    times_s = [time_s for time_s, _ in ours]
    expected_s = [t for t, _ in theirs[begin:][: len(ours)]]
    np.testing.assert_allclose(times_s[1:], expected_s[1:], atol=0.01)


def test_sound_stays_beside_its_frames(tmp_path):
    source = film(tmp_path / "a.mkv", "aac", delay_s=0.5)
    assert copied(source, tmp_path / "out.mp4") == ""
    ours, theirs = packets(tmp_path / "out.mp4"), packets(source)
    [time_s] = [time_s for time_s, data in theirs if data == ours[10][1]]
    assert ours[10][0] == pytest.approx(time_s - 0.5, abs=0.03)


def test_what_an_mp4_does_not_hold_is_told(tmp_path):
    source = film(tmp_path / "a.mkv", "pcm_s16le")
    assert copied(source, tmp_path / "out.mp4") == "an .mp4 holds no pcm_s16le"
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert len(container.streams.audio) == 0


def test_a_silent_video_has_lost_nothing(tmp_path):
    with writing_video(tmp_path / "a.mp4", fps=Fraction(10)) as writer:
        writer.write(np.zeros((16, 16, 3), np.uint8), 0.0)
    assert copied(str(tmp_path / "a.mp4"), tmp_path / "out.mp4") == ""
