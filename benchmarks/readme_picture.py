"""Draws the picture of the README: a drive down the toy street beside what the model sees.

    python benchmarks/readme_picture.py

It is the clip of `swiftseg demo`, every other frame, small enough for a web page.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from swiftseg.core.files import replacing
from swiftseg.data.toy_street import render_clip
from swiftseg.inference import Segmenter
from swiftseg.prediction.street_demo import CLIP_SEED, FRAME_MS
from swiftseg.render import with_legend

PICTURE = Path(__file__).parents[1] / "docs/images/toystreet.webp"
MODEL = "enet-toystreet"
NUM_FRAMES, STEP = 48, 2
WEBP_QUALITY = 60  # below it the noise of the frames turns into blocks


def draw() -> list[Image.Image]:
    """Renders and segments the clip; each picture is a frame beside its overlay."""
    segmenter = Segmenter.load(MODEL)
    clip = render_clip(CLIP_SEED, NUM_FRAMES, segmenter.spec.input.size_hw)
    results = [segmenter(sample.image) for sample in clip[::STEP]]
    return [
        Image.fromarray(with_legend(np.hstack((result.image, result.overlay())), result.labels))
        for result in results
    ]


def save(pictures: list[Image.Image], path: Path) -> None:
    first, *others = pictures
    with replacing(path) as temporary:
        first.save(
            temporary,
            format="WEBP",
            save_all=True,
            append_images=others,
            duration=STEP * FRAME_MS,
            loop=0,
            quality=WEBP_QUALITY,
        )


if __name__ == "__main__":
    save(draw(), PICTURE)
    print(f"wrote {PICTURE}, {PICTURE.stat().st_size / 1000:.0f} kB")
