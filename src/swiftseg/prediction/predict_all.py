"""Each source segmented and its outputs written."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.core.memory_limit import memory_limit
from swiftseg.core.progress import LateProgress
from swiftseg.inference import Segmenter
from swiftseg.prediction.images import segment_images
from swiftseg.prediction.memory_needs import warm_up
from swiftseg.prediction.outputs import Kind, Outputs, Prediction, Run, kind_folders, parse_kinds
from swiftseg.prediction.sources import Source, check_writable, find_sources
from swiftseg.weights import DEFAULT_MODEL

DEFAULT_FOLDER = "predictions"
DEFAULT_KINDS: tuple[Kind, ...] = ("overlay", "labels")


def predict_images(
    images: Sequence[Path | str] | Path | str,
    *,
    model: Segmenter | Path | str = DEFAULT_MODEL,
    out: Path | str = DEFAULT_FOLDER,
    save: Sequence[Kind] | str = DEFAULT_KINDS,
    max_memory_bytes: int | None = None,
) -> Run:
    """Label every pixel of images, and write the outputs in `save`.

    Args:
        images: Files, folders (searched with their subfolders) and globs, or one of them.
        model: A segmenter, or what `Segmenter.load` takes.
        out: The folder for labels/NAME.png, overlay/NAME.jpg and probs/NAME.npy.
        save: Any of `overlay`, `labels` and `probs`, as a list or with commas between.
        max_memory_bytes: As `predict_all` takes it.

    Returns:
        One prediction per image, and the failures; an unreadable image does not stop the others.

    Raises:
        UsageError: An input is a video, or an output unknown.
        SwiftsegError: An input does not exist, the model cannot be run, or `out` not be written.
    """
    given = [images] if isinstance(images, Path | str) else images
    outputs = Outputs(Path(out), parse_kinds(save))
    sources = find_sources([str(image) for image in given], leave_out=kind_folders(outputs.folder))
    for source in sources:
        if source.is_video:
            raise UsageError(f"{source.given} is a video; label it with predict_video")
    segmenter = _opened(model)
    check_ready(segmenter, sources, outputs.folder, max_memory_bytes)
    return predict_all(segmenter, sources, outputs, max_memory_bytes=max_memory_bytes)


def predict_video(
    video: Path | str,
    *,
    model: Segmenter | Path | str = DEFAULT_MODEL,
    out: Path | str = DEFAULT_FOLDER,
    save: Sequence[Kind] | str = DEFAULT_KINDS,
    smooth: float = 0.0,
    reconnect_s: float = 0.0,
    max_memory_bytes: int | None = None,
) -> Prediction:
    """Label every frame of a video, and write the outputs in `save`.

    Args:
        video: A file, an address (rtsp, http), or a camera such as `camera:0`.
        model: A segmenter, or what `Segmenter.load` takes.
        out: The folder for overlay/NAME.mp4, and for labels/NAME/ and probs/NAME/ with a file a
            frame.
        save: Any of `overlay`, `labels` and `probs`, as a list or with commas between.
        smooth: The average over time against flicker, 0 (off) to below 1.
        reconnect_s: How many seconds a dropped RTSP stream is tried again for.
        max_memory_bytes: As `predict_all` takes it.

    Raises:
        MissingExtraError: PyAV is not installed.
        UsageError: The input is not a video, an output unknown, or `smooth` outside its range.
        SwiftsegError: The video cannot be opened or holds no frame, or the model cannot be run.
    """
    [source] = find_sources([str(video)])
    if not source.is_video:
        raise UsageError(f"{source.given} is not a video; label images with predict_images")
    outputs = Outputs(Path(out), parse_kinds(save))
    segmenter = _opened(model)
    check_ready(segmenter, [source], outputs.folder, max_memory_bytes)
    run = predict_all(
        segmenter,
        [source],
        outputs,
        smooth=smooth,
        reconnect_s=reconnect_s,
        max_memory_bytes=max_memory_bytes,
    )
    if run.failures:
        raise SwiftsegError(run.failures[0][1])
    return run.predictions[0]


def check_ready(
    segmenter: Segmenter, sources: Sequence[Source], folder: Path, max_memory_bytes: int | None
) -> None:
    """Raise where nothing can be labeled; make the folder, and load all that is loaded but once.

    Raises:
        UsageError: The limit does not go with the segmenter's `fit`.
        SwiftsegError: The model fills the limit, or the folder cannot be written to.
    """
    if max_memory_bytes is not None:
        has_videos = any(source.is_video for source in sources)
        warm_up(segmenter, max_memory_bytes, has_videos=has_videos)
    check_writable(folder)


def predict_all(
    segmenter: Segmenter,
    sources: Sequence[Source],
    outputs: Outputs,
    *,
    smooth: float = 0.0,
    reconnect_s: float = 0.0,
    shows: bool = False,
    skips_existing: bool = False,
    max_memory_bytes: int | None = None,
    on_prediction: Callable[[Prediction], None] | None = None,
) -> Run:
    """Segment every source and write its outputs; an unreadable one is noted and passed over.

    Args:
        segmenter: Labels the frames.
        sources: In the order in which they are worked through.
        outputs: What is written.
        smooth: As `predict_video` takes it.
        reconnect_s: As `predict_video` takes it.
        shows: Whether a window shows videos as they are segmented.
        skips_existing: Leave out images all of whose outputs are there already.
        max_memory_bytes: What this process may hold, see `check_ready`; what might take more is
            noted as a failure before it is decoded. None sets no limit.
        on_prediction: Is handed each prediction once its files are written.
    """

    def outcomes() -> Iterator[tuple[Source, Prediction | SwiftsegError]]:
        for is_video, group in groupby(sources, key=lambda source: source.is_video):
            if not is_video:
                yield from segment_images(segmenter, list(group), outputs, progress)
                continue
            from swiftseg.prediction.videos import segment_video

            for source in group:
                smoothed = segmenter.smoothed(smooth) if smooth else segmenter
                try:
                    outcome = segment_video(
                        smoothed, source, outputs, progress, reconnect_s=reconnect_s, shows=shows
                    )
                except SwiftsegError as error:
                    outcome = error
                yield source, outcome

    run = Run()
    outputs.mark()
    if skips_existing:
        pending = [one for one in sources if one.is_video or not outputs.are_written(one.name)]
        run.skipped, sources = len(sources) - len(pending), pending
    unit = "frames" if any(source.is_video for source in sources) else "images"
    with memory_limit(max_memory_bytes), LateProgress(unit) as progress:
        progress.expect(sum(not source.is_video for source in sources))
        try:
            for source, outcome in outcomes():
                if isinstance(outcome, SwiftsegError):
                    run.failures.append((source.told, str(outcome)))
                    continue
                run.predictions.append(outcome)
                if on_prediction is not None:
                    on_prediction(outcome)
                if outcome.interrupted:
                    raise KeyboardInterrupt
        except KeyboardInterrupt:
            run.interrupted = True
    return run


def _opened(model: Segmenter | Path | str) -> Segmenter:
    return model if isinstance(model, Segmenter) else Segmenter.load(model)
