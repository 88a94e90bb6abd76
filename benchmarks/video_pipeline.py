"""How near does `swiftseg predict VIDEO` come to its slowest stage? Must: 85 %, goal: 95 %.

    python benchmarks/video_pipeline.py [--model NAME] [--size HxW] [--threads N]

Draws a street clip, exports a network at its size, and measures in one process, in turn: every
stage alone over all frames (decode, segment, draw, encode), and the whole of them as `predict` runs
it. The bound is the slowest stage's frames a second. Stages share the processor's cores, so the
processor time of all stages together is a second bound, told beside it: no pipeline gets more than
all cores' time. Writes results/video_pipeline.json.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import av

from swiftseg.benchmarking import torch_networks
from swiftseg.benchmarking.machine import describe_machine
from swiftseg.core.fresh_process import run_in_process
from swiftseg.core.progress import LateProgress
from swiftseg.data.toy_street import render_clip
from swiftseg.inference import Segmenter
from swiftseg.inference.video import reading_video
from swiftseg.inference.video_overlay import overlay_frame
from swiftseg.inference.video_writer import writing_video
from swiftseg.prediction.outputs import Outputs
from swiftseg.prediction.sources import Source
from swiftseg.prediction.videos import segment_video

RESULT = Path(__file__).parent / "results/video_pipeline.json"
FPS = Fraction(12)
MUST, GOAL = 0.85, 0.95

Times = dict[str, dict[str, float]]


def write_clip(path: Path, frames: int, size_hw: tuple[int, int]) -> None:
    """Encodes a drawn drive with settings of its own: decoding is not to hang on our writer's."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "veryfast"})
        stream.height, stream.width = size_hw
        for sample in render_clip(1, frames, size_hw):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(sample.image, format="rgb24")))
        container.mux(stream.encode(None))


def measure_stages(segmenter: Segmenter, clip: Path) -> Times:
    """Runs each stage alone over the clip; gives wall and processor milliseconds a frame."""
    times: Times = {}
    with reading_video(clip) as video:
        frames = _timed(times, "decode", lambda: list(video.frames()))
    images = [frame.image for frame in frames]
    results = _timed(times, "segment", lambda: [segmenter(image) for image in images])
    pictures = _timed(
        times,
        "draw",
        lambda: [
            overlay_frame(frame, result.label_map, result.labels)
            for frame, result in zip(frames, results, strict=True)
        ],
    )

    def encode() -> None:
        with writing_video(clip.with_name("alone.mp4"), fps=FPS) as writer:
            for frame, picture in zip(frames, pictures, strict=True):
                writer.write(picture, frame.time_s)

    _timed(times, "encode", encode)
    return {
        stage: {name: value / len(frames) for name, value in both.items()}
        for stage, both in times.items()
    }


def measure_pipeline(segmenter: Segmenter, clip: Path, frames: int) -> Times:
    """Runs all stages as `predict` does."""
    times: Times = {}
    outputs = Outputs(clip.parent, ("overlay",))
    source = Source(str(clip), "pipeline", is_video=True)

    def run() -> None:
        with LateProgress("frames") as progress:
            assert segment_video(segmenter, source, outputs, progress).num_frames == frames

    _timed(times, "pipeline", run)
    return {"pipeline": {name: value / frames for name, value in times["pipeline"].items()}}


def _timed(times: Times, stage: str, work: Callable[[], Any]) -> Any:
    wall, processor = perf_counter(), process_time()
    result = work()
    times[stage] = {
        "wall_ms": 1000 * (perf_counter() - wall),
        "processor_ms": 1000 * (process_time() - processor),
    }
    return result


def summary(passes: list[Times], cpus: int) -> dict[str, Any]:
    """Takes medians over the passes, and quotients within each."""
    names = passes[0]
    stages = {
        name: {
            part: median(one[name][part] for one in passes) for part in ("wall_ms", "processor_ms")
        }
        for name in names
    }
    shares, cores, gains = [], [], []
    for one in passes:
        alone = {name: row for name, row in one.items() if name != "pipeline"}
        pipeline_ms = one["pipeline"]["wall_ms"]
        shares.append(max(row["wall_ms"] for row in alone.values()) / pipeline_ms)
        cores.append(sum(row["processor_ms"] for row in alone.values()) / cpus / pipeline_ms)
        gains.append(sum(row["wall_ms"] for row in alone.values()) / pipeline_ms)
    slowest = max((name for name in stages if name != "pipeline"), key=_wall_ms_of(stages))
    return {
        "ms_a_frame": stages,
        "pipeline_fps": 1000 / stages["pipeline"]["wall_ms"],
        "slowest_stage": slowest,
        "slowest_stage_fps": 1000 / stages[slowest]["wall_ms"],
        "share_of_slowest_stage": median(shares),
        "share_of_all_cores": median(cores),
        "times_faster_than_one_after_the_other": median(gains),
        "must": MUST,
        "goal": GOAL,
    }


def _wall_ms_of(stages: Times) -> Callable[[str], float]:
    return lambda name: stages[name]["wall_ms"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="enet-camvid", help="weights, checkpoint or network")
    parser.add_argument("--size", default="512x1024", metavar="HxW")
    parser.add_argument("--frames", type=int, default=96)
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--threads", type=int, help="for one frame [one per physical core]")
    parser.add_argument("--out", type=Path, default=RESULT)
    given = parser.parse_args()
    machine = describe_machine()
    height, width = map(int, given.size.split("x"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run_in_process(
            torch_networks.export,
            model=given.model,
            size_hw=(height, width),
            num_classes=19,
            output="labels",
            out=str(folder / "m.onnx"),
        )
        clip = folder / "clip.mp4"
        write_clip(clip, given.frames, (height, width))
        segmenter = Segmenter.load(folder / "m.onnx", threads=given.threads)
        measure_pipeline(segmenter, clip, given.frames)  # warms all up
        passes = [
            measure_stages(segmenter, clip) | measure_pipeline(segmenter, clip, given.frames)
            for _ in range(given.passes)
        ]
    result = {
        "command": "python benchmarks/video_pipeline.py",
        "model": given.model,
        "size_hw": [height, width],
        "frames": given.frames,
        "threads": given.threads or machine.cores,
        "machine": machine.model_dump(),
        **summary(passes, machine.cpus),
        "passes": passes,
    }
    given.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps({name: value for name, value in result.items() if name != "passes"}, indent=2))


if __name__ == "__main__":
    main()
