"""What a picture's answer may be: label map, overlay, JSON or probabilities."""

import io
import json
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Literal

import numpy as np
from PIL import Image

from swiftseg.core import SwiftsegError
from swiftseg.data.images.image_file import decode_image
from swiftseg.inference import Segmentation, Segmenter
from swiftseg.prediction.outputs import jpeg, probabilities_npy
from swiftseg.render import label_map_png
from swiftseg.render.coco_regions import OutlineForm, coco_annotations
from swiftseg.server.limits import Limits
from swiftseg.server.problems import ProblemError, image_problem

Format = Literal["labels", "overlay", "overlay-png", "json", "probs"]
Outlines = Literal["none", "rle", "polygons"]

MEDIA_TYPES: dict[Format, str] = {
    "labels": "image/png",
    "overlay": "image/jpeg",
    "json": "application/json",
    "probs": "application/x-npy",
    "overlay-png": "image/png",
}
SUFFIXES: dict[Format, str] = {
    "labels": ".png",
    "overlay": ".jpg",
    "json": ".json",
    "probs": ".npy",
    "overlay-png": ".png",
}

_READ = ("JPEG", "PNG", "WEBP", "TIFF")


@dataclass(frozen=True)
class Wanted:
    """How an answer is asked for.

    Attributes:
        outlines: For JSON: how the classes' regions are written.
        alpha: For overlays: the colors' part, 0..1.
    """

    format: Format
    outlines: Outlines = "none"
    alpha: float = 0.5


@dataclass(frozen=True)
class Answer:
    """What a picture gives."""

    content: bytes
    media_type: str
    timings_ms: dict[str, float]

    def server_timing(self) -> str:
        """Return the stages as the value of a `Server-Timing` header."""
        return ", ".join(f"{name};dur={ms:.2f}" for name, ms in self.timings_ms.items())


def negotiated(accept: str) -> Format:
    """Return the format that an `Accept` header prefers, the label map where any will do.

    Raises:
        ProblemError: No format suits.
    """
    ranges = [_media_range(part) for part in accept.split(",") if part.strip()] or [("*/*", 1.0)]
    refused = {name for name, weight in ranges if weight == 0}
    for name, _ in sorted((r for r in ranges if r[1] > 0), key=lambda r: -r[1]):
        for known, media_type in MEDIA_TYPES.items():
            if media_type not in refused and name in (media_type, _any_of(media_type), "*/*"):
                return known
    choices = ", ".join(dict.fromkeys(MEDIA_TYPES.values()))
    raise ProblemError(406, f"no format suits Accept: {accept}; choose from {choices}")


def _any_of(media_type: str) -> str:
    return f"{media_type.partition('/')[0]}/*"


def _media_range(part: str) -> tuple[str, float]:
    """Read one range of an `Accept` header and its weight; a weight that is none counts as 0."""
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
    try:
        return name, float(weight)
    except ValueError:
        return name, 0.0


def answer_picture(
    segmenter: Segmenter, data: bytes, name: str, wanted: Wanted, limits: Limits
) -> Answer:
    """Decode and segment one picture and write its answer.

    Raises:
        ProblemError: The picture cannot be decoded, or the answer would be too large.
    """
    if not data:
        raise ProblemError(422, f"{name} is empty (0 bytes); send a picture")
    begin = perf_counter()
    try:
        image = decode_image(data, name, max_pixels=limits.max_pixels, formats=_READ)
    except SwiftsegError as error:
        raise image_problem(error) from error
    decode_ms = 1000 * (perf_counter() - begin)
    if wanted.format == "probs":
        return _probabilities(segmenter, image, decode_ms, limits)
    result = segmenter(image)
    segmented = perf_counter()
    timings_ms = {**result.timings_ms, "read": decode_ms}
    content = _written(segmenter, result, wanted, timings_ms)
    return Answer(
        content,
        MEDIA_TYPES[wanted.format],
        {**timings_ms, "write": 1000 * (perf_counter() - segmented)},
    )


def _written(
    segmenter: Segmenter, result: Segmentation, wanted: Wanted, timings_ms: dict[str, float]
) -> bytes:
    if wanted.format == "labels":
        return label_map_png(result.label_map, result.labels)
    if wanted.format == "json":
        return json.dumps(_described(segmenter, result, wanted.outlines, timings_ms)).encode()
    picture = result.overlay(wanted.alpha)
    if wanted.format == "overlay":
        return jpeg(picture)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, format="PNG", compress_level=1)
    return file.getvalue()


def _probabilities(
    segmenter: Segmenter, image: np.ndarray, decode_ms: float, limits: Limits
) -> Answer:
    values = len(segmenter.spec.labels) * image.shape[0] * image.shape[1]
    if values > limits.max_values:
        raise ProblemError(
            413,
            f"the picture has {values / 1e6:.0f} million probabilities and the limit is "
            f"{limits.max_values / 1e6:g} million; send a smaller picture",
        )
    begin = perf_counter()
    try:
        probs = segmenter.probabilities(image)
    except SwiftsegError as error:
        raise ProblemError(406, str(error)) from error
    network_ms = 1000 * (perf_counter() - begin)
    timings_ms = {"read": decode_ms, "network": network_ms}
    return Answer(probabilities_npy(probs), MEDIA_TYPES["probs"], timings_ms)


def _described(
    segmenter: Segmenter, result: Segmentation, outlines: Outlines, timings_ms: dict[str, float]
) -> dict[str, Any]:
    height, width = result.label_map.shape
    shares = result.class_shares()
    described: dict[str, Any] = {
        "model": segmenter.spec.name,
        "height": height,
        "width": width,
        "classes": [
            {"id": index, "name": name, "color": list(color), "share": shares[name]}
            for index, (name, color) in enumerate(
                zip(result.labels.names, result.labels.palette, strict=True)
            )
        ],
        "timings_ms": {stage: round(ms, 3) for stage, ms in timings_ms.items()},
    }
    form: OutlineForm | None = None if outlines == "none" else outlines
    if form is not None:
        described["annotations"] = coco_annotations(result.label_map, form)
    return described
