"""A video through the network: decoded, segmented, drawn and encoded at the same time."""

from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import count
from time import perf_counter

import numpy as np

from swiftseg.cli.inputs import Source
from swiftseg.cli.interrupts import Interrupt, first_interrupt_stops
from swiftseg.cli.pace import Pace
from swiftseg.cli.prediction import Outputs, Prediction
from swiftseg.cli.progress import LateProgress
from swiftseg.core import SwiftsegError
from swiftseg.inference import Segmentation, Segmenter
from swiftseg.inference.pipeline import Pipeline
from swiftseg.inference.video import TimedFrame, Video, reading_video
from swiftseg.inference.video_writer import VideoWriter, writing_video
from swiftseg.render import with_legend


@dataclass
class _Frame:
    """A frame on its way."""

    time_s: float
    result: Segmentation
    probs: np.ndarray | None
    picture: np.ndarray | None = None


def predict_video(
    segmenter: Segmenter, source: Source, outputs: Outputs, progress: LateProgress
) -> Prediction:
    """Segments a video; what it wrote is whole, also where the video breaks off or Ctrl-C comes.

    Raises:
        SwiftsegError: The video cannot be opened, or gave no frame.
        KeyboardInterrupt: Ctrl-C came before the first frame was done, or twice.
    """
    prediction = Prediction(source.given, "video")
    prediction.files = {kind: str(outputs.path(kind, source.name)) for kind in outputs.kinds}
    with first_interrupt_stops() as interrupt, ExitStack() as stack:
        video = stack.enter_context(reading_video(source.given))
        progress.expect(video.num_frames)
        writer = None
        if "overlay" in outputs.kinds:
            path = outputs.path("overlay", source.name, ".mp4")
            writer = stack.enter_context(writing_video(path, fps=video.fps))
            prediction.files["overlay"] = str(path)
        try:
            _run(segmenter, video, writer, outputs, source, prediction, progress, interrupt)
        except SwiftsegError as error:
            if prediction.num_frames == 0:
                raise
            prediction.error = str(error)
        if interrupt.came and prediction.num_frames == 0:
            raise KeyboardInterrupt
        prediction.damaged = video.damaged
    prediction.interrupted = interrupt.came
    return prediction


def _run(
    segmenter: Segmenter,
    video: Video,
    writer: VideoWriter | None,
    outputs: Outputs,
    source: Source,
    prediction: Prediction,
    progress: LateProgress,
    interrupt: Interrupt,
) -> None:
    """Fills the prediction frame by frame, so that it is right whenever this ends."""
    numbers = count()
    pace = Pace()

    def segment(frame: TimedFrame) -> _Frame:
        probs = segmenter.probabilities(frame.image) if "probs" in outputs.kinds else None
        return _Frame(frame.time_s, segmenter(frame.image), probs)

    def draw(frame: _Frame) -> _Frame:
        if writer is not None:
            frame.picture = with_legend(frame.result.overlay(), frame.result.labels)
        outputs.write_arrays(f"{source.name}/{next(numbers):06d}", frame.result, frame.probs)
        return frame

    def encode(frame: _Frame) -> None:
        if writer is not None and frame.picture is not None:
            writer.write(frame.picture, frame.time_s)
        prediction.add(frame.result)
        pace.tick(perf_counter())

    stages = {"segment": segment, "draw": draw, "encode": encode}
    pipeline = Pipeline(video.frames(), stages, source_name="decode", drop_oldest=video.is_live)
    interrupt.stop = pipeline.stop
    try:
        with closing(iter(pipeline)) as frames:
            for _ in frames:
                progress.advance(pace.recent())
    finally:
        prediction.fps, prediction.p95_ms = pace.fps, pace.p95_ms
        prediction.dropped = pipeline.dropped
        times_ms = pipeline.times_ms
        inside = {name: times for name, times in prediction.timings_ms.items() if name != "read"}
        prediction.timings_ms = {
            "decode": times_ms["decode"],
            **inside,
            **{name: times_ms[name] for name in ("draw", "encode")},
        }
