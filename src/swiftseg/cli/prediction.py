"""The work of `swiftseg predict`: each source segmented and its outputs written."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

import numpy as np
from PIL import Image

from swiftseg.cli.inputs import Source
from swiftseg.cli.progress import LateProgress
from swiftseg.core import SwiftsegError, unknown_name
from swiftseg.core.files import replacing
from swiftseg.inference import Segmentation, Segmenter
from swiftseg.inference.video import reading_video, writing_video
from swiftseg.render import with_legend

Kind = Literal["overlay", "labels", "probs"]
KINDS: tuple[Kind, ...] = ("overlay", "labels", "probs")

_JPEG_QUALITY = 92  # overlays are for the eye


@dataclass
class Prediction:
    """What one source gave.

    Attributes:
        source: As the user gave it.
        kind: `image` or `video`.
        size_hw: Height and width in pixels.
        num_frames: 1 for an image.
        pixels: Pixels by class, over all frames.
        timings_ms: By stage, one value a frame.
        files: What was written, by kind; for the label maps and probabilities of a video, their
            folder.
    """

    source: str
    kind: Literal["image", "video"]
    size_hw: tuple[int, int] = (0, 0)
    num_frames: int = 0
    pixels: dict[str, int] = field(default_factory=dict[str, int])
    timings_ms: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    files: dict[str, str] = field(default_factory=dict[str, str])

    def add(self, result: Segmentation) -> None:
        """Counts one frame."""
        self.size_hw = (result.label_map.shape[0], result.label_map.shape[1])
        self.num_frames += 1
        for name, share in result.class_shares().items():
            count = round(share * result.label_map.size)
            self.pixels[name] = self.pixels.get(name, 0) + count
        for stage, time_ms in result.timings_ms.items():
            self.timings_ms.setdefault(stage, []).append(time_ms)


@dataclass
class Run:
    """What all sources gave: predictions, errors as (source, message), and whether Ctrl-C came."""

    predictions: list[Prediction] = field(default_factory=list[Prediction])
    errors: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    interrupted: bool = False


def parse_kinds(text: str) -> tuple[Kind, ...]:
    """Reads `overlay,labels`; raises UsageError for what is no kind of output."""
    kinds = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    for kind in kinds:
        if kind not in KINDS:
            raise unknown_name("output", kind, KINDS)
    return cast(tuple[Kind, ...], kinds)


def predict_all(
    segmenter: Segmenter, sources: Sequence[Source], out: Path, kinds: tuple[Kind, ...]
) -> Run:
    """Segments every source and writes its outputs; an unreadable one is noted and passed over."""
    run = Run()
    with LateProgress("frames" if any(s.is_video for s in sources) else "images") as progress:
        progress.expect(sum(not source.is_video for source in sources))
        for source in sources:
            try:
                if source.is_video:
                    prediction, run.interrupted = _predict_video(
                        segmenter, source, out, kinds, progress
                    )
                else:
                    prediction = _predict_image(segmenter, source, out, kinds)
                    progress.advance()
                run.predictions.append(prediction)
            except SwiftsegError as error:
                run.errors.append((source.given, str(error)))
            except KeyboardInterrupt:
                run.interrupted = True
            if run.interrupted:
                break
    return run


def _predict_image(
    segmenter: Segmenter, source: Source, out: Path, kinds: tuple[Kind, ...]
) -> Prediction:
    prediction = Prediction(source.given, "image")
    result = segmenter(source.given)
    prediction.add(result)
    if "overlay" in kinds:
        path = out / "overlay" / f"{source.name}.jpg"
        picture = with_legend(result.overlay(), result.labels, result.class_shares())
        with replacing(path) as temporary:
            Image.fromarray(picture).save(temporary, format="JPEG", quality=_JPEG_QUALITY)
        prediction.files["overlay"] = str(path)
    prediction.files |= _write_arrays(segmenter, result, out, source.name, kinds)
    return prediction


def _predict_video(
    segmenter: Segmenter,
    source: Source,
    out: Path,
    kinds: tuple[Kind, ...],
    progress: LateProgress,
) -> tuple[Prediction, bool]:
    """Segments a video; Ctrl-C ends it early (told as True), and what it wrote is kept whole."""
    prediction = Prediction(source.given, "video")
    prediction.files = {kind: str(out / kind / source.name) for kind in kinds}
    path = out / "overlay" / f"{source.name}.mp4"
    with reading_video(source.given) as video, ExitStack() as stack:
        progress.expect(video.num_frames)
        writer = None
        if "overlay" in kinds:
            writer = stack.enter_context(writing_video(path, fps=video.fps))
            prediction.files["overlay"] = str(path)
        try:
            for index, frame in enumerate(video.frames):
                result = segmenter(frame.image)
                if writer is not None:
                    writer.write(with_legend(result.overlay(), result.labels), frame.time_s)
                _write_arrays(segmenter, result, out, f"{source.name}/{index:06d}", kinds)
                prediction.add(result)
                progress.advance()
        except KeyboardInterrupt:
            if prediction.num_frames == 0:
                raise
            return prediction, True
    return prediction, False


def _write_arrays(
    segmenter: Segmenter, result: Segmentation, out: Path, name: str, kinds: tuple[Kind, ...]
) -> dict[str, str]:
    """Writes the label map and the probabilities where they are asked for; gives their files."""
    files: dict[str, str] = {}
    if "labels" in kinds:
        path = out / "labels" / f"{name}.png"
        result.save(path)
        files["labels"] = str(path)
    if "probs" in kinds:
        path = out / "probs" / f"{name}.npy"
        with replacing(path) as temporary:
            np.save(temporary, segmenter.probabilities(result.image).astype(np.float16))
        files["probs"] = str(path)
    return files
