"""Images through the network: the next ones are read and the last ones written meanwhile."""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.core.progress import LateProgress
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
    probs: np.ndarray | None = None
    outcome: Prediction | SwiftsegError | None = None


def predict_images(
    segmenter: Segmenter, sources: Sequence[Source], outputs: Outputs, progress: LateProgress
) -> Generator[tuple[Source, Prediction | SwiftsegError]]:
    """Yields each image's prediction once its files are written, or why there is none."""

    def prepare(source: Source) -> _Job:
        try:
            return _Job(source, segmenter.prepare(source.given))
        except SwiftsegError as error:
            return _Job(source, outcome=error)

    def segment(job: _Job) -> _Job:
        if job.image is not None:
            job.result = segmenter.segment(job.image)
            try:
                if "probs" in outputs.kinds:
                    job.probs = segmenter.probabilities(job.image)
            except SwiftsegError as error:
                job.outcome = error
        return job

    def write(job: _Job) -> _Job:
        if job.result is not None and job.outcome is None:
            try:
                job.outcome = _written(job, job.result, outputs)
            except SwiftsegError as error:
                job.outcome = error
        return job

    stages = {"segment": segment, "write": write}
    with closing(iter(Pipeline(map(prepare, sources), stages, source_name="read"))) as jobs:
        for job in jobs:
            progress.advance()
            assert job.outcome is not None  # after the last stage
            yield job.source, job.outcome


def _written(job: _Job, result: Segmentation, outputs: Outputs) -> Prediction:
    prediction = Prediction(job.source.given, "image")
    prediction.add(result)
    prediction.files |= outputs.write_arrays(job.source.name, result, job.probs)
    prediction.files |= outputs.write_overlay(job.source.name, result)
    return prediction
