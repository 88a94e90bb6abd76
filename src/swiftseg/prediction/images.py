"""Images through the network: the next ones are read and the last ones written meanwhile."""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from swiftseg.core import SwiftsegError
from swiftseg.core.budgets import LARGE_PIXELS
from swiftseg.core.progress import LateProgress
from swiftseg.data.images.header import pixels_of
from swiftseg.inference import Segmentation, Segmenter
from swiftseg.inference.pipeline import Pipeline
from swiftseg.inference.segmenter import Prepared
from swiftseg.prediction.outputs import Outputs, Prediction
from swiftseg.prediction.sources import Source


@dataclass
class _Job:
    """An image on its way; an error makes the stages behind it pass it on as it is."""

    source: Source
    image: Prepared | None = None
    result: Segmentation | None = None
    outcome: Prediction | SwiftsegError | None = None


def segment_images(
    segmenter: Segmenter, sources: Sequence[Source], outputs: Outputs, progress: LateProgress
) -> Generator[tuple[Source, Prediction | SwiftsegError]]:
    """Yield each image's prediction once its files are written, or why there is none."""

    def prepare(source: Source) -> _Job:
        overwritten = outputs.image_files(source.name)
        if Path(source.given).resolve() in (file.resolve() for file in overwritten):
            return _Job(source, outcome=SwiftsegError(_overwrites(source)))
        try:
            return _Job(source, segmenter.prepare(source.given))
        except SwiftsegError as error:
            return _Job(source, outcome=error)
        except Exception as error:  # whatever a decoder raises costs this image alone
            reason = f"{type(error).__name__}: {error}".partition("\n")[0]
            return _Job(source, outcome=SwiftsegError(f"{source.given}: cannot be read ({reason})"))

    def segment(job: _Job) -> _Job:
        if job.image is not None:
            asked = "probs" in outputs.kinds
            try:
                job.result = segmenter.segment(job.image, with_probabilities=asked)
            except SwiftsegError as error:
                job.outcome = error
        return job

    def write(job: _Job) -> _Job:
        if job.result is not None:
            try:
                job.outcome = _written(job, job.result, outputs)
            except SwiftsegError as error:
                job.outcome = error
        job.image = job.result = None  # pixels that the next image's would stand beside
        return job

    stages = {"segment": segment, "write": write}
    for is_large, group in groupby(sources, key=_is_large):
        prepared = map(prepare, group)
        done = (
            (write(segment(job)) for job in prepared)
            if is_large
            else iter(Pipeline(prepared, stages, source_name="read"))
        )
        with closing(done) as jobs:
            for job in jobs:
                progress.advance()
                assert job.outcome is not None  # after the last stage
                yield job.source, job.outcome


def _is_large(source: Source) -> bool:
    return pixels_of(source.given) >= LARGE_PIXELS


def _overwrites(source: Source) -> str:
    return f"{source.given}: its own output would overwrite it; choose another folder by --out"


def _written(job: _Job, result: Segmentation, outputs: Outputs) -> Prediction:
    prediction = Prediction(job.source.given, "image")
    prediction.add(result)
    prediction.files |= outputs.write_arrays(job.source.name, result)
    prediction.files |= outputs.write_overlay(job.source.name, result)
    return prediction
