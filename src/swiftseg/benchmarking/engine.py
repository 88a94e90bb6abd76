"""What a process of its own measures of an exported model; plain values in and out.

Everything goes through `Segmenter`, as a user's program does. The module imports nothing heavy at
its top: that belongs to the start-up time.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from swiftseg.benchmarking.held_memory import peak_mb
from swiftseg.benchmarking.timing import WARM_UP_SHARE, repeat

if TYPE_CHECKING:
    import numpy as np

    from swiftseg.inference import Segmenter

READ, COLOR = "read", "color"  # the first stage and the last; between them lies frame to labels


def measure_frames(
    model: str,
    image: str,
    backend: str,
    precision: str,
    threads: int,
    seconds: float,
    started_ns: int,
    device: str | None = None,
) -> dict[str, Any]:
    """Measure one frame after the other, from an image file to its overlay.

    The model is loaded as `Segmenter.load` does, and the process began at `started_ns`.

    Returns:
        `total_ms`, milliseconds of every repeat from frame to labels; `stages_ms`, those of every
        stage from the file to the overlay; `startup_ms`; `peak_mb`.
    """
    segmenter = load(model, backend=backend, precision=precision, threads=threads, device=device)
    return frame_times(segmenter, image, seconds=seconds, started_ns=started_ns)


def frame_times(
    segmenter: "Segmenter", image: str, *, seconds: float, started_ns: int
) -> dict[str, Any]:
    """Measure a segmenter that was loaded right now; see `measure_frames`."""
    segmenter(image)
    startup_ms = (time.time_ns() - started_ns) / 1e6
    repeats = repeat(lambda: _stages_ms(segmenter, image), seconds=seconds)
    return {
        "total_ms": [sum(one.values()) - one[READ] - one[COLOR] for one in repeats],
        "stages_ms": {stage: [one[stage] for one in repeats] for stage in repeats[0]},
        "startup_ms": startup_ms,
        "peak_mb": peak_mb(),
    }


def _stages_ms(segmenter: "Segmenter", image: str) -> dict[str, float]:
    """Time one frame, stage by stage."""
    segmentation = segmenter(image)
    begin = time.perf_counter()
    segmentation.overlay()
    return {**segmentation.timings_ms, COLOR: 1000 * (time.perf_counter() - begin)}


def measure_streams(
    model: str,
    image: str,
    backend: str,
    precision: str,
    threads: int,
    streams: int,
    seconds: float,
    device: str | None = None,
) -> float:
    """Return frames a second, from frame to labels, with `streams` frames in flight.

    Every stream has a loaded model and a share of the threads of its own.
    """
    from swiftseg.data.images.image_file import read_image

    frame = read_image(image)
    own_threads = max(1, threads // streams)
    segmenters = [
        load(model, backend=backend, precision=precision, threads=own_threads, device=device)
        for _ in range(streams)
    ]

    with ThreadPoolExecutor(streams) as pool:

        def count_frames(seconds: float) -> list[tuple[int, float]]:
            work = [pool.submit(_count_frames, one, frame, seconds) for one in segmenters]
            return [stream.result() for stream in work]

        count_frames(seconds * WARM_UP_SHARE)
        return sum(count / elapsed_s for count, elapsed_s in count_frames(seconds))


def label_map_of(
    model: str, image: str, backend: str, precision: str, threads: int, out: str
) -> None:
    """Write the label map uint8 (H, W) of an image as a .npy file, to compare it with others."""
    import numpy as np

    segmenter = load(model, backend=backend, precision=precision, threads=threads)
    np.save(out, segmenter(image).label_map)


def load(
    model: str, *, backend: str, precision: str, threads: int, device: str | None = None
) -> "Segmenter":
    """Load a model as a user does."""
    from swiftseg.inference import Segmenter

    return Segmenter.load(
        model, backend=backend, precision=precision, threads=threads, device=device
    )


def _count_frames(segmenter: "Segmenter", frame: "np.ndarray", seconds: float) -> tuple[int, float]:
    """Segment frames for a while, one at least; return how many, and the seconds they took."""
    begin = time.perf_counter()
    count, elapsed_s = 0, 0.0
    while elapsed_s < seconds or not count:
        segmenter(frame)
        count, elapsed_s = count + 1, time.perf_counter() - begin
    return count, elapsed_s
