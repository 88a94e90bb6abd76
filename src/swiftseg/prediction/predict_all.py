"""The work of `swiftseg predict`: each source segmented and its outputs written."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from swiftseg.core import SwiftsegError
from swiftseg.core.progress import LateProgress
from swiftseg.inference import Segmenter
from swiftseg.prediction.images import predict_images
from swiftseg.prediction.outputs import Outputs, Prediction, Run
from swiftseg.prediction.sources import Source


def predict_all(
    segmenter: Segmenter, sources: Sequence[Source], outputs: Outputs, *, smooth: float = 0.0
) -> Run:
    """Segments every source and writes its outputs; an unreadable one is noted and passed over.

    Args:
        segmenter: Labels the frames.
        sources: In the order in which they are worked through.
        outputs: What is written.
        smooth: Of videos, see `swiftseg.inference.smoothing`.
    """
    run = Run()
    with LateProgress("frames" if any(s.is_video for s in sources) else "images") as progress:
        progress.expect(sum(not source.is_video for source in sources))
        try:
            for source, outcome in _outcomes(segmenter, sources, outputs, smooth, progress):
                if isinstance(outcome, SwiftsegError):
                    run.failures.append((source.given, str(outcome)))
                    continue
                run.predictions.append(outcome)
                if outcome.interrupted:
                    raise KeyboardInterrupt
        except KeyboardInterrupt:
            run.interrupted = True
    return run


def _outcomes(
    segmenter: Segmenter,
    sources: Sequence[Source],
    outputs: Outputs,
    smooth: float,
    progress: LateProgress,
) -> Iterator[tuple[Source, Prediction | SwiftsegError]]:
    for is_video, group in groupby(sources, key=lambda source: source.is_video):
        if not is_video:
            yield from predict_images(segmenter, list(group), outputs, progress)
            continue
        from swiftseg.prediction.videos import predict_video

        for source in group:
            smoothed = segmenter.smoothed(smooth) if smooth else segmenter
            try:
                outcome = predict_video(smoothed, source, outputs, progress)
            except SwiftsegError as error:
                outcome = error
            yield source, outcome
