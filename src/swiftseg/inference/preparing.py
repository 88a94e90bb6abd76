"""What comes before a network: an image read, and brought to the network's size."""

from dataclasses import dataclass
from time import perf_counter

import numpy as np

from swiftseg.core import InputSpec
from swiftseg.inference.fitting import Area, Fit, choose_fit, letterbox
from swiftseg.inference.given_image import Frame, as_frame
from swiftseg.kernels.resize import resize_frame


@dataclass(frozen=True, eq=False)
class Prepared:
    """An image at the network's size, made by `Segmenter.prepare`.

    Attributes:
        frame: uint8 (H, W, 3) RGB, or the bands of the model, as it was handed in.
        batch: (1, h, w, bands); None for a frame that is gone over in windows.
        area: Where in the batch the frame lies; None where it fills it.
        timings_ms: Of `read` and `resize`.
    """

    frame: np.ndarray
    batch: np.ndarray | None
    area: Area | None
    timings_ms: dict[str, float]


def prepare(image: Frame, spec: InputSpec, fit: Fit, *, bgr: bool = False) -> Prepared:
    """Do what comes before a network without the network, as `Segmenter.prepare` does."""
    begin = perf_counter()
    frame = as_frame(image, spec, bgr=bgr)
    read = perf_counter()
    area, batch = None, None
    fit = choose_fit(fit, (frame.shape[0], frame.shape[1]), spec.size_hw)
    if fit == "native":
        batch = frame[None]
    elif fit == "letterbox":
        padded, area = letterbox(frame, spec)
        batch = spec.to_batch(padded)
    elif fit == "stretch":
        batch = spec.to_batch(resize_frame(frame, spec.size_hw))
    timings_ms = {"read": 1000 * (read - begin), "resize": 1000 * (perf_counter() - read)}
    return Prepared(frame, batch, area, timings_ms)
