"""What there is to say of one image and its mask."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.core.spec import described_bands
from swiftseg.data.images.header import RGB_KIND, SIDEWAYS, opened, read_header
from swiftseg.data.own.finding import Finding, Severity, about_files
from swiftseg.data.own.survey import MaskFacts, survey_mask
from swiftseg.data.paired_files import Pair, are_proportional, size_mismatch_text

ALPHA_MODES = ("RGBA", "LA", "PA")


@dataclass(frozen=True)
class PairFacts:
    """One pair.

    Attributes:
        size_hw: The image's, or None where it cannot be read.
        digest: Of the image's pixels: copies have the same, whatever their format.
        masks: The values of the mask, or of each of its parts; none where they cannot be read.
        findings: What is wrong with the two, or worth knowing.
        kind: The bands of the image and their type.
    """

    pair: Pair
    size_hw: tuple[int, int] | None
    digest: bytes
    masks: tuple[MaskFacts, ...]
    findings: tuple[Finding, ...]
    kind: tuple[int, str] = RGB_KIND

    @property
    def is_readable(self) -> bool:
        return all(finding.severity != "broken" for finding in self.findings)


def examine_pair(pair: Pair, *, resize_masks: bool = True) -> PairFacts:
    """Read both files; `resize_masks` allows masks of another size than their image."""
    findings: list[Finding] = []
    image_hw, digest, masks, orientation, kind = None, b"", (), 1, RGB_KIND
    try:
        image_hw, digest, kind = _image_facts(pair)
        header = read_header(pair.image)
        orientation = header.orientation
        if header.mode in ALPHA_MODES and _has_varying_alpha(pair.image):
            message = (
                f"{pair.image}: its alpha channel varies, and is not read. Where it holds a fourth "
                "band, save the images as TIFF with four bands"
            )
            findings.append(_about("warning", "alpha_left_out", message, pair.image))
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
    return PairFacts(pair, image_hw, digest, masks, tuple(findings), kind)


def _image_facts(pair: Pair) -> tuple[tuple[int, int], bytes, tuple[int, str]]:
    """Read an image, and let go of it before its mask is read: its size, digest and kind."""
    image = pair.read_image()
    height, width, bands = image.shape
    return (height, width), pixel_digest(image), (bands, image.dtype.name)


def _has_varying_alpha(path: Path) -> bool:
    with opened(path) as image:
        channels = image.convert("RGBA") if image.mode == "PA" else image
        lowest, highest = channels.getchannel("A").getextrema()
    return lowest != highest


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
            "the mask is turned too. Save both upright to avoid this"
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


def kind_findings(kinds: Mapping[tuple[int, str], Sequence[Path]]) -> list[Finding]:
    """Tell the bands of the images where they are not RGB, and refuse those of several kinds."""
    if len(kinds) < 2:
        return [
            _about("note", "bands", f"the images have {described_bands(*kind)}", images[0])
            for kind, images in kinds.items()
            if kind != RGB_KIND
        ]
    usual = max(kinds, key=lambda kind: len(kinds[kind]))
    return [
        about_files(
            "mixed_bands",
            f"{images[0]}: {described_bands(*kind)} where most images have "
            f"{described_bands(*usual)}",
            images,
        )
        for kind, images in kinds.items()
        if kind != usual
    ]


def pixel_digest(image: np.ndarray) -> bytes:
    """Return 16 bytes that tell images (H, W, bands) apart."""
    digest = hashlib.blake2b(repr(image.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(image).data)
    return digest.digest()


def _about(severity: Severity, code: str, message: str, file: object) -> Finding:
    return Finding(severity, code, message, files=(str(file),))
