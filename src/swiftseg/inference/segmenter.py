"""Frame in, label map out."""

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from PIL import Image

from swiftseg.core import ModelSpec
from swiftseg.data.images.image_file import read_image, rgb_array
from swiftseg.inference.model_path import model_path
from swiftseg.inference.probabilities import backend_probabilities, resize_planes
from swiftseg.inference.segmentation import Segmentation
from swiftseg.inference.smoothing import SmoothingBackend
from swiftseg.kernels.resize import resize_frame
from swiftseg.kernels.upsample_argmax import argmax
from swiftseg.runtimes import Backend, load_backend
from swiftseg.weights import DEFAULT_MODEL

Frame = Path | str | Image.Image | np.ndarray


@dataclass(frozen=True, eq=False)
class Prepared:
    """An image at the network's size, made by `Segmenter.prepare`.

    Attributes:
        frame: uint8 (H, W, 3) RGB, as it was handed in.
        batch: uint8 (1, h, w, 3).
        timings_ms: Of `read` and `resize`.
    """

    frame: np.ndarray
    batch: np.ndarray
    timings_ms: dict[str, float]


class Segmenter:
    """Segments images of any size with one loaded model.

    An image of another size than the network's is stretched to it (bilinear, averaging where it
    shrinks) and its label map is brought back by nearest neighbor: no class is invented between
    two others.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    @classmethod
    def load(
        cls,
        model: Path | str = DEFAULT_MODEL,
        *,
        backend: str = "onnxruntime",
        precision: str = "f32",
        threads: int | None = None,
    ) -> "Segmenter":
        """Loads a model.

        Args:
            model: The name of a shipped model, or an .onnx file that swiftseg has exported.
            backend: The engine, see `swiftseg.runtimes.PRECISIONS`.
            precision: What the engine computes in, one of those listed there.
            threads: Threads for one frame; None takes one a physical core.

        Raises:
            UsageError: The model's, the engine's or the precision's name is unknown.
            MissingExtraError: The engine is not installed.
            SwiftsegError: The file cannot be run; the message says why.
        """
        path = model_path(model)
        return cls(load_backend(path, name=backend, precision=precision, threads=threads))

    @property
    def spec(self) -> ModelSpec:
        """What the model says of itself."""
        return self._backend.spec

    def smoothed(self, smooth: float) -> "Segmenter":
        """Gives a segmenter for the frames of one video, its logits averaged over time.

        Args:
            smooth: The part that stays from frame to frame, see `SmoothingBackend`.

        Raises:
            UsageError: `smooth` is not from 0 to below 1.
        """
        return Segmenter(SmoothingBackend(self._backend, smooth))

    def __call__(self, image: Frame) -> Segmentation:
        """Segments one image.

        Args:
            image: A file, a PIL image (taken as it stands, without a look at its EXIF
                orientation), or an array uint8 (H, W, 3) RGB.

        Raises:
            SwiftsegError: The image cannot be read.
            TypeError: The array is not uint8.
            ValueError: The array is not (H, W, 3).
        """
        return self.segment(self.prepare(image))

    def prepare(self, image: Frame) -> Prepared:
        """Does what comes before the network, which may be in another thread, an image ahead.

        Takes and raises what calling the segmenter does.
        """
        begin = perf_counter()
        frame = as_frame(image)
        read = perf_counter()
        batch = self.spec.input.to_batch(resize_frame(frame, self.spec.input.size_hw))
        timings_ms = {"read": 1000 * (read - begin), "resize": 1000 * (perf_counter() - read)}
        return Prepared(frame, batch, timings_ms)

    def segment(self, image: Prepared) -> Segmentation:
        """Segments an image that this segmenter has prepared."""
        begin = perf_counter()
        output = self._backend.run(image.batch)[0]
        labeled = perf_counter()
        height, width, _ = image.frame.shape
        label_map = restore(_labels_of(output), (height, width))
        own_ms = {"network": 1000 * (labeled - begin), "restore": 1000 * (perf_counter() - labeled)}
        timings_ms = {**image.timings_ms, **own_ms}
        return Segmentation(image.frame, label_map, self.spec.labels, timings_ms)

    def probabilities(self, image: Frame | Prepared) -> np.ndarray:
        """Gives the class probabilities float32 (C, H, W) of one image, at its own size.

        They are the softmax of the logits, interpolated bilinearly where the sizes differ.

        Raises:
            SwiftsegError: The image cannot be read, or the model's file holds no logits.
        """
        prepared = image if isinstance(image, Prepared) else self.prepare(image)
        probs = backend_probabilities(self._backend, prepared.batch)
        height, width, _ = prepared.frame.shape
        return resize_planes(probs, (height, width))


def as_frame(image: Frame) -> np.ndarray:
    """Reads or checks an image; gives uint8 (H, W, 3) RGB. Raises as `Segmenter` does."""
    if isinstance(image, Image.Image):
        return rgb_array(image)
    if not isinstance(image, np.ndarray):
        return read_image(image)
    if image.dtype != np.uint8:
        raise TypeError(f"expected a uint8 image, got {image.dtype}")
    if image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(f"expected an image of shape (H, W, 3), got {image.shape}")
    return image


def _labels_of(output: np.ndarray) -> np.ndarray:
    """Takes the classes from labels (h, w), or from scores (C, h, w)."""
    return output if output.ndim == 2 else argmax(output[None])[0]


def restore(label_map: np.ndarray, size_hw: tuple[int, ...]) -> np.ndarray:
    """Brings labels uint8 (h, w) to a frame's own size, by nearest neighbor."""
    if label_map.shape == size_hw:
        return label_map
    height, width = size_hw
    return np.array(Image.fromarray(label_map).resize((width, height), Image.Resampling.NEAREST))
