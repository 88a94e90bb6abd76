"""Pictures of one frame: the image, the truth, the prediction, and where they differ."""

import base64
import io

import numpy as np
from PIL import Image

from swiftseg.core import LabelSet, Sample
from swiftseg.kernels.bands import viewable
from swiftseg.kernels.resize import resize_frame, resize_labels
from swiftseg.render import colorize

MAX_WIDTH = 640  # of a picture in the page: a report of 2048 pixels wide frames stays some MB
_STRIP_ROWS = 256  # painted at a time, since Pillow takes four bytes a pixel
WRONG, VOID = (255, 70, 40), (0, 0, 0)


def frame_pictures(sample: Sample, label_map: np.ndarray, labels: LabelSet) -> dict[str, str]:
    """Return four pictures of a frame as data URIs, by what they show."""
    return {
        "image": jpeg_uri(viewable(sample.image)),
        "truth": png_uri(sample.mask, labels),
        "prediction": png_uri(label_map, labels),
        "errors": jpeg_uri(error_map(sample, label_map, labels.ignore_index)),
    }


def error_map(sample: Sample, label_map: np.ndarray, ignore_index: int | None) -> np.ndarray:
    """Return uint8 (H, W, 3): what is wrong bright over the dimmed gray frame, and void black."""
    image, painted = viewable(sample.image), np.empty((*label_map.shape, 3), np.uint8)
    for top in range(0, len(painted), _STRIP_ROWS):
        rows = slice(top, top + _STRIP_ROWS)
        strip, mask = painted[rows], sample.mask[rows]
        gray = np.asarray(Image.fromarray(image[rows]).convert("L"))
        strip[:] = (gray // 3 + 20)[..., None]
        strip[label_map[rows] != mask] = WRONG
        if ignore_index is not None:
            strip[mask == ignore_index] = VOID
    return painted


def jpeg_uri(pixels: np.ndarray) -> str:
    """Return a picture uint8 (H, W, 3) as a data URI, at most `MAX_WIDTH` wide."""
    fitted = resize_frame(pixels, _shown_hw(pixels))
    return _data_uri(Image.fromarray(fitted), "JPEG", quality=85)


def png_uri(label_map: np.ndarray, labels: LabelSet) -> str:
    """Return the colors of uint8 (H, W) as a data URI without loss, at most `MAX_WIDTH` wide."""
    fitted = resize_labels(label_map, _shown_hw(label_map))
    return _data_uri(Image.fromarray(colorize(fitted, labels)), "PNG", optimize=True)


def _shown_hw(pixels: np.ndarray) -> tuple[int, int]:
    height, width = pixels.shape[:2]
    shown = min(width, MAX_WIDTH)
    return max(1, round(height * shown / width)), shown


def _data_uri(picture: Image.Image, kind: str, **options: int) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    encoded = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f"data:image/{kind.lower()};base64,{encoded}"
