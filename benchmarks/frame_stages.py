"""What becomes of a frame outside the network: decode, resize, restore, color, blend, write.

    python benchmarks/frame_stages.py [--image FILE --labels FILE] [--seconds S] [--sizes HxW ...]

Measures each stage in up to three ways, in turn in this process: in numpy, as scripts around a
network do it (`usual`), in Pillow, as swiftseg did it at first (`before`), and as it does now
(`now`). All give the same pixels, which is checked. Writes results/frame_stages.json.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image

from swiftseg.benchmarking.machine import describe_machine
from swiftseg.benchmarking.timing import measure_ms
from swiftseg.core import LabelSet
from swiftseg.core.files import replacing
from swiftseg.data.images.image_file import read_image, read_mask
from swiftseg.data.published.camvid import CAMVID_LABELS
from swiftseg.data.toy_street import render_clip
from swiftseg.kernels.resize import resize_frame
from swiftseg.render import colorize, overlay, save_label_map, with_legend
from swiftseg.render.legend import _strip

RESULT = Path(__file__).parent / "results/frame_stages.json"
SIZES = ("360x480", "512x1024", "1024x2048")
QUALITY = 92
PASSES = 3

Way = Callable[[], Any]


def stages(folder: Path, image: np.ndarray, labels: np.ndarray) -> dict[str, dict[str, Way]]:
    """Return each stage's ways; a way returns what can be compared."""
    height, width = labels.shape
    photo, written = folder / "photo.jpg", folder / "labels.png"
    Image.fromarray(image).save(photo, quality=QUALITY)
    image = read_image(photo)
    half_hw, double_hw = (height // 2, width // 2), (2 * height, 2 * width)
    small = np.ascontiguousarray(labels[::2, ::2])

    def written_before() -> np.ndarray:
        with replacing(written) as temporary:
            palette_image(labels).save(temporary, format="PNG")
        return labels

    def written_now() -> np.ndarray:
        save_label_map(written, labels, CAMVID_LABELS)
        return labels

    return {
        "decode a JPEG": {
            "before": lambda: np.array(Image.open(photo).convert("RGB")),
            "now": lambda: read_image(photo),
        },
        "resize to half": {
            "usual": lambda: np.array(
                Image.fromarray(image).resize(half_hw[::-1], Image.Resampling.BILINEAR)
            ),
            "now": lambda: resize_frame(image, half_hw),
        },
        "resize to double": {
            "usual": lambda: np.array(
                Image.fromarray(image).resize(double_hw[::-1], Image.Resampling.BILINEAR)
            ),
            "now": lambda: resize_frame(image, double_hw),
        },
        "labels back to full": {
            "usual": lambda: np.repeat(np.repeat(small, 2, axis=0), 2, axis=1),
            "now": lambda: np.array(
                Image.fromarray(small).resize((width, height), Image.Resampling.NEAREST)
            ),
        },
        "color": {
            "usual": lambda: CAMVID_LABELS.colors[labels],
            "now": lambda: colorize(labels, CAMVID_LABELS),
        },
        "color and blend": {
            "usual": lambda: (0.5 * image + 0.5 * CAMVID_LABELS.colors[labels]).astype(np.uint8),
            "before": lambda: np.array(
                Image.blend(Image.fromarray(image), palette_image(labels).convert("RGB"), 0.5)
            ),
            "now": lambda: overlay(image, labels, CAMVID_LABELS),
        },
        "legend beneath a video frame": {
            "before": lambda: legend_drawn_anew(image, CAMVID_LABELS),
            "now": lambda: with_legend(image, CAMVID_LABELS),
        },
        "write a label map": {
            "before": written_before,
            "now": written_now,
        },
    }


def legend_drawn_anew(image: np.ndarray, labels: LabelSet) -> np.ndarray:
    _strip.cache_clear()
    return with_legend(image, labels)


def palette_image(label_map: np.ndarray) -> Image.Image:
    image = Image.fromarray(label_map)
    image.putpalette(CAMVID_LABELS.colors.tobytes())
    return image


def measure(ways: dict[str, Way], seconds: float) -> dict[str, float]:
    """Times the ways in turn, so that all meet the same weather; checks that they agree."""
    results = {name: way() for name, way in ways.items()}
    for result in results.values():
        np.testing.assert_array_equal(result, results["now"])
    passes = [
        {name: median(measure_ms(way, seconds=seconds)) for name, way in ways.items()}
        for _ in range(PASSES)
    ]
    row = {f"{name}_ms": median(one[name] for one in passes) for name in ways}
    for name in ("usual", "before"):
        if name in ways:
            row[f"{name}_over_now"] = median(one[name] / one["now"] for one in passes)
    return row


def scene(size_hw: tuple[int, int], image: Path | None, labels: Path | None) -> list[np.ndarray]:
    """Return a picture and its label map at a size: the user's, or a drawn street."""
    if image is None or labels is None:
        [sample] = render_clip(1, 1, (360, 480))
        picture, label_map = sample.image, sample.mask
    else:
        picture, label_map = read_image(image), read_mask(labels)
    size = size_hw[::-1]
    label_map[label_map >= len(CAMVID_LABELS)] = 0  # a prediction holds no void
    return [
        np.array(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR)),
        np.array(Image.fromarray(label_map).resize(size, Image.Resampling.NEAREST)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--image", type=Path, help="a picture [a drawn street]")
    parser.add_argument("--labels", type=Path, help="its CamVid label map")
    parser.add_argument("--seconds", type=float, default=0.5, help="of each measurement")
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), metavar="HxW")
    parser.add_argument("--out", type=Path, default=RESULT)
    given = parser.parse_args()
    machine = describe_machine()
    rows: dict[str, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        for size in given.sizes:
            height, width = map(int, size.split("x"))
            image, labels = scene((height, width), given.image, given.labels)
            rows[size] = {
                stage: measure(ways, given.seconds)
                for stage, ways in stages(Path(name), image, labels).items()
            }
    result = {
        "command": "python benchmarks/frame_stages.py",
        "frame": "a drawn street" if given.image is None else given.image.name,
        "machine": machine.model_dump(),
        "seconds": given.seconds,
        "passes": PASSES,
        "sizes": rows,
    }
    given.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    for size, table in rows.items():
        print(f"\n| {size} | usual ms | before ms | now ms | usual / now | before / now |")
        print("| --- | ---: | ---: | ---: | ---: | ---: |")
        for stage, row in table.items():
            columns = ("usual_ms", "before_ms", "now_ms", "usual_over_now", "before_over_now")
            cells = [f"{row[c]:.2f}" if c in row else "" for c in columns]
            print(f"| {stage} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
