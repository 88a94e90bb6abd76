"""What there is to say of one image and its mask."""

import hashlib
from dataclasses import dataclass

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.data.images.header import SIDEWAYS, read_header
from swiftseg.data.images.image_file import read_image
from swiftseg.data.own.finding import Finding, Severity
from swiftseg.data.own.survey import MaskFacts, survey_mask
from swiftseg.data.paired_files import Pair, are_proportional, size_mismatch_text


@dataclass(frozen=True)
class PairFacts:
    """One pair.

    Attributes:
        pair: Its files.
        size_hw: The image's, or None where it cannot be read.
        digest: Of the image's pixels: copies have the same, whatever their format.
        masks: The values of the mask, or of each of its parts; none where they cannot be read.
        findings: What is wrong with the two, or worth knowing.
    """

    pair: Pair
    size_hw: tuple[int, int] | None
    digest: bytes
    masks: tuple[MaskFacts, ...]
    findings: tuple[Finding, ...]

    @property
    def is_readable(self) -> bool:
        return all(finding.severity != "broken" for finding in self.findings)


def examine_pair(pair: Pair, *, resize_masks: bool = True) -> PairFacts:
    """Read both files.

    Args:
        pair: The files.
        resize_masks: Whether masks may have another size than their image.
    """
    findings: list[Finding] = []
    image_hw, digest, masks, orientation = None, b"", (), 1
    try:
        image = read_image(pair.image)
        image_hw, digest = (image.shape[0], image.shape[1]), pixel_digest(image)
        orientation = read_header(pair.image).orientation
    except SwiftsegError as error:
        findings.append(_about("broken", "unreadable_image", str(error), pair.image))
    try:
        masks = tuple(survey_mask(part.path) for part in pair.parts) or (survey_mask(pair.mask),)
    except SwiftsegError as error:
        findings.append(_about("broken", "unreadable_mask", str(error), pair.mask))
    mask_hw = masks[0].size_hw if masks else None
    if image_hw and mask_hw and image_hw != mask_hw:
        findings.append(_size_finding(pair, image_hw, mask_hw, orientation, resize_masks))
    elif orientation != 1:
        message = (
            f"{pair.image}: shown turned, as its EXIF orientation says; masks are read "
            "as stored and have to be upright, see the contact sheet"
        )
        findings.append(_about("note", "turned_images", message, pair.image))
    return PairFacts(pair, image_hw, digest, masks, tuple(findings))


def _size_finding(
    pair: Pair,
    image_hw: tuple[int, int],
    mask_hw: tuple[int, int],
    orientation: int,
    resize_masks: bool,
) -> Finding:
    """Say what becomes of a mask whose size is not its image's."""
    if orientation in SIDEWAYS and mask_hw == image_hw[::-1]:
        message = (
            f"{pair.mask}: drawn on the image as stored, before its EXIF orientation turned it; "
            "the mask is turned along. Save image and mask upright to be rid of this"
        )
        return _about("warning", "turned_masks", message, pair.mask)
    text = size_mismatch_text(pair.image, image_hw, pair.mask, mask_hw)
    if not are_proportional(image_hw, mask_hw):
        return _about("broken", "size_mismatch", text, pair.mask)
    if resize_masks:
        message = f"{text}; it is resized by nearest neighbor"
        return _about("warning", "resized_masks", message, pair.mask)
    message = f"{text}; say `resize_masks: true` in the dataset.yaml to have it resized"
    return _about("broken", "size_mismatch", message, pair.mask)


def pixel_digest(image: np.ndarray) -> bytes:
    """Return 16 bytes that tell images uint8 (H, W, 3) apart."""
    digest = hashlib.blake2b(repr(image.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(image).data)
    return digest.digest()


def _about(severity: Severity, code: str, message: str, file: object) -> Finding:
    return Finding(severity, code, message, files=(str(file),))
