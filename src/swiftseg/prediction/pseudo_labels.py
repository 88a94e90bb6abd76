"""Pseudo-labels: what trained models say of frames that nobody has labeled, or only coarsely.

The mean of several models' probabilities decides. Where a coarse label stands for several classes,
a pixel becomes one of them and never anything else; pixels that the models are unsure of are void.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from swiftseg.core import LabelSet, Sample, SwiftsegError, UsageError, known_name
from swiftseg.core.files import write_file
from swiftseg.core.progress import LateProgress
from swiftseg.data import Dataset, open_dataset
from swiftseg.data.annotations.write import label_map_to_coco, label_map_to_labelme
from swiftseg.data.images.image_file import read_image
from swiftseg.data.views.mixture import Mixture, Part
from swiftseg.inference import AveragingSegmenter, Segmenter
from swiftseg.prediction.sources import Source, check_writable, find_sources
from swiftseg.render import save_label_map

Form = Literal["png", "coco", "labelme"]
FORMS: tuple[Form, ...] = ("png", "coco", "labelme")


class Teachers:
    """Several models as one: the mean of their class probabilities.

    Raises:
        SwiftsegError: Their classes differ, or one does not run at a scale's size.
    """

    def __init__(
        self, models: Sequence[Segmenter], *, scales: Sequence[float] = (1.0,), flip: bool = False
    ) -> None:
        self.labels: LabelSet = models[0].spec.labels
        for model in models:
            if model.spec.labels.names != self.labels.names:
                raise SwiftsegError(
                    f"{model.spec.name} has the classes {', '.join(model.spec.labels.names)} where "
                    f"{models[0].spec.name} has {', '.join(self.labels.names)}; models are "
                    "averaged only where they have the same"
                )
        self._averaging = [AveragingSegmenter(model, scales=scales, flip=flip) for model in models]

    def probabilities(self, image: np.ndarray) -> np.ndarray:
        """Return the mean class probabilities, float32 (C, H, W), of an image uint8 (H, W, 3)."""
        total = self._averaging[0].probabilities(image)
        for model in self._averaging[1:]:
            total = total + model.probabilities(image)
        return total / np.float32(len(self._averaging))


def pseudo_mask(
    probs: np.ndarray,
    labels: LabelSet,
    *,
    min_confidence: float = 0.0,
    mask: np.ndarray,
) -> np.ndarray:
    """Return the likeliest class of each pixel, and `labels.void` where it is unsure: uint8 (H, W).

    Args:
        probs: float32 (C, H, W), class probabilities.
        labels: The classes, and what the values of `mask` mean.
        min_confidence: A pixel is sure from this probability on. Where a mask allows several
            classes, it is the probability among these.
        mask: uint8 (H, W), the coarse labels; what they ignore may be any class.
    """
    allowed = labels.members
    named = allowed.sum(axis=1) == 1
    allowed[labels.void] = True
    probs = np.where(np.moveaxis(allowed[mask], -1, 0), probs, 0)
    total = probs.sum(axis=0)
    # Where the models give none of the allowed classes a chance, none is likelier than another.
    probs = np.divide(probs, total, out=np.zeros_like(probs), where=total > 0)
    likeliest = probs.argmax(axis=0).astype(np.uint8)
    sure = (total > 0) & (probs.max(axis=0) >= min_confidence)
    pseudo = np.where(sure, likeliest, np.uint8(labels.void))
    return np.where(named[mask], mask, pseudo)  # what a label names is known without the models


@dataclass
class PseudoLabeling:
    """What has been written.

    Attributes:
        failed: What cannot be read, and why.
        pixels: int64 (256,), by class and void.
    """

    void: int
    written: int = 0
    failed: list[str] = field(default_factory=list[str])
    pixels: np.ndarray = field(default_factory=lambda: np.zeros(256, np.int64))

    @property
    def labeled_share(self) -> float:
        """The share of all pixels that have a class, in 0..1."""
        return float(1 - self.pixels[self.void] / max(self.pixels.sum(), 1))


class Unlabeled:
    """Images as frames of which nothing is known: their masks are void."""

    def __init__(self, sources: Sequence[Source], labels: LabelSet) -> None:
        self.sources, self.labels = sources, labels

    def __len__(self) -> int:
        return len(self.sources)

    def __getitem__(self, index: int, /) -> Sample:
        source = self.sources[index]
        image = read_image(Path(source.given))
        return Sample(source.name, image, np.full(image.shape[:2], self.labels.void, np.uint8))

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))


def label_by_teachers(
    source: str,
    models: Sequence[str],
    out: Path,
    *,
    within_sets: bool = False,
    min_confidence: float = 0.0,
    form: str = "png",
    scales: Sequence[float] = (1.0,),
    flip: bool = False,
    backend: str | None = None,
    device: str | None = None,
) -> PseudoLabeling:
    """Write what models say of images, or of labeled frames within their labels.

    Args:
        source: A file, folder, glob or list of images; with `within_sets` labeled data, of which
            train and val are labeled.
        models: What `Segmenter.load` takes, one or several.
        out: See `write_pseudo_labels`.
        within_sets: Whether to keep to the labels of the source.
        min_confidence: See `pseudo_mask`.
        form: One of `FORMS`.
        scales: As `AveragingSegmenter` takes them.
        flip: As `AveragingSegmenter` takes it.
        backend: As `Segmenter.load` takes it.
        device: As `Segmenter.load` takes it.

    Raises:
        UsageError: There is no such form, or the source is a video.
        SwiftsegError: A model or the source cannot be opened, or their classes differ.
    """
    kind = known_name("format", form, FORMS)
    loaded = [Segmenter.load(model, backend=backend, device=device) for model in models]
    teachers = Teachers(loaded, scales=scales, flip=flip)
    if within_sets:
        parts = [Part("train", open_dataset(source, "train"), {})]
        with suppress(UsageError):  # where there is no val
            parts.append(Part("val", open_dataset(source, "val"), {}))
        frames = Mixture(parts) if len(parts) > 1 else parts[0].dataset
    else:
        sources = find_sources([source], leave_out=[out])
        for video in (each.given for each in sources if each.is_video):
            raise UsageError(f"{video} is a video; pictures alone become masks to learn from")
        frames = Unlabeled(sources, teachers.labels)
    check_writable(out)
    return write_pseudo_labels(frames, teachers, out, min_confidence=min_confidence, form=kind)


def write_pseudo_labels(
    frames: Dataset,
    teachers: Teachers,
    out: Path,
    *,
    min_confidence: float = 0.0,
    form: Form = "png",
) -> PseudoLabeling:
    """Write a mask for each frame, below `out` by the frame's name.

    A frame that cannot be read does not stop the others.

    Args:
        frames: Labeled frames, to whose labels the masks keep; or `Unlabeled` images.
        teachers: Who decides.
        out: The folder for NAME.png, index masks, or NAME.json of a labeling tool.
        min_confidence: See `pseudo_mask`.
        form: `png`, or `coco` and `labelme` for correcting the masks in a labeling tool, in which
            void is not drawn.

    Raises:
        SwiftsegError: The frames' classes are not the teachers', or a file cannot be written.
    """
    labels, result = frames.labels, PseudoLabeling(frames.labels.void)
    if labels.names != teachers.labels.names:
        raise SwiftsegError(
            f"the labels stand for the classes {', '.join(labels.names)} where the models have "
            f"{', '.join(teachers.labels.names)}; name these, in their order, under classes in the "
            "dataset.yaml"
        )
    with LateProgress("labeling") as progress:
        progress.expect(len(frames))
        for index in range(len(frames)):
            progress.advance()
            try:
                sample = frames[index]
            except SwiftsegError as error:
                result.failed.append(str(error))
                continue
            probs = teachers.probabilities(sample.image)
            pseudo = pseudo_mask(probs, labels, min_confidence=min_confidence, mask=sample.mask)
            write_mask(out, sample, pseudo, labels.without_sets, form)
            result.pixels += np.bincount(pseudo.ravel(), minlength=256)
            result.written += 1
    return result


def write_mask(out: Path, sample: Sample, pseudo: np.ndarray, labels: LabelSet, form: Form) -> None:
    """Write one mask in the form that was asked for."""
    if form == "png":
        save_label_map(out / f"{sample.name}.png", pseudo, labels)
        return
    if form == "coco":
        content = label_map_to_coco(pseudo, labels, file_name=sample.name)
    else:
        content = label_map_to_labelme(pseudo, labels, image_path=sample.name)
    write_file(out / f"{sample.name}.json", json.dumps(content))
