"""What `swiftseg predict` tells when it is done: a table, or one JSON object."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import typer
from rich.text import Text

from swiftseg.cli.plain_output import new_table, terminal
from swiftseg.core import LabelSet, ModelSpec
from swiftseg.prediction.outputs import Prediction, Run
from swiftseg.runtimes.base import Engine


def print_table(run: Run, labels: LabelSet, out: Path) -> None:
    """Print the classes' shares over all frames, the times, and where the outputs are."""
    if run.skipped:
        typer.echo(f"{run.skipped} images were done already")
    if not run.predictions:
        return
    table = new_table("", "class", "share", numbers=["share"])
    shares = _shares(run.predictions)
    for name, (red, green, blue) in zip(labels.names, labels.palette, strict=True):
        table.add_row(Text("██", f"rgb({red},{green},{blue})"), name, f"{shares[name]:.1%}")
    if any(prediction.void_pixels for prediction in run.predictions):
        table.add_row("", "void (unsure)", f"{_void_share(run.predictions):.1%}")
    console = terminal()
    console.print(table)
    stages = _stage_medians_ms(run.predictions)
    times = ", ".join(f"{stage} {time_ms:.1f}" for stage, time_ms in stages.items())
    console.print(f"{_counted(run.predictions)}; median ms per frame: {times}")
    # That images were labeled in tiles decides what the network sees.
    tiles = Counter(found.tile_hw for found in run.predictions if found.tile_hw is not None)
    for (height, width), count in tiles.items():
        console.print(
            f"{count} image{'s' * (count > 1)} labeled in tiles of {height}x{width} pixels "
            "(--fit stretch shows them to the network as a whole)"
        )
    console.print(f"written to {out}")


def print_json(run: Run, spec: ModelSpec, engine: Engine) -> None:
    """Print the whole run as one JSON object on stdout."""
    summary = {
        "model": spec.name,
        "backend": engine.backend,
        "precision": engine.precision,
        "classes": list(spec.labels.names),
        "shares": _shares(run.predictions),
        "void_share": _void_share(run.predictions),
        "timings_ms": _stage_medians_ms(run.predictions),
        "results": [as_dict(prediction) for prediction in run.predictions],
        "errors": [{"input": given, "message": message} for given, message in run.errors],
        "skipped": run.skipped,
        "interrupted": run.interrupted,
    }
    typer.echo(json.dumps(summary, indent=2))


def print_errors(run: Run) -> None:
    """Print one line an error on stderr, and how many there were among the rest."""
    for _, message in run.errors:
        typer.echo(f"error: {message}", err=True)
    inputs = len(run.predictions) + len(run.failures)
    if run.errors and inputs > 1:
        typer.echo(f"{len(run.errors)} of {inputs} inputs failed", err=True)


def as_dict(prediction: Prediction) -> dict[str, Any]:
    """Return a prediction as plain JSON types."""
    summary = {
        "input": prediction.source,
        "kind": prediction.kind,
        "size_hw": list(prediction.size_hw),
        "frames": prediction.num_frames,
        "shares": _shares([prediction]),
        "void_share": _void_share([prediction]),
        "timings_ms": _stage_medians_ms([prediction]),
        "files": prediction.files,
    }
    if prediction.kind == "video":
        summary |= {
            "fps": prediction.fps,
            "p95_ms": prediction.p95_ms,
            "dropped": prediction.dropped,
            "damaged": prediction.damaged,
            "gaps_s": prediction.gaps_s,
            "sound_lost": prediction.sound_lost,
        }
    return summary


def _shares(predictions: Sequence[Prediction]) -> dict[str, float]:
    """Return each class's share of all pixels, so that large images count more than small ones."""
    counts: Counter[str] = Counter()
    for prediction in predictions:
        counts.update(prediction.pixels)
    total = counts.total() + sum(prediction.void_pixels for prediction in predictions)
    return {name: count / total for name, count in counts.items()}


def _void_share(predictions: Sequence[Prediction]) -> float:
    void = sum(prediction.void_pixels for prediction in predictions)
    total = void + sum(sum(prediction.pixels.values()) for prediction in predictions)
    return void / total if total else 0.0


def _stage_medians_ms(predictions: Sequence[Prediction]) -> dict[str, float]:
    times: dict[str, list[float]] = {}
    for prediction in predictions:
        for stage, values in prediction.timings_ms.items():
            times.setdefault(stage, []).extend(values)
    return {stage: round(median(values), 3) for stage, values in times.items()}


def _counted(predictions: Sequence[Prediction]) -> str:
    images = sum(prediction.kind == "image" for prediction in predictions)
    videos = [prediction for prediction in predictions if prediction.kind == "video"]
    parts = [f"{images} image{'s' * (images != 1)}"] if images else []
    parts += [f"{video.source}: {_video_facts(video)}" for video in videos]
    return "; ".join(parts)


def _video_facts(video: Prediction) -> str:
    facts = [f"{video.num_frames} frame{'s' * (video.num_frames != 1)}"]
    if video.fps is not None and video.p95_ms is not None:
        facts += [f"{video.fps:.1f} fps", f"p95 {video.p95_ms:.0f} ms"]
    if video.dropped:
        facts.append(f"{video.dropped} dropped to keep up")
    if video.damaged:
        facts.append(f"{video.damaged} damaged packet{'s' * (video.damaged != 1)} passed over")
    if video.gaps_s:
        times = f"{len(video.gaps_s)} time{'s' * (len(video.gaps_s) != 1)}"
        facts.append(f"away {times}, {sum(video.gaps_s):.1f} s in all")
    if video.sound_lost:
        facts.append(f"without its sound ({video.sound_lost})")
    return ", ".join(facts)
