"""From models to measurements: frames are drawn, processes take turns, samples are summed up."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from PIL import Image

from swiftseg.benchmarking.alternation import Turn, alternate
from swiftseg.benchmarking.benchmark_report import Conditions, Measurement, Spread, Throughput
from swiftseg.benchmarking.engine import measure_frames, measure_streams
from swiftseg.core.files import replacing

FRAME_TO_LABELS = "frame to labels"

JPEG_QUALITY = 90


@dataclass(frozen=True)
class Candidate:
    """One way to run one network, to be measured.

    Attributes:
        function: Measures in a process of its own: takes `arguments`, `image` (a JPEG of the size
            that `describes` tells), `threads` and `seconds`; gives `total_ms`, `stages_ms` by
            stage, and perhaps `startup_ms` and `peak_mb`, as `measure_frames` does.
        arguments: See there.
        describes: Fields of the `Measurement`, but for threads and times.
        stream_counts: For which numbers of frames in flight the throughput is measured, with
            `measure_streams` and the same arguments.
    """

    function: Callable[..., dict[str, Any]]
    arguments: Mapping[str, Any]
    describes: Mapping[str, Any]
    stream_counts: Sequence[int] = field(default=())


def street_image(size_hw: tuple[int, int], path: Path) -> Path:
    """Draw a street scene as a JPEG of that size, with the edges and noise that streets have."""
    from swiftseg.data.toy_street import ToyStreet

    frame = ToyStreet("test", 1, size_hw)[0].image
    with replacing(path) as temporary:
        Image.fromarray(frame).save(temporary, format="JPEG", quality=JPEG_QUALITY)
    return path


def engine_candidate(
    model: Path | str,
    *,
    backend: str,
    precision: str = "f32",
    device: str | None = None,
    describes: Mapping[str, Any],
    stream_counts: Sequence[int] = (),
) -> Candidate:
    """Make the candidate of an exported file in one of our engines."""
    arguments: dict[str, Any] = {"model": str(model), "backend": backend, "precision": precision}
    if device is not None:
        arguments["device"] = device
    told = {
        "way": f"{backend} on {device}" if device else backend,
        "precision": precision,
        "scope": FRAME_TO_LABELS,
        **describes,
    }
    return Candidate(measure_frames, arguments, told, stream_counts)


def measure_candidates(
    candidates: Sequence[Candidate],
    *,
    threads: int,
    settings: Conditions,
    on_run: Callable[[Turn], None] | None = None,
) -> list[Measurement]:
    """Measure all of them, in turns, and return the results in the same order.

    Raises:
        SwiftsegError: One of them fails.
    """
    with tempfile.TemporaryDirectory(prefix="swiftseg-") as folder:
        jobs = [
            job
            for index, candidate in enumerate(candidates)
            for job in _jobs(str(index), candidate, Path(folder), threads, settings.seconds)
        ]
        results = alternate(jobs, passes=settings.passes, on_run=on_run)
    return [
        _measurement(str(index), candidate, results, threads)
        for index, candidate in enumerate(candidates)
    ]


def count_jobs(candidates: Sequence[Candidate], settings: Conditions) -> int:
    """Count the processes that `measure_candidates` starts, for a progress bar."""
    return settings.passes * sum(1 + len(candidate.stream_counts) for candidate in candidates)


def _jobs(
    name: str, candidate: Candidate, folder: Path, threads: int, seconds: float
) -> Iterator[Turn]:
    height, width = candidate.describes["size_hw"]
    image = folder / f"{height}x{width}.jpg"
    if not image.exists():
        street_image((height, width), image)
    arguments = {
        **candidate.arguments,
        "image": str(image),
        "threads": threads,
        "seconds": seconds,
    }
    yield Turn(name, candidate.function, arguments)
    for streams in candidate.stream_counts:
        yield Turn(_streams(name, streams), measure_streams, {**arguments, "streams": streams})


def _streams(name: str, streams: int) -> str:
    return f"{name} in {streams} streams"


def _measurement(
    name: str, candidate: Candidate, results: Mapping[str, list[Any]], threads: int
) -> Measurement:
    passes = results[name]
    stages = {
        stage: Spread.of([one["stages_ms"][stage] for one in passes])
        for stage in passes[0]["stages_ms"]
    }
    throughput = [
        Throughput(streams=streams, fps=median(results[_streams(name, streams)]))
        for streams in candidate.stream_counts
    ]
    peaks_mb = [one["peak_mb"] for one in passes if one.get("peak_mb") is not None]
    startups_ms = [[one["startup_ms"]] for one in passes if "startup_ms" in one]
    return Measurement(
        **candidate.describes,
        threads=threads,
        total_ms=Spread.of([one["total_ms"] for one in passes]),
        stages_ms=stages,
        throughput=throughput,
        startup_ms=Spread.of(startups_ms) if startups_ms else None,
        peak_mb=max(peaks_mb) if peaks_mb else None,
    )
