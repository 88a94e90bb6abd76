"""What the node of examples/ros2 does with images; it needs no ROS."""

import importlib
import sys
from array import array
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar
from unittest.mock import MagicMock

import av
import numpy as np
import pytest
from PIL import Image

from swiftseg.inference import Segmenter

FOLDER = Path(__file__).parents[2] / "examples/ros2"
sys.path.insert(0, str(FOLDER))
try:
    from swiftseg_ros.conversion import compressed_to_rgb, image_to_rgb
    from swiftseg_ros.pace import Pace
finally:
    sys.path.remove(str(FOLDER))

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (6, 10, 3), dtype=np.uint8)


def padded(rows: np.ndarray, padding: int) -> bytes:
    """Rows (H, bytes) with as many bytes that are no pixels behind each."""
    return np.pad(rows, ((0, 0), (0, padding)), constant_values=77).tobytes()


@pytest.mark.parametrize("padding", [0, 1, 34])
def test_rows_end_before_their_padding(padding: int):
    step = 30 + padding
    rgb, bgr = (padded(pixels.reshape(6, 30), padding) for pixels in (RGB, RGB[..., ::-1]))
    np.testing.assert_array_equal(image_to_rgb("rgb8", (6, 10), step, rgb), RGB)
    np.testing.assert_array_equal(image_to_rgb("bgr8", (6, 10), step, bgr), RGB)
    gray = image_to_rgb("mono8", (6, 10), 10 + padding, padded(RGB[..., 0], padding))
    for channel in range(3):
        np.testing.assert_array_equal(gray[..., channel], RGB[..., 0])


def test_the_data_may_be_an_array_as_rclpy_has_it():
    data = array("B", RGB.tobytes())
    result = image_to_rgb("rgb8", (6, 10), 30, memoryview(data))
    np.testing.assert_array_equal(result, RGB)
    assert result.flags.c_contiguous


@pytest.mark.parametrize("padding", [0, 6])
def test_nv12_is_what_libswscale_makes_of_it(padding: int):
    planes = np.empty((12, 16), np.uint8)
    planes[:8] = RNG.integers(16, 236, (8, 16))
    planes[8:, 0::2], planes[8:, 1::2] = 90, 160  # one color: libswscale mixes neighbors
    frame = av.VideoFrame.from_ndarray(planes, format="nv12")
    frame.colorspace, frame.color_range = av.video.reformatter.Colorspace.ITU601, 1
    expected = frame.to_ndarray(format="rgb24").astype(int)
    result = image_to_rgb("nv12", (8, 16), 16 + padding, padded(planes, padding))
    assert np.abs(result - expected).max() <= 2


def test_each_pair_of_colors_is_for_its_own_four_pixels():
    planes = np.full((3, 4), 128, np.uint8)
    planes[2] = 128, 240, 240, 128  # red on the left, blue on the right
    result = image_to_rgb("nv12", (2, 4), 4, planes.tobytes()).astype(int)
    assert (result[:, :2, 0] > 250).all()
    assert (result[:, 2:, 2] > 250).all()
    assert (result[:, :2, 2] < 140).all()
    assert (result[:, 2:, 0] < 140).all()


@pytest.mark.parametrize(
    ("encoding", "size_hw", "step", "count", "told"),
    [
        ("mono16", (2, 2), 4, 8, "unknown encoding 'mono16'; choose from rgb8, bgr8, mono8, nv12"),
        ("rgb8", (2, 4), 11, 22, "a row of 4 pixels takes 12 bytes, and step is 11"),
        ("rgb8", (2, 4), 12, 23, "2 rows of 12 bytes are 24, got 23 bytes"),
        ("rgb8", (0, 4), 12, 0, "1x1 at least, got 0x4"),
        ("nv12", (3, 4), 4, 18, "an even height and width, got 3x4"),
        ("nv12", (4, 3), 4, 18, "an even height and width, got 4x3"),
        ("nv12", (4, 4), 4, 16, "6 rows of 4 bytes are 24, got 16 bytes"),
    ],
)
def test_fields_that_contradict_one_another_are_refused(
    encoding: str, size_hw: tuple[int, int], step: int, count: int, told: str
):
    with pytest.raises(ValueError, match=told):
        image_to_rgb(encoding, size_hw, step, bytes(count))


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_compressed_images_are_decoded(kind: str):
    file = BytesIO()
    Image.fromarray(RGB).save(file, format=kind)
    expected = np.asarray(Image.open(BytesIO(file.getvalue())).convert("RGB"))
    np.testing.assert_array_equal(compressed_to_rgb(array("B", file.getvalue())), expected)


@pytest.mark.parametrize("data", [b"", b"no picture", b"\xff\xd8\xff\xe0" + bytes(20)])
def test_what_is_no_picture_is_refused(data: bytes):
    with pytest.raises(ValueError, match="cannot decode the compressed image"):
        compressed_to_rgb(data)


def test_a_cut_picture_is_refused():
    file = BytesIO()
    Image.fromarray(RGB).save(file, format="JPEG")
    with pytest.raises(ValueError, match="cannot decode"):
        compressed_to_rgb(file.getvalue()[:-40])


def test_the_rate_is_kept_on_average():
    pace = Pace(10.0)
    stamps_ns = [1_000_000_000_000 + frame * 33_333_333 for frame in range(300)]  # 30 Hz, 10 s
    assert 99 <= sum(map(pace.wants, stamps_ns)) <= 101


def test_no_rate_lets_everything_through():
    pace = Pace(0.0)
    assert all(pace.wants(stamp) for stamp in (5, 5, 6, 1))


def test_a_clock_that_jumps_starts_anew():
    pace = Pace(1.0)
    assert pace.wants(10_000_000_000)
    assert not pace.wants(10_500_000_000)
    assert pace.wants(1_000_000_000)  # set back
    assert not pace.wants(1_500_000_000)
    assert pace.wants(90_000_000_000)  # ahead
    assert not pace.wants(90_500_000_000)


@pytest.mark.parametrize("rate_hz", [-1.0, float("nan")])
def test_a_rate_that_is_none_is_refused(rate_hz: float):
    with pytest.raises(ValueError, match="expected a rate of 0"):
        Pace(rate_hz)


def test_the_node_keeps_headers_and_goes_on_after_a_bad_image(monkeypatch: pytest.MonkeyPatch):
    node = stand_in_for_ros(monkeypatch, model="fast_scnn-camvid", backend="onnxruntime", rate=0.0)
    [(topic, receive)] = node.subscriptions.items()
    frame = RNG.integers(0, 256, (36, 48, 3), dtype=np.uint8)
    fields = {"encoding": "bgr8", "height": 36, "width": 48, "step": 144}
    first, second = (SimpleNamespace(stamp=SimpleNamespace(sec=s, nanosec=5)) for s in (1, 2))
    receive(SimpleNamespace(header=first, data=array("B", b"short"), **fields))
    bgr = array("B", frame[..., ::-1].tobytes())
    receive(SimpleNamespace(header=second, data=bgr, **fields))
    assert topic == "image"
    assert node.errors == ["36 rows of 144 bytes are 5184, got 5 bytes"]
    [labels], [overlay] = node.published["labels"], node.published["overlay"]
    expected = Segmenter.load("fast_scnn-camvid")(frame)
    for message, encoding, pixels in (
        (labels, "mono8", expected.label_map),
        (overlay, "rgb8", expected.overlay()),
    ):
        assert message.header is second
        assert (message.encoding, message.height, message.width) == (encoding, 36, 48)
        assert message.step == pixels[0].size
        assert message.data.tobytes() == pixels.tobytes()


class RosNode:
    """Stands in for rclpy's node, as far as ours uses it."""

    parameters: ClassVar[dict[str, object]] = {}

    def __init__(self, name: str) -> None:
        self.subscriptions, self.published, self.errors = {}, {}, []

    def declare_parameter(self, name: str, default: object) -> SimpleNamespace:
        return SimpleNamespace(value=self.parameters.get(name, default))

    def create_publisher(self, kind: type, topic: str, _profile: object) -> SimpleNamespace:
        sent = self.published.setdefault(topic, [])
        return SimpleNamespace(publish=sent.append, get_subscription_count=lambda: 1)

    def create_subscription(self, kind: type, topic: str, callback, _profile: object) -> None:
        self.subscriptions[topic] = callback

    def get_logger(self) -> SimpleNamespace:
        return SimpleNamespace(
            info=lambda text: None, error=lambda text, **options: self.errors.append(text)
        )


def stand_in_for_ros(monkeypatch: pytest.MonkeyPatch, **parameters: object) -> RosNode:
    """Makes the node with ROS's packages replaced by what it uses of them."""
    monkeypatch.setattr(RosNode, "parameters", parameters)
    anything = MagicMock()
    packages = {
        "rclpy": anything,
        "rclpy.node": SimpleNamespace(Node=RosNode),
        "rclpy.qos": anything,
        "sensor_msgs": anything,
        "sensor_msgs.msg": SimpleNamespace(Image=SimpleNamespace, CompressedImage=SimpleNamespace),
        "std_msgs": anything,
        "std_msgs.msg": SimpleNamespace(Header=SimpleNamespace),
    }
    for name, package in packages.items():
        monkeypatch.setitem(sys.modules, name, package)
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.delitem(sys.modules, "swiftseg_ros.segment_node", raising=False)
    return importlib.import_module("swiftseg_ros.segment_node").SegmentNode()
