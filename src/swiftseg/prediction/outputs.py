"""What a prediction finds in each source, and the files it writes."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from swiftseg.core import LabelSet, known_name
from swiftseg.core.budgets import MAX_OVERLAY_SIDE
from swiftseg.core.files import sweep, write_file
from swiftseg.data.images.geo_tags import Tag
from swiftseg.inference import Segmentation
from swiftseg.render.label_tiff import write_label_tiff
from swiftseg.render.legend import BACKGROUND, legend_of

Kind = Literal["overlay", "labels", "probs"]
KINDS: tuple[Kind, ...] = ("overlay", "labels", "probs")

MARK = ".swiftseg-predictions"
MARK_TEXT = "swiftseg predict wrote the folders beside this file, and never reads them.\n"

LABEL_TIFF = ".tif"  # of a GeoTIFF, and of a picture that fits no memory
IMAGE_FILE_SUFFIXES: dict[Kind, str] = {"overlay": ".jpg", "labels": ".png", "probs": ".npy"}
_JPEG_QUALITY = 92  # overlays are for the eye
_STRIP_ROWS = 256


@dataclass
class Prediction:
    """The prediction of one source.

    Attributes:
        source: As the user gave it.
        kind: `image` or `video`.
        tile_hw: Of an image that was labeled in tiles, their size.
        size_hw: Height and width in pixels.
        num_frames: 1 for an image.
        pixels: Pixels by class, over all frames.
        void_pixels: Pixels that are no class, since the model is not sure enough of one.
        timings_ms: By stage, one value a frame.
        files: What was written, by kind; for the label maps and probabilities of a video, their
            folder.
        fps: Of a video, frames a second from the first to the last.
        p95_ms: Of a video, the 95th percentile of the time from one frame to the next.
        dropped: Frames of a camera or stream that came too fast.
        damaged: Packets of a video that could not be decoded.
        gaps_s: How many seconds an RTSP stream was away, each time that it came back.
        sound_lost: Why an overlay has not its video's sound; empty where it has, or there is none.
        error: What ended a video early; what came before is written.
        interrupted: Ctrl-C ended a video early.
    """

    source: str
    kind: Literal["image", "video"]
    tile_hw: tuple[int, int] | None = None
    size_hw: tuple[int, int] = (0, 0)
    num_frames: int = 0
    pixels: dict[str, int] = field(default_factory=dict[str, int])
    void_pixels: int = 0
    timings_ms: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    files: dict[str, str] = field(default_factory=dict[str, str])
    fps: float | None = None
    p95_ms: float | None = None
    dropped: int = 0
    damaged: int = 0
    gaps_s: list[float] = field(default_factory=list[float])
    sound_lost: str = ""
    error: str | None = None
    interrupted: bool = False

    def add(self, result: Segmentation) -> None:
        """Count one frame."""
        self.size_hw = (result.label_map.shape[0], result.label_map.shape[1])
        self.num_frames += 1
        counts = result.class_pixels()
        for name, count in counts.items():
            self.pixels[name] = self.pixels.get(name, 0) + count
        self.void_pixels += result.label_map.size - sum(counts.values())
        for stage, time_ms in result.timings_ms.items():
            self.timings_ms.setdefault(stage, []).append(time_ms)


@dataclass
class Run:
    """The predictions of all sources.

    Attributes:
        predictions: Of the sources that gave something.
        failures: Of those that gave nothing, as (source, message).
        skipped: How many images had all their outputs already.
        interrupted: Whether Ctrl-C came.
    """

    predictions: list[Prediction] = field(default_factory=list[Prediction])
    failures: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    skipped: int = 0
    interrupted: bool = False

    @property
    def errors(self) -> list[tuple[str, str]]:
        """All that went wrong, as (source, message): failures, and what broke off."""
        broken = [(p.source, p.error) for p in self.predictions if p.error is not None]
        return self.failures + broken


@dataclass(frozen=True)
class Outputs:
    """Which files are written, and where.

    Attributes:
        folder: Holds a folder a kind.
        alpha: Of overlays, the colors' part, 0..1.
        hide: Of overlays, names of classes that are not drawn.
        legend: Whether overlays have one; without it they have the picture's own size.
    """

    folder: Path
    kinds: tuple[Kind, ...]
    alpha: float = 0.5
    hide: tuple[str, ...] = ()
    legend: bool = True

    def path(self, kind: Kind, name: str, suffix: str = "") -> Path:
        """Return the file of a kind."""
        return self.folder / kind / f"{name}{suffix}"

    def mark(self) -> None:
        """Leave a file by which a later prediction knows that these are no pictures to label.

        Where there is one, what a killed prediction was writing is removed.
        """
        mark = self.folder / MARK
        if not mark.exists():
            write_file(mark, MARK_TEXT)
            return
        for folder in kind_folders(self.folder):
            sweep(folder)

    def image_files(self, name: str) -> list[Path]:
        """Return the files that an image of that name gives."""
        return [self.path(kind, name, IMAGE_FILE_SUFFIXES[kind]) for kind in self.kinds]

    def overwrite(self, image: Path, name: str) -> bool:
        """Whether the files of an image of that name would replace the image itself."""
        files = self.image_files(name)
        if "labels" in self.kinds:
            files.append(self.path("labels", name, LABEL_TIFF))
        return any(file.exists() and image.exists() and file.samefile(image) for file in files)

    def are_written(self, name: str) -> bool:
        """Whether all files of an image are there; its label map may be a TIFF."""
        label_tiff = self.path("labels", name, LABEL_TIFF)
        return all(
            file.is_file() or (kind == "labels" and label_tiff.is_file())
            for kind, file in zip(self.kinds, self.image_files(name), strict=True)
        )

    def write_arrays(
        self, name: str, result: Segmentation, place: Sequence[Tag] = ()
    ) -> dict[str, str]:
        """Write the label map and the probabilities that were asked for; return their files.

        With the tags of a GeoTIFF in `place`, the label map becomes one.
        """
        files: dict[str, str] = {}
        if "labels" in self.kinds and place:
            path = self.path("labels", name, LABEL_TIFF)
            labels = result.label_map
            size_hw = labels.shape[0], labels.shape[1]
            write_label_tiff(path, [labels], size_hw, result.labels, place)
            files["labels"] = str(path)
        elif "labels" in self.kinds:
            path = self.path("labels", name, IMAGE_FILE_SUFFIXES["labels"])
            result.save(path)
            files["labels"] = str(path)
        if result.probabilities is not None:
            path = self.path("probs", name, IMAGE_FILE_SUFFIXES["probs"])
            write_file(path, probabilities_npy(result.probabilities))
            files["probs"] = str(path)
        return files

    def write_overlay(self, name: str, result: Segmentation) -> dict[str, str]:
        """Write an image's overlay where it is asked for; return its file."""
        if "overlay" not in self.kinds:
            return {}
        return self.write_picture(
            name, result.overlay(self.alpha, hide=self.hide), result.labels, result.class_shares()
        )

    def write_picture(
        self, name: str, picture: np.ndarray, labels: LabelSet, shares: Mapping[str, float]
    ) -> dict[str, str]:
        """Write a finished overlay, with its legend where one is wanted; return its file."""
        path = self.path("overlay", name, IMAGE_FILE_SUFFIXES["overlay"])
        write_file(path, overlay_jpeg(picture, labels, shares, self.hide, legend=self.legend))
        return {"overlay": str(path)}


def overlay_jpeg(
    picture: np.ndarray,
    labels: LabelSet,
    shares: Mapping[str, float],
    hide: Sequence[str] = (),
    *,
    legend: bool = True,
) -> bytes:
    """Return an overlay uint8 (H, W, 3), with its legend or without, as the bytes of a JPEG.

    One that is longer than a JPEG may be shows every n-th pixel.
    """
    picture = _within_a_jpeg(picture)
    height, width = picture.shape[:2]
    beside = legend_of((height, width), labels, shares, hide=hide) if legend else None
    if beside is None:
        return jpeg(picture)
    # Strip by strip: a copy of a large picture would be another 300 MB.
    page = Image.new("RGB", (beside.page_hw[1], beside.page_hw[0]), BACKGROUND)
    for top in range(0, height, _STRIP_ROWS):
        page.paste(Image.fromarray(picture[top : top + _STRIP_ROWS]), (0, top))
    page.paste(Image.fromarray(beside.panel), (beside.left, beside.top))
    return _jpeg(page)


def jpeg(picture: np.ndarray) -> bytes:
    """Return an overlay uint8 (H, W, 3) as the bytes of a JPEG; see `overlay_jpeg`."""
    return _jpeg(Image.fromarray(_within_a_jpeg(picture)))


def _within_a_jpeg(picture: np.ndarray) -> np.ndarray:
    step = -(-max(picture.shape[:2]) // MAX_OVERLAY_SIDE)
    return np.ascontiguousarray(picture[::step, ::step]) if step > 1 else picture


def _jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, format="JPEG", quality=_JPEG_QUALITY)
    return file.getvalue()


def probabilities_npy(probabilities: np.ndarray) -> bytes:
    """Return probabilities (C, H, W) as the bytes of a float16 .npy file."""
    file = io.BytesIO()
    np.save(file, probabilities.astype(np.float16))
    return file.getvalue()


def kind_folders(folder: Path) -> list[Path]:
    """Return where a prediction into a folder puts its files."""
    return [folder / kind for kind in KINDS]


def marked_folders(folder: Path) -> list[Path]:
    """Return the folders below a folder that earlier predictions put their files in."""
    return [place for mark in folder.rglob(MARK) for place in kind_folders(mark.parent)]


def parse_kinds(save: Sequence[str] | str) -> tuple[Kind, ...]:
    """Return the kinds in a list, or in a text such as `overlay,labels`, each once.

    Raises:
        UsageError: One is unknown.
    """
    names = save.split(",") if isinstance(save, str) else save
    stripped = dict.fromkeys(name.strip() for name in names)
    return tuple(known_name("output", name, KINDS) for name in stripped)
