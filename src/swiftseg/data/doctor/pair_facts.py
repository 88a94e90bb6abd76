"""What there is to say of one image and its mask."""

import hashlib
from dataclasses import dataclass

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.data.images.image_file import is_turned, read_image
from swiftseg.data.own.finding import Finding
from swiftseg.data.own.survey import MaskFacts, survey_mask
from swiftseg.data.paired_files import Pair, size_mismatch_text


@dataclass(frozen=True)
class PairFacts:
    """One pair.

    Attributes:
        pair: Its files.
        size_hw: The image's, or None where it cannot be read.
        digest: Of the image's pixels: copies have the same, whatever their format.
        mask: The mask's values, or None where it cannot be read.
        is_turned: Whether the image is turned, as its EXIF orientation says.
        findings: What is broken about the two.
    """

    pair: Pair
    size_hw: tuple[int, int] | None
    digest: bytes
    mask: MaskFacts | None
    is_turned: bool
    findings: tuple[Finding, ...]


def examine_pair(pair: Pair) -> PairFacts:
    """Reads both files."""
    findings: list[Finding] = []
    image_hw, digest, mask, turned = None, b"", None, False
    try:
        image = read_image(pair.image)
        image_hw, digest = (image.shape[0], image.shape[1]), pixel_digest(image)
        turned = is_turned(pair.image)
    except SwiftsegError as error:
        findings.append(_broken("unreadable_image", str(error), pair.image))
    try:
        mask = survey_mask(pair.mask)
    except SwiftsegError as error:
        findings.append(_broken("unreadable_mask", str(error), pair.mask))
    if image_hw and mask and image_hw != mask.size_hw:
        message = size_mismatch_text(pair.image, image_hw, pair.mask, mask.size_hw)
        findings.append(_broken("size_mismatch", message, pair.mask))
    return PairFacts(pair, image_hw, digest, mask, turned, tuple(findings))


def pixel_digest(image: np.ndarray) -> bytes:
    """Gives 16 bytes that tell images uint8 (H, W, 3) apart."""
    digest = hashlib.blake2b(repr(image.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(image).data)
    return digest.digest()


def _broken(code: str, message: str, file: object) -> Finding:
    return Finding("broken", code, message, files=(str(file),))
