from fractions import Fraction

import av
import numpy as np
import pytest

from swiftseg.core import LabelSet
from swiftseg.inference.video import planes_of, reading_video
from swiftseg.inference.video_overlay import overlay_frame
from swiftseg.inference.video_writer import even_sized, writing_video
from swiftseg.render import overlay, with_legend
from tests.support.videos import write_clip

LABELS = LabelSet(("red", "lime", "blue"), ((230, 20, 30), (60, 250, 40), (10, 30, 200)))
BT601, BT709 = 6, 1  # FFmpeg's numbers
LIMITED, FULL = 1, 2


def stripes(size_hw, width):
    """Classes and, in the last stripe, what is no class."""
    height, total = size_hw
    return np.broadcast_to(np.arange(total, dtype=np.uint8) // width % 4, (height, total)).copy()


def smooth_image(height, width):
    """Varies slowly, so that color at half size loses next to nothing."""
    y, x = np.mgrid[:height, :width]
    return np.stack([40 + 2 * x, 60 + 2 * y, 200 - x - y], axis=-1).astype(np.uint8)


def video_of(path, image, codec="libx264rgb", pix_fmt="rgb24", coding=None):
    """Writes the image three times, with next to no loss."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10, options={"crf": "1", "qmin": "1"})
        stream.height, stream.width = image.shape[:2]
        stream.pix_fmt = pix_fmt
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        if coding is not None:
            context = stream.codec_context
            frame.colorspace, frame.color_range = coding
            context.colorspace, context.color_range = coding
        for _ in range(3):
            container.mux(stream.encode(frame.reformat(format=pix_fmt)))
        container.mux(stream.encode(None))
    return path


def first_frame(path):
    with reading_video(path) as video:
        return next(video.frames())


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "coding"),
    [
        ("libx264", "yuv420p", None),
        ("libx264", "yuv420p", (BT601, LIMITED)),
        ("libx264", "yuv420p", (BT709, LIMITED)),
        ("libx264", "yuv420p", (BT709, FULL)),
        ("libx264", "yuv444p", (BT709, LIMITED)),
        ("libx264", "yuv420p10le", None),
        ("mjpeg", "yuvj422p", None),
        ("rawvideo", "gray", None),
    ],
)
def test_the_picture_is_that_of_the_overlay_in_rgb(tmp_path, codec, pix_fmt, coding):
    path = video_of(tmp_path / "a.mkv", smooth_image(48, 64), codec, pix_fmt, coding)
    frame = first_frame(path)
    label_map = stripes((48, 64), 16)

    picture = overlay_frame(frame, label_map, LABELS)

    expected = even_sized(with_legend(overlay(frame.image, label_map, LABELS), LABELS))
    assert (picture.height, picture.width) == (expected.shape[0], expected.shape[1])
    found = picture.to_ndarray(format="rgb24")
    # Inside the stripes: where two meet, the player blends what is stored at half size.
    inside = np.abs(np.arange(64) % 16 - 7.5) < 6
    difference = np.abs(found[:48, :64].astype(int) - expected[:48, :64])[:, inside]
    assert difference.max() <= 6  # of 255; rounding, once in YUV
    assert difference.mean() < 2
    legend = np.abs(found[48:].astype(int) - expected[48:])
    assert legend.mean() < 4  # its letters lose color


@pytest.mark.parametrize("size_hw", [(48, 64), (47, 64), (48, 63), (47, 63)])
def test_every_class_is_where_the_label_map_has_it(tmp_path, size_hw):
    frame = first_frame(video_of(tmp_path / "a.mkv", smooth_image(*size_hw), "rawvideo", "yuv420p"))
    label_map = np.random.default_rng(1).integers(0, 3, size_hw, dtype=np.uint8)
    y, u, v = (plane.astype(int) for plane in planes_of(overlay_frame(frame, label_map, LABELS)))
    assert [plane.shape for plane in frame.planes] == [size_hw, *2 * [(24, 32)]]
    assert y.shape[0] % 2 == y.shape[1] % 2 == 0
    # BT.601 by its definition, for values from 16 to 235 and 240.
    weights = np.array(
        [[65.481, 128.553, 24.966], [-37.797, -74.203, 112], [112, -93.786, -18.214]]
    )
    colors = LABELS.colors @ weights.T / 255 + [16, 128, 128]
    own_y, own_u, own_v = frame.planes
    upper_left = label_map[::2, ::2]
    for found, own, color in (
        (y, own_y, colors[label_map, 0]),
        (u, own_u, colors[upper_left, 1]),
        (v, own_v, colors[upper_left, 2]),
    ):
        height, width = own.shape
        assert np.abs(found[:height, :width] - (own + color) / 2).max() <= 1.5


def test_what_is_hidden_stays_as_the_frame_has_it(tmp_path):
    frame = first_frame(video_of(tmp_path / "a.mkv", smooth_image(48, 64)))
    label_map = stripes((48, 64), 16)
    picture = overlay_frame(frame, label_map, LABELS, alpha=0.8, hide=("lime",), legend=False)
    assert (picture.height, picture.width) == (48, 64)
    is_drawn = np.isin(label_map, (0, 2))
    for found, own, drawn in zip(
        planes_of(picture), frame.planes, (is_drawn, *2 * [is_drawn[::2, ::2]]), strict=True
    ):
        np.testing.assert_array_equal(found[~drawn], own[~drawn])
        assert (found[drawn] != own[drawn]).mean() > 0.9


def test_the_coding_goes_into_the_file(tmp_path):
    source = video_of(
        tmp_path / "a.mkv", smooth_image(48, 64), "libx264", "yuv420p", (BT709, LIMITED)
    )
    label_map = stripes((48, 64), 16)
    with (
        reading_video(source) as video,
        writing_video(tmp_path / "b.mp4", fps=Fraction(10)) as writer,
    ):
        frames = list(video.frames())
        for frame in frames:
            writer.write(overlay_frame(frame, label_map, LABELS), frame.time_s)
    written = first_frame(tmp_path / "b.mp4")
    assert written.coding == frames[0].coding == (BT709, LIMITED)
    expected = overlay(frames[0].image, label_map, LABELS)
    difference = np.abs(written.image[:48, :64].astype(int) - expected)
    assert difference[:, np.abs(np.arange(64) % 16 - 7.5) < 5].mean() < 4  # H.264 is lossy


def test_drawing_leaves_the_frame_as_it_is(tmp_path):
    frame = first_frame(write_clip(tmp_path / "a.mp4", 1))
    before = [plane.copy() for plane in frame.planes]
    overlay_frame(frame, np.zeros(frame.image.shape[:2], np.uint8), LABELS)
    for plane, kept in zip(frame.planes, before, strict=True):
        np.testing.assert_array_equal(plane, kept)
