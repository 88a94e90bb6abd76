"""How many bytes does a pixel take while `swiftseg predict` works on its picture or its video?

    python benchmarks/pixel_memory.py            to results/pixel_memory.json
    python benchmarks/pixel_memory.py png jpeg   rows that begin so; the others stay

Told is the peak of a process beside that of one with a tiny picture, by the pixels of a picture:
one picture alone on its way, and many that are just not large enough to be worked on alone. A
memory limit (`swiftseg.core.memory_limit`) counts with these figures, rounded up.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from peak_memory import MODEL, measured
from PIL import Image

from swiftseg.benchmarking.machine import describe_machine
from swiftseg.inference.video_writer import writing_video

RESULT = Path(__file__).parent / "results/pixel_memory.json"
ALONE_HW, MANY_HW, TINY_HW = (6000, 10000), (3000, 4000), (36, 48)
MANY = 10
VIDEO_ALONE_HW, VIDEO_MANY_HW, FRAMES = (4320, 7680), (2160, 3840), 16
SEED = 0


def picture(size_hw: tuple[int, int], mode: str) -> Image.Image:
    """Draw soft noise, which codecs neither shrink to nothing nor find hard."""
    small = np.random.default_rng(SEED).integers(0, 256, (60, 100, 3), dtype=np.uint8)
    image = Image.fromarray(small).resize((size_hw[1], size_hw[0]), Image.Resampling.BILINEAR)
    if mode != "I;16":
        return image.convert(mode)
    return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 200)


def write_video(path: Path, size_hw: tuple[int, int]) -> None:
    frame = np.asarray(picture(size_hw, "RGB"))
    with writing_video(path, fps=Fraction(25)) as writer:
        for index in range(FRAMES):
            writer.write(np.roll(frame, 8 * index, axis=1), index / 25)


PICTURES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "jpeg": (".jpg", "RGB", {}),
    "jpeg progressive": (".jpg", "RGB", {"progressive": True}),
    "png": (".png", "RGB", {"compress_level": 1}),
    "png alpha": (".png", "RGBA", {"compress_level": 1}),
    "png 16 bit": (".png", "I;16", {"compress_level": 1}),
    "tiff": (".tif", "RGB", {"compression": "tiff_lzw"}),
    "webp": (".webp", "RGB", {"method": 0}),
    "jpeg 2000": (".jp2", "RGB", {"irreversible": True, "quality_layers": [20]}),
}


def peak_mb(folder: Path, given: str, save: str = "overlay,labels") -> float:
    found = measured(("predict", given, "--model", MODEL, "--save", save), folder)
    if found["exit_code"]:
        raise SystemExit(f"{found['command']} ended with {found['exit_code']}")
    peak = found["peak_mb"]
    assert isinstance(peak, int)
    return peak * 2**20 / 1e6


def pixel_bytes(
    write: Callable[[Path], str], size_hw: tuple[int, int], base_mb: float, **options: str
) -> float:
    """Return how many bytes a pixel takes beside what a tiny picture or video does."""
    with tempfile.TemporaryDirectory() as name:
        given = write(Path(name))
        peak = peak_mb(Path(name), given, **options)
    return round((peak - base_mb) * 1e6 / (size_hw[0] * size_hw[1]), 1)


def picture_row(name: str) -> dict[str, float]:
    suffix, mode, options = PICTURES[name]

    def alone(size_hw: tuple[int, int]) -> Callable[[Path], str]:
        def write(folder: Path) -> str:
            picture(size_hw, mode).save(folder / f"a{suffix}", **options)
            return f"a{suffix}"

        return write

    def many(folder: Path) -> str:
        (folder / "in").mkdir()
        picture(MANY_HW, mode).save(folder / f"in/0{suffix}", **options)
        for index in range(1, MANY):
            (folder / f"in/{index}{suffix}").hardlink_to(folder / f"in/0{suffix}")
        return "in"

    base = pixel_bytes(alone(TINY_HW), (1000, 1000), 0)
    row = {"base_mb": base, "alone": pixel_bytes(alone(ALONE_HW), ALONE_HW, base)}
    return row | {"at_once": pixel_bytes(many, MANY_HW, base)}


def video_row(name: str) -> dict[str, float]:
    del name

    def video(size_hw: tuple[int, int]) -> Callable[[Path], str]:
        def write(folder: Path) -> str:
            write_video(folder / "a.mp4", size_hw)
            return "a.mp4"

        return write

    base = pixel_bytes(video(TINY_HW), (1000, 1000), 0)
    row = {"base_mb": base, "alone": pixel_bytes(video(VIDEO_ALONE_HW), VIDEO_ALONE_HW, base)}
    return row | {"at_once": pixel_bytes(video(VIDEO_MANY_HW), VIDEO_MANY_HW, base)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("beginnings", nargs="*", default=[""])
    beginnings: list[str] = parser.parse_args().beginnings
    rows = json.loads(RESULT.read_text())["rows"] if RESULT.is_file() else {}
    for name in (*PICTURES, "video"):
        if name.startswith(tuple(beginnings)):
            rows[name] = video_row(name) if name == "video" else picture_row(name)
            print(name, rows[name], flush=True)
            report = {
                "command": "python benchmarks/pixel_memory.py",
                "machine": describe_machine().model_dump(),
                "rows": rows,
            }
            RESULT.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
