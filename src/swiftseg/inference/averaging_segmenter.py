"""Class probabilities averaged over scales, mirror images and windows: slow, for tables."""

from collections.abc import Iterator, Sequence
from time import perf_counter

import numpy as np

from swiftseg.inference.fitting import mean_color
from swiftseg.inference.given_image import Frame, as_frame
from swiftseg.inference.planes import resize_planes
from swiftseg.inference.segmentation import Segmentation
from swiftseg.inference.segmenter import Segmenter
from swiftseg.inference.tiles import sliding_probabilities
from swiftseg.kernels.resize import resize_frame

Size = tuple[int, int]


class AveragingSegmenter:
    """Segments by the mean of the class probabilities that several views of a frame give.

    Every view's probabilities are resized to the frame's size (bilinear) and then averaged. Logits
    are not averaged, since their scale differs from network to network.

    Args:
        segmenter: Runs the model.
        scales: Without windows, factors of the network's input size, to which the frame is
            stretched; with windows, factors of the frame's own size.
        flip: Every view is also seen in the mirror.
        sliding: The network sees windows of the size it has learned from, two thirds of one apart:
            of its input size, or of the crops' where it runs at any size.

    Raises:
        SwiftsegError: The model does not run at one of the sizes, since it is exported for another.
    """

    def __init__(
        self,
        segmenter: Segmenter,
        *,
        scales: Sequence[float] = (1.0,),
        flip: bool = False,
        sliding: bool = False,
    ) -> None:
        self.spec = segmenter.spec
        self.engine = segmenter.engine
        self._scales = tuple(scales)
        self._flip = flip
        self._sliding = sliding
        crop_hw = self.spec.crop_hw if segmenter.any_size else None
        self._window_hw = crop_hw or self.spec.input.size_hw
        input_hw = self.spec.input.size_hw
        sizes = [self._window_hw] if sliding else [scaled_size(input_hw, s) for s in scales]
        self._segmenters = {size_hw: segmenter.at_size(size_hw) for size_hw in sizes}

    def __call__(self, image: Frame) -> Segmentation:
        """Segment one image; takes and raises what `Segmenter` does.

        Of the times, `network` holds everything between reading and the finished label map.
        """
        begin = perf_counter()
        frame = as_frame(image, self.spec.input)
        read = perf_counter()
        label_map = self.probabilities(frame).argmax(axis=0).astype(np.uint8)
        end = perf_counter()
        timings_ms = {"read": 1000 * (read - begin), "network": 1000 * (end - read)}
        return Segmentation(frame, label_map, self.spec.labels, timings_ms)

    def probabilities(self, image: Frame) -> np.ndarray:
        """Return the averaged class probabilities float32 (C, H, W) at the image's own size.

        Raises:
            SwiftsegError: The image cannot be read, or the model's file holds no logits.
        """
        frame = as_frame(image, self.spec.input)
        size_hw = (frame.shape[0], frame.shape[1])
        total = np.zeros((len(self.spec.labels), *size_hw), dtype=np.float32)
        for probs in self._views(frame):
            total += resize_planes(probs, size_hw)
        return total / np.float32(len(self._scales) * (2 if self._flip else 1))

    def _views(self, frame: np.ndarray) -> Iterator[np.ndarray]:
        own_hw = (frame.shape[0], frame.shape[1]) if self._sliding else self.spec.input.size_hw
        for scale in self._scales:
            scaled = resize_frame(frame, scaled_size(own_hw, scale))
            yield self._probabilities(scaled)
            if self._flip:
                yield self._probabilities(np.ascontiguousarray(scaled[:, ::-1]))[..., ::-1]

    def _probabilities(self, view: np.ndarray) -> np.ndarray:
        if not self._sliding:
            return self._run(view)
        padding = mean_color(self.spec.input)
        return sliding_probabilities(self._run, view, self._window_hw, padding)

    def _run(self, view: np.ndarray) -> np.ndarray:
        return self._segmenters[view.shape[0], view.shape[1]].probabilities(view)


def scaled_size(size_hw: Size, scale: float) -> Size:
    """Multiply a size by a factor and round to whole pixels, one at least."""
    return max(1, round(size_hw[0] * scale)), max(1, round(size_hw[1] * scale))
