"""Images through the network: the next ones are read and the last ones written meanwhile."""

from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from swiftseg.core import MissingExtraError, SwiftsegError
from swiftseg.core.budgets import LARGE_PIXELS
from swiftseg.core.errors import unexpected
from swiftseg.core.memory import NO_MEMORY, ran_out
from swiftseg.core.memory_limit import AT_ONCE, check_limit, fits_limit, left_by_limit
from swiftseg.core.progress import LateProgress
from swiftseg.data.images.geo_tags import geo_tags, has_geo_tags
from swiftseg.data.images.web_picture import is_web_address
from swiftseg.data.images.windows import picture_hw
from swiftseg.inference import Segmentation, Segmenter
from swiftseg.inference.large_pictures import label_large, needs_windows
from swiftseg.inference.pipeline import Pipeline
from swiftseg.inference.preparing import Prepared
from swiftseg.prediction.memory_needs import picture_bytes
from swiftseg.prediction.outputs import LABEL_TIFF, Outputs, Prediction
from swiftseg.prediction.sources import Source


@dataclass
class _Work:
    """An image on its way; an outcome makes the stages behind it pass it on as it is."""

    source: Source
    image: Prepared | None = None
    size_hw: tuple[int, int] = (0, 0)
    needed_bytes: int = 0
    is_large: bool = False
    in_windows: bool = False
    result: Segmentation | None = None
    outcome: Prediction | SwiftsegError | None = None


def segment_images(
    segmenter: Segmenter, sources: Sequence[Source], outputs: Outputs, progress: LateProgress
) -> Generator[tuple[Source, Prediction | SwiftsegError]]:
    """Yield each image's prediction once its files are written, or why there is none."""

    def segment(job: _Work) -> _Work:
        with _costing_itself(job):
            if job.in_windows and job.outcome is None:
                job.outcome = _large(segmenter, job.source, outputs, progress)
            elif job.image is not None:
                asked = "probs" in outputs.kinds
                job.result = segmenter.segment(job.image, with_probabilities=asked)
        return job

    def write(job: _Work) -> _Work:
        if job.result is not None:
            with _costing_itself(job):
                job.outcome = _written(job, job.result, outputs, segmenter)
        job.image = job.result = None  # pixels that the next image's would stand beside
        return job

    stages = {"segment": segment, "write": write}
    looked_at = (_looked_at(segmenter, source, outputs) for source in sources)
    for is_large, group in groupby(looked_at, lambda job: job.is_large):
        prepared = (_prepared(segmenter, job) for job in group)
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


@contextmanager
def _costing_itself(job: _Work) -> Generator[None]:
    """Note as a job's outcome why it failed, or that there was no memory for it."""
    try:
        yield
    except SwiftsegError as error:
        job.outcome = error
    except Exception as error:
        if not ran_out(error):
            raise
        job.outcome = SwiftsegError(f"{job.source.given}: {NO_MEMORY}")


def _looked_at(segmenter: Segmenter, source: Source, outputs: Outputs) -> _Work:
    """Read a file's header; where it cannot be read, reading the image says why."""
    if is_web_address(source.given):  # of a size that is known when it is fetched
        return _Work(source, is_large=left_by_limit() is not None)
    path = Path(source.given)
    if outputs.overwrite(path, source.name):
        problem = "its own output would overwrite it; choose another folder with --out"
        return _Work(source, outcome=SwiftsegError(f"{source.given}: {problem}"))
    try:
        size_hw = picture_hw(path)
    except MissingExtraError as error:
        return _Work(source, outcome=error)
    except Exception:  # whatever a decoder raises costs this image alone
        return _Work(source)
    in_windows = needs_windows(segmenter, size_hw)
    needed = picture_bytes(segmenter, outputs.kinds, size_hw, in_windows=in_windows)
    is_large = size_hw[0] * size_hw[1] >= LARGE_PIXELS or not fits_limit(AT_ONCE * needed)
    return _Work(
        source, size_hw=size_hw, needed_bytes=needed, is_large=is_large, in_windows=in_windows
    )


def _prepared(segmenter: Segmenter, job: _Work) -> _Work:
    """Read an image to what the network sees; one that is gone over in windows is read later."""
    if job.outcome is not None:
        return job
    try:
        if job.is_large:
            check_limit(job.source.given, job.size_hw, job.needed_bytes)
        if not job.in_windows:
            job.image = segmenter.prepare(job.source.given)
    except SwiftsegError as error:
        job.outcome = error
    except Exception as error:  # whatever a decoder raises costs this image alone
        problem = NO_MEMORY if ran_out(error) else f"cannot be read ({unexpected(error)})"
        job.outcome = SwiftsegError(f"{job.source.given}: {problem}")
    return job


def _large(
    segmenter: Segmenter, source: Source, outputs: Outputs, progress: LateProgress
) -> Prediction:
    """Label a picture that is not held as a whole, and write its files."""
    if "probs" in outputs.kinds:
        raise SwiftsegError(
            f"{source.given}: too large for --save probs, which holds all classes of every pixel"
        )
    path = outputs.path("labels", source.name, LABEL_TIFF)
    with TemporaryDirectory(prefix="swiftseg-") as folder:
        out = path if "labels" in outputs.kinds else Path(folder) / path.name
        found = label_large(
            segmenter,
            source.given,
            out,
            lambda done, total: progress.note(f"{source.name}: tile {done} of {total}"),
        )
    prediction = Prediction(source.given, "image", found.tile_hw, found.size_hw, num_frames=1)
    prediction.pixels = found.pixels
    if "labels" in outputs.kinds:
        prediction.files["labels"] = str(path)
    if "overlay" in outputs.kinds:
        pixels = sum(found.pixels.values())
        shares = {name: count / pixels for name, count in found.pixels.items()}
        labels = segmenter.spec.labels
        prediction.files |= outputs.write_picture(source.name, found.overlay, labels, shares)
    return prediction


def _written(
    job: _Work, result: Segmentation, outputs: Outputs, segmenter: Segmenter
) -> Prediction:
    is_tiled = job.image is not None and job.image.batch is None
    prediction = Prediction(job.source.given, "image", segmenter.tile_hw if is_tiled else None)
    prediction.add(result)
    path = Path(job.source.given)
    place = geo_tags(path) if has_geo_tags(path) else ()
    prediction.files |= outputs.write_arrays(job.source.name, result, place)
    prediction.files |= outputs.write_overlay(job.source.name, result)
    return prediction
