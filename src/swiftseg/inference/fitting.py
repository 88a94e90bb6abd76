"""How a picture of any size and shape is shown to a network of one size."""

from typing import Literal, NamedTuple, get_args

import numpy as np

from swiftseg.core import InputSpec
from swiftseg.kernels.resize import resize_frame

Fit = Literal["auto", "stretch", "letterbox", "tile", "native"]
FITS: tuple[Fit, ...] = get_args(Fit)

# How much more one side may be stretched than the other. In benchmarks/results/fit.json stretching
# scores higher up to 1.8 times, and letterboxing at 2.4 times.
MOST_STRETCHED = 2.0
LARGEST_RATIO = 16.0  # of a picture's sides to the network's, above which details are lost


class Area(NamedTuple):
    """Where in the network's input a picture lies, in pixels."""

    top: int
    left: int
    height: int
    width: int


def choose_fit(fit: Fit, frame_hw: tuple[int, int], network_hw: tuple[int, int]) -> Fit:
    """Return how a picture is shown to the network; anything but `auto` is taken as it is.

    `auto` stretches one side up to twice as much as the other and letterboxes narrower pictures;
    it tiles those whose sides are both more than `LARGEST_RATIO` times the network's.
    """
    if fit != "auto":
        return fit
    ratios = [own / network for own, network in zip(frame_hw, network_hw, strict=True)]
    if min(ratios) > LARGEST_RATIO:
        return "tile"
    return "stretch" if max(ratios) <= MOST_STRETCHED * min(ratios) else "letterbox"


def shown_whole(frame: np.ndarray, spec: InputSpec) -> tuple[np.ndarray, Area | None]:
    """Bring a frame uint8 (H, W, 3) to the input size as `auto` does, but never tile it.

    Returns:
        The input uint8 (h, w, 3), and the area of the frame in it; None where it fills it.
    """
    height, width = spec.size_hw
    ratios = frame.shape[0] / height, frame.shape[1] / width
    if max(ratios) > MOST_STRETCHED * min(ratios):
        return letterbox(frame, spec)
    return resize_frame(frame, spec.size_hw), None


def letterbox(frame: np.ndarray, spec: InputSpec) -> tuple[np.ndarray, Area]:
    """Resize a frame (H, W, bands) in its own proportions, and pad it to the input size.

    Returns:
        The input (h, w, bands), whose padding is the mean color, which the network sees as zero,
        and the area of the frame, which is in the middle.
    """
    height, width = spec.size_hw
    scale = min(height / frame.shape[0], width / frame.shape[1])
    inner_h = min(height, max(1, round(scale * frame.shape[0])))
    inner_w = min(width, max(1, round(scale * frame.shape[1])))
    area = Area((height - inner_h) // 2, (width - inner_w) // 2, inner_h, inner_w)
    padded = np.empty((height, width, spec.bands), dtype=spec.dtype)
    padded[:] = mean_color(spec)
    inside(padded, area)[:] = resize_frame(frame, (inner_h, inner_w))
    return padded, area


def inside(values: np.ndarray, area: Area) -> np.ndarray:
    """Return the view of an array (H, W, ...) inside an area."""
    return values[area.top : area.top + area.height, area.left : area.left + area.width]


def mean_color(spec: InputSpec) -> np.ndarray:
    """Return the color (bands,) of the frames' type that the network sees as zero."""
    values = spec.largest * np.array(spec.mean)
    return (values if spec.dtype == "float32" else np.round(values)).astype(spec.dtype)
