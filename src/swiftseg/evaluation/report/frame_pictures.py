"""Pictures of one frame: the image, the truth, the prediction, and where they differ."""

import base64
import io

import numpy as np
from PIL import Image

from swiftseg.core import LabelSet, Sample
from swiftseg.kernels.bands import viewable
from swiftseg.render import colorize

MAX_WIDTH = 640  # of a picture in the page: a report of 2048 pixels wide frames stays some MB
WRONG, VOID = (255, 70, 40), (0, 0, 0)


def frame_pictures(sample: Sample, label_map: np.ndarray, labels: LabelSet) -> dict[str, str]:
    """Return four pictures of a frame as data URIs, by what they show."""
    return {
        "image": jpeg_uri(viewable(sample.image)),
        "truth": png_uri(colorize(sample.mask, labels)),
        "prediction": png_uri(colorize(label_map, labels)),
        "errors": jpeg_uri(error_map(sample, label_map, labels.ignore_index)),
    }


def error_map(sample: Sample, label_map: np.ndarray, ignore_index: int | None) -> np.ndarray:
    """Return uint8 (H, W, 3): what is wrong bright over the dimmed gray frame, and void black."""
    gray = np.asarray(Image.fromarray(viewable(sample.image)).convert("L"))
    painted = np.repeat((gray // 3 + 20)[..., None], 3, axis=2)
    painted[label_map != sample.mask] = WRONG
    if ignore_index is not None:
        painted[sample.mask == ignore_index] = VOID
    return painted


def jpeg_uri(pixels: np.ndarray) -> str:
    """Return a picture uint8 (H, W, 3) as a data URI, at most `MAX_WIDTH` wide."""
    return _data_uri(_fitted(pixels, Image.Resampling.BILINEAR), "JPEG", quality=85)


def png_uri(pixels: np.ndarray) -> str:
    """Return colors uint8 (H, W, 3) as a data URI without loss, at most `MAX_WIDTH` wide."""
    return _data_uri(_fitted(pixels, Image.Resampling.NEAREST), "PNG", optimize=True)


def _fitted(pixels: np.ndarray, how: Image.Resampling) -> Image.Image:
    picture = Image.fromarray(pixels)
    if picture.width > MAX_WIDTH:
        picture.thumbnail((MAX_WIDTH, picture.height), how, reducing_gap=None)
    return picture


def _data_uri(picture: Image.Image, kind: str, **options: int) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    encoded = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f"data:image/{kind.lower()};base64,{encoded}"
