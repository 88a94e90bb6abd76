"""A video through the network: decoded, segmented, drawn and encoded at the same time."""

from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from swiftseg.core import SwiftsegError
from swiftseg.core.files import remove_left
from swiftseg.core.interrupts import Interrupt, first_interrupt_stops
from swiftseg.core.memory_limit import AT_ONCE, check_limit, fits_limit
from swiftseg.core.progress import LateProgress
from swiftseg.inference import Segmentation, Segmenter
from swiftseg.inference.pipeline import WAITING, Pipeline
from swiftseg.inference.sound import sound_of
from swiftseg.inference.video import TimedFrame, Video, reading_video
from swiftseg.inference.video_overlay import overlay_frame
from swiftseg.inference.video_writer import VideoWriter, writing_video
from swiftseg.prediction.memory_needs import frame_bytes
from swiftseg.prediction.outputs import Outputs, Prediction
from swiftseg.prediction.pace import Pace
from swiftseg.prediction.sources import OUTPUT_VIDEO_SUFFIX, Source
from swiftseg.prediction.window import Window, showing

if TYPE_CHECKING:
    import av


@dataclass
class _Frame:
    """A frame on its way."""

    source: TimedFrame
    result: Segmentation
    picture: "av.VideoFrame | None" = None


class _Stages:
    """What happens to a frame, stage by stage; the prediction is right after each frame."""

    def __init__(
        self,
        segmenter: Segmenter,
        outputs: Outputs,
        name: str,
        writer: VideoWriter | None,
        prediction: Prediction,
        *,
        shows: bool,
    ) -> None:
        self.pace = Pace()
        self._segmenter = segmenter
        self._outputs = outputs
        self._name = name
        self._writer = writer
        self._prediction = prediction
        self._draws = shows or writer is not None
        self._numbers = count()

    def segment(self, frame: TimedFrame) -> _Frame:
        image = self._segmenter.prepare(frame.image)
        asked = "probs" in self._outputs.kinds
        return _Frame(frame, self._segmenter.segment(image, with_probabilities=asked))

    def draw(self, frame: _Frame) -> _Frame:
        if self._draws:
            result = frame.result
            frame.picture = overlay_frame(
                frame.source,
                result.label_map,
                result.labels,
                alpha=self._outputs.alpha,
                hide=self._outputs.hide,
                legend=self._outputs.legend,
            )
        name = f"{self._name}/{next(self._numbers):06d}"
        self._outputs.write_arrays(name, frame.result)
        return frame

    def encode(self, frame: _Frame) -> "av.VideoFrame | None":
        """Write a frame's picture, and return it for who shows it; the rest is let go."""
        if self._writer is not None and frame.picture is not None:
            self._writer.write(frame.picture, frame.source.time_s)
        self._prediction.add(frame.result)
        self.pace.tick(perf_counter())
        return frame.picture


def segment_video(
    segmenter: Segmenter,
    source: Source,
    outputs: Outputs,
    progress: LateProgress,
    *,
    reconnect_s: float = 0.0,
    shows: bool = False,
) -> Prediction:
    """Segment a video; what it wrote is whole, also where the video breaks off or Ctrl-C comes.

    Raises:
        SwiftsegError: The video cannot be opened, gave no frame, or takes more than a memory limit.
        KeyboardInterrupt: Ctrl-C came before the first frame was done, or twice.
    """
    prediction = Prediction(source.told, "video")
    prediction.files = {kind: str(outputs.path(kind, source.name)) for kind in outputs.kinds}
    with first_interrupt_stops() as interrupt, ExitStack() as stack:
        window = stack.enter_context(showing(source.given)) if shows else None
        video = stack.enter_context(reading_video(source.given, reconnect_s=reconnect_s))
        needed = frame_bytes(segmenter, outputs.kinds, video.size_hw)
        check_limit(source.told, video.size_hw, needed, also="")
        progress.expect(video.num_frames)
        writer = sound = None
        if "overlay" in outputs.kinds:
            path = outputs.path("overlay", source.name, OUTPUT_VIDEO_SUFFIX)
            sound = stack.enter_context(sound_of(video, source.given))
            writer = stack.enter_context(writing_video(path, fps=video.fps, sound=sound))
            prediction.files["overlay"] = str(path)
        overlap = not video.is_large and fits_limit(AT_ONCE * needed)
        stages = _Stages(segmenter, outputs, source.name, writer, prediction, shows=shows)
        try:
            _run(video, stages, prediction, progress, interrupt, window, overlap=overlap)
        except SwiftsegError as error:
            if prediction.num_frames == 0:
                raise
            prediction.error = str(error)
        if interrupt.came and prediction.num_frames == 0:
            raise KeyboardInterrupt
        prediction.damaged = video.damaged
        prediction.gaps_s = video.gaps_s
        prediction.sound_lost = sound.lost if sound is not None else ""
    if "overlay" in prediction.files:  # whole now, so that no part of it is missed
        remove_left(Path(prediction.files["overlay"]))
    prediction.interrupted = interrupt.came
    return prediction


def _run(
    video: Video,
    stages: _Stages,
    prediction: Prediction,
    progress: LateProgress,
    interrupt: Interrupt,
    window: Window | None,
    *,
    overlap: bool,
) -> None:
    """Send all frames through the stages; fill in the times however it ends."""
    pipeline = Pipeline(
        video.frames(),
        {"segment": stages.segment, "draw": stages.draw, "encode": stages.encode},
        source_name="decode",
        waiting=WAITING if overlap else 1,
        drop_oldest=video.is_live,
        overlap=overlap,
    )

    def stop() -> None:
        video.give_up()
        pipeline.stop()

    interrupt.stop = stop
    try:
        with closing(iter(pipeline)) as frames:
            for picture in frames:
                progress.advance(stages.pace.recent())
                if window is not None and not window.show(picture):
                    stop()
    finally:
        prediction.fps, prediction.p95_ms = stages.pace.fps, stages.pace.p95_ms
        prediction.dropped = pipeline.dropped
        times_ms = pipeline.times_ms
        inside = {name: times for name, times in prediction.timings_ms.items() if name != "read"}
        prediction.timings_ms = {
            "decode": times_ms["decode"],
            **inside,
            "draw": times_ms["draw"],
            "encode": times_ms["encode"],
        }
