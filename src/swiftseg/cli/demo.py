"""`swiftseg demo`: a drive down the toy street, segmented and scored."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import numpy as np

    from swiftseg.core import Sample
    from swiftseg.evaluation import Evaluation
    from swiftseg.inference import Segmentation, Segmenter

MODEL = "enet-toystreet"
CLIP_SEED = 1  # a street with a bit of everything
ANIMATION = "toystreet.webp"
FRAME_MS = 1000 // 12
WEBP_QUALITY = 80


def demo(
    out: Annotated[Path, typer.Option(help="Where overlay/ and the animation go.")] = Path("demo"),
    frames: Annotated[int, typer.Option(min=1, help="Length of the clip, 12 a second.")] = 48,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Render a short street clip, segment it, and score it against its exact masks.

    Writes OUT/overlay/NAME.png for every frame and OUT/toystreet.webp, an animation of the frames
    beside their overlays. Needs no data and no torch.
    """
    from swiftseg.inference import Segmenter
    from swiftseg.prediction.sources import check_writable

    segmenter = Segmenter.load(MODEL)
    check_writable(out)
    run = run_demo(segmenter, out, frames)
    if as_json:
        typer.echo(json.dumps(run.to_dict()))
    else:
        print_run(run)


@dataclass(frozen=True)
class DemoRun:
    """What a demo has measured and written.

    Attributes:
        model: The model's name.
        size_hw: Of the frames, in pixels.
        evaluation: The clip's confusion matrix.
        timings_ms: p50 and p95 over the frames, by stage and for the whole way (`total`).
        overlays: The folder of the overlays.
        animation: The animated picture.
    """

    model: str
    size_hw: tuple[int, int]
    evaluation: "Evaluation"
    timings_ms: dict[str, dict[str, float]]
    overlays: Path
    animation: Path

    def to_dict(self) -> dict[str, Any]:
        """Gives plain JSON types."""
        return {
            "model": self.model,
            "size_hw": list(self.size_hw),
            **self.evaluation.to_dict(),
            "timings_ms": self.timings_ms,
            "overlays": str(self.overlays),
            "animation": str(self.animation),
        }


def run_demo(segmenter: "Segmenter", out: Path, num_frames: int) -> DemoRun:
    """Renders, segments, scores and writes a clip at the network's own size.

    Raises:
        SwiftsegError: A file cannot be written.
    """
    from swiftseg.core.progress import LateProgress
    from swiftseg.data.toy_street import render_clip

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


def score(clip: Sequence["Sample"], segmentations: Sequence["Segmentation"]) -> "Evaluation":
    """Scores all frames of a clip."""
    from swiftseg.evaluation import Evaluation

    evaluation = Evaluation(segmentations[0].labels)
    for sample, segmentation in zip(clip, segmentations, strict=True):
        evaluation.add(segmentation.label_map, sample.mask)
    return evaluation


def percentiles_ms(timings_ms: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Takes p50 and p95 of each stage and of each frame's total."""
    import numpy as np

    columns = {stage: [times[stage] for times in timings_ms] for stage in timings_ms[0]}
    columns["total"] = [sum(times.values()) for times in timings_ms]
    return {
        stage: {f"p{percent}": float(np.percentile(times, percent)) for percent in (50, 95)}
        for stage, times in columns.items()
    }


def save_picture(path: Path, image: "np.ndarray") -> None:
    """Writes uint8 (H, W, 3) as PNG. Raises SwiftsegError where it cannot be written."""
    from PIL import Image

    from swiftseg.core.files import replacing

    with replacing(path) as temporary:
        Image.fromarray(image).save(temporary, format="PNG")


def save_animation(path: Path, segmentations: Sequence["Segmentation"]) -> None:
    """Writes the frames beside their overlays, a legend beneath, as an animated WebP.

    WebP is a third of a GIF's size here and keeps the colors, which a GIF's 256 do not.

    Raises:
        SwiftsegError: The file cannot be written.
    """
    import numpy as np
    from PIL import Image

    from swiftseg.core.files import replacing
    from swiftseg.render import with_legend

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


def print_run(run: DemoRun) -> None:
    """Prints scores, times and where the pictures are."""
    from rich.console import Console
    from rich.table import Table

    from swiftseg.cli.score_table import score_table

    console = Console()
    height, width = run.size_hw
    console.print(score_table(run.evaluation, f"{run.model}, {height}x{width}"))
    table = Table("milliseconds a frame", "p50", "p95")
    for stage, times in run.timings_ms.items():
        table.add_row(stage, f"{times['p50']:.2f}", f"{times['p95']:.2f}")
    console.print(table)
    console.print(f"overlays:  {run.overlays}", highlight=False, soft_wrap=True)
    console.print(f"animation: {run.animation}", highlight=False, soft_wrap=True)
