"""A drive down the toy street, segmented and scored."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from swiftseg.core import Sample
from swiftseg.core.files import replacing, save_picture
from swiftseg.core.progress import LateProgress
from swiftseg.data.toy_street import render_clip
from swiftseg.evaluation import Evaluation
from swiftseg.inference import Segmentation, Segmenter
from swiftseg.render import with_legend

CLIP_SEED = 1  # a street with a bit of everything
ANIMATION = "toystreet.webp"
FRAME_MS = 1000 // 12
WEBP_QUALITY = 80


@dataclass(frozen=True)
class DemoRun:
    """What a demo has measured and written.

    Attributes:
        evaluation: The clip's confusion matrix.
        timings_ms: p50 and p95 over the frames, by stage and for the whole way (`total`).
    """

    model: str
    size_hw: tuple[int, int]
    evaluation: Evaluation
    timings_ms: dict[str, dict[str, float]]
    overlays: Path
    animation: Path

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {
            "model": self.model,
            "size_hw": list(self.size_hw),
            **self.evaluation.to_dict(),
            "timings_ms": self.timings_ms,
            "overlays": str(self.overlays),
            "animation": str(self.animation),
        }


def run_demo(segmenter: Segmenter, out: Path, num_frames: int) -> DemoRun:
    """Render, segment, score and write a clip at the network's own size.

    Raises:
        SwiftsegError: A file cannot be written.
    """
    size_hw = segmenter.spec.input.size_hw
    with LateProgress("driving down the toy street") as progress:
        progress.expect(2 * num_frames)
        clip = render_clip(CLIP_SEED, num_frames, size_hw)
        segmenter(clip[0].image)  # the first call also sets the engine up, so it is not timed
        segmentations: list[Segmentation] = []
        for sample in clip:
            segmentations.append(segmenter(sample.image))
            progress.advance()
        for sample, segmentation in zip(clip, segmentations, strict=True):
            save_picture(out / "overlay" / f"{sample.name}.png", segmentation.overlay())
            progress.advance()
        save_animation(out / ANIMATION, segmentations)
    return DemoRun(
        model=segmenter.spec.name,
        size_hw=size_hw,
        evaluation=score(clip, segmentations),
        timings_ms=percentiles_ms([result.timings_ms for result in segmentations]),
        overlays=out / "overlay",
        animation=out / ANIMATION,
    )


def score(clip: Sequence[Sample], segmentations: Sequence[Segmentation]) -> Evaluation:
    """Score all frames of a clip."""
    evaluation = Evaluation(segmentations[0].labels)
    for sample, segmentation in zip(clip, segmentations, strict=True):
        evaluation.add(segmentation.label_map, sample.mask)
    return evaluation


def percentiles_ms(timings_ms: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Take p50 and p95 of each stage and of each frame's total."""
    columns = {stage: [times[stage] for times in timings_ms] for stage in timings_ms[0]}
    columns["total"] = [sum(times.values()) for times in timings_ms]
    return {
        stage: {f"p{percent}": float(np.percentile(times, percent)) for percent in (50, 95)}
        for stage, times in columns.items()
    }


def save_animation(path: Path, segmentations: Sequence[Segmentation]) -> None:
    """Write the frames beside their overlays, a legend beneath, as an animated WebP.

    WebP is a third of a GIF's size here and keeps the colors, which a GIF's 256 do not.

    Raises:
        SwiftsegError: The file cannot be written.
    """
    panels = [
        with_legend(np.hstack((result.image, result.overlay())), result.labels)
        for result in segmentations
    ]
    first, *others = [Image.fromarray(panel) for panel in panels]
    with replacing(path) as temporary:
        first.save(
            temporary,
            format="WEBP",
            save_all=True,
            append_images=others,
            duration=FRAME_MS,
            loop=0,
            quality=WEBP_QUALITY,
        )
