"""A node that publishes the labels of a camera's images, and an overlay to look at.

Written against the documented interfaces of rclpy (Humble and later) and not run under ROS; what it
does with images is in conversion.py and pace.py, which are tested.
"""

from array import array
from collections.abc import Callable

import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from swiftseg.core import SwiftsegError
from swiftseg.inference import Segmenter
from swiftseg.weights import DEFAULT_MODEL
from swiftseg_ros.conversion import compressed_to_rgb, image_to_rgb
from swiftseg_ros.pace import Pace

# The newest image alone: one that waits for the network is older than what the camera sees now.
NEWEST = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=1, reliability=ReliabilityPolicy.BEST_EFFORT
)


class SegmentNode(Node):
    """Subscribes to `image` or `image/compressed`, publishes `labels` and `overlay`."""

    def __init__(self) -> None:
        super().__init__("swiftseg")
        model = self.declare_parameter("model", DEFAULT_MODEL).value
        backend = self.declare_parameter("backend", "onnxruntime").value
        threads = self.declare_parameter("threads", 0).value
        rate_hz = self.declare_parameter("rate", 0.0).value
        compressed = self.declare_parameter("compressed", False).value
        self._segmenter = Segmenter.load(model, backend=backend, threads=threads or None)
        self._pace = Pace(rate_hz)
        self._labels = self.create_publisher(Image, "labels", NEWEST)
        self._overlay = self.create_publisher(Image, "overlay", NEWEST)
        if compressed:
            self.create_subscription(
                CompressedImage, "image/compressed", self._on_compressed, NEWEST
            )
        else:
            self.create_subscription(Image, "image", self._on_image, NEWEST)
        names = ", ".join(self._segmenter.spec.labels.names)
        self.get_logger().info(f"{model} in {backend}: {names}")

    def _on_image(self, message: Image) -> None:
        if self._is_due(message.header):
            size_hw = message.height, message.width
            self._segment(
                message.header,
                lambda: image_to_rgb(message.encoding, size_hw, message.step, message.data),
            )

    def _on_compressed(self, message: CompressedImage) -> None:
        if self._is_due(message.header):
            self._segment(message.header, lambda: compressed_to_rgb(message.data))

    def _is_due(self, header: Header) -> bool:
        return self._pace.wants(header.stamp.sec * 1_000_000_000 + header.stamp.nanosec)

    def _segment(self, header: Header, read: Callable[[], np.ndarray]) -> None:
        """Publish what the network says of one image; one that cannot be read costs itself."""
        try:
            segmentation = self._segmenter(read())
        except (ValueError, SwiftsegError) as error:
            self.get_logger().error(str(error), throttle_duration_sec=5.0)
            return
        self._labels.publish(to_message(header, "mono8", segmentation.label_map))
        if self._overlay.get_subscription_count():
            self._overlay.publish(to_message(header, "rgb8", segmentation.overlay()))


def to_message(header: Header, encoding: str, pixels: np.ndarray) -> Image:
    """Return a message that has the header of the image it was made from, its stamp included."""
    height, width = pixels.shape[:2]
    message = Image(header=header, height=height, width=width, encoding=encoding)
    message.is_bigendian = 0
    message.step = pixels.size // height
    message.data = array("B", pixels.tobytes())  # an array is taken without a look at each byte
    return message


def main() -> None:
    """Run the node until it is told to stop."""
    rclpy.init()
    try:
        rclpy.spin(SegmentNode())
    except KeyboardInterrupt:
        pass
    finally:
        rclpy.try_shutdown()
