"""`swiftseg predict`: label maps and overlays of images, folders, videos and cameras."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swiftseg.cli.options import (
    MODEL_HELP,
    BackendOption,
    CalibrationOption,
    DeviceOption,
    FitOption,
    JsonOption,
    PrecisionOption,
    ThreadsOption,
    parse_memory,
    parse_size,
)
from swiftseg.weights import DEFAULT_MODEL

if TYPE_CHECKING:
    from swiftseg.core import ModelSpec
    from swiftseg.inference import Segmenter
    from swiftseg.prediction.outputs import Prediction, Run

MOST_NAMED = 30  # of a model's classes, in the first line


def predict(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT",
            help="Images, folders, globs, lists, videos, camera:0, URLs.",
            show_default=False,
        ),
    ],
    model: Annotated[str, typer.Option(help=MODEL_HELP)] = DEFAULT_MODEL,
    out: Annotated[Path, typer.Option(help="Folder for labels/, overlay/ and probs/.")] = Path(
        "predictions"
    ),
    save: Annotated[
        str, typer.Option(help="Outputs to write: overlay, labels, probs.")
    ] = "overlay,labels",
    as_json: JsonOption = False,
    json_lines: Annotated[
        bool, typer.Option("--json-lines", help="Print one line of JSON per input when it is done.")
    ] = False,
    skip_existing: Annotated[
        bool, typer.Option("--skip-existing", help="Skip images whose outputs exist.")
    ] = False,
    shard: Annotated[
        str, typer.Option(metavar="I/N", help="Process the I-th of N shares of the inputs.")
    ] = "1/1",
    backend: BackendOption = None,
    precision: PrecisionOption = "f32",
    calibration: CalibrationOption = None,
    threads: ThreadsOption = None,
    device: DeviceOption = None,
    max_memory: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE", help="Most memory to hold, such as 500MB.", show_default="no limit"
        ),
    ] = None,
    fit: FitOption = "auto",
    tile: Annotated[
        str | None,
        typer.Option(metavar="HxW", help="Size of tiles; implies --fit tile."),
    ] = None,
    overlap: Annotated[
        int | None,
        typer.Option(help="Pixels that tiles share; implies --fit tile.", show_default="a third"),
    ] = None,
    smooth: Annotated[
        float,
        typer.Option(help="Smooth labels of videos: 0 (off) to below 1."),
    ] = 0.0,
    reconnect: Annotated[
        float,
        typer.Option(metavar="S", min=0, help="Retry a dropped RTSP stream for S seconds."),
    ] = 30.0,
    show: Annotated[
        bool, typer.Option("--show", help="Show videos in a window; Q closes it.")
    ] = False,
    void_below: Annotated[
        float,
        typer.Option(metavar="P", help="Void for pixels less probable than P."),
    ] = 0.0,
    alpha: Annotated[
        float, typer.Option(min=0, max=1, help="Opacity of the colors in overlays.")
    ] = 0.5,
    hide: Annotated[
        list[str] | None,
        typer.Option(metavar="CLASS", help="Class not drawn in overlays; repeatable."),
    ] = None,
    legend: Annotated[
        bool, typer.Option("--legend/--no-legend", help="Draw a legend into overlays.")
    ] = True,
) -> None:
    """Label every pixel of images and videos.

    Writes OUT/labels/NAME.png (a palette PNG whose values are class indices), OUT/overlay/NAME.jpg
    (the classes' colors over the image, with a legend) and OUT/probs/NAME.npy (float16, classes x
    height x width; interpolated bilinearly where the label map is by nearest neighbor, so that
    their argmax may differ from it along borders). A video gives OUT/overlay/NAME.mp4 and one label
    map per frame. All frames of a file are processed; frames of a camera or stream that cannot keep
    up are dropped and counted. The label map of a GeoTIFF, or of a picture too large for memory, is
    a .tif. The input - reads a list of inputs from stdin. An input that cannot be read does not
    stop the run; it is reported at the end.
    """
    from swiftseg.core import UsageError, known_name
    from swiftseg.inference import Segmenter
    from swiftseg.inference.fitting import FITS
    from swiftseg.inference.smoothing import check_smooth
    from swiftseg.prediction.outputs import Outputs, kind_folders, parse_kinds
    from swiftseg.prediction.predict_all import check_ready, predict_all
    from swiftseg.prediction.sources import find_sources, parse_shard
    from swiftseg.render.colors import drawn_classes

    max_memory_bytes = parse_memory(max_memory)
    kinds = parse_kinds(save)
    check_smooth(smooth)
    is_cut = tile is not None or overlap is not None
    if is_cut and fit not in ("auto", "tile"):
        raise UsageError(f"--tile and --overlap cut pictures into tiles, and --fit {fit} does not")
    outputs = Outputs(out, kinds, alpha=alpha, hide=tuple(hide or ()), legend=legend)
    sources = find_sources(inputs, leave_out=kind_folders(outputs.folder), shard=parse_shard(shard))
    if not any(source.is_video for source in sources):
        refuse_video_options(smooth=bool(smooth), show=show)
    segmenter = Segmenter.load(
        model,
        backend=backend,
        precision=precision,
        calibration=calibration,
        threads=threads,
        device=device,
        fit=known_name("fit", fit, FITS),
        void_below=void_below,
    )
    drawn_classes(segmenter.spec.labels, outputs.hide)  # refuses unknown names before the work
    if is_cut:
        segmenter = segmenter.with_tiles(parse_size(tile, "--tile"), overlap)
    check_ready(segmenter, sources, out, max_memory_bytes)
    if not as_json and not json_lines:
        print_model(segmenter.spec)
    run = predict_all(
        segmenter,
        sources,
        outputs,
        smooth=smooth,
        reconnect_s=reconnect,
        shows=show,
        skips_existing=skip_existing,
        max_memory_bytes=max_memory_bytes,
        on_prediction=print_line if json_lines else None,
    )
    finish(run, segmenter, out, as_json=as_json, json_lines=json_lines)


def refuse_video_options(*, smooth: bool, show: bool) -> None:
    """Raise UsageError where an option for videos is given and no input is one."""
    from swiftseg.core import UsageError

    if smooth:
        raise UsageError("--smooth averages over the frames of a video, and no input is one")
    if show:
        raise UsageError("--show shows videos and cameras, and no input is one")


def finish(
    run: "Run", segmenter: "Segmenter", out: Path, *, as_json: bool, json_lines: bool
) -> None:
    """Print results and errors; raise typer.Exit where there are some or Ctrl-C ended the run."""
    # Imported when all is written, since tables take their time to import.
    from swiftseg.cli.prediction_report import print_errors, print_json, print_table

    if as_json:
        print_json(run, segmenter.spec, segmenter.engine)
    elif not json_lines:
        print_table(run, segmenter.spec.labels, out)
    print_errors(run)
    if run.interrupted:
        raise typer.Exit(130)
    if run.errors:
        raise typer.Exit(1)


def print_model(spec: "ModelSpec") -> None:
    """Print what the model knows, so that nobody wonders at what it sees elsewhere."""
    learned = f", learned from {spec.training_data}" if spec.training_data else ""
    named, others = spec.labels.names[:MOST_NAMED], spec.labels.names[MOST_NAMED:]
    names = ", ".join(named) + (f" and {len(others)} more" if others else "")
    typer.echo(f"{spec.name} knows {len(spec.labels)} classes: {names}{learned}")


def print_line(prediction: "Prediction") -> None:
    """Print a prediction as one line of JSON."""
    from swiftseg.cli.prediction_report import as_dict

    typer.echo(json.dumps(as_dict(prediction)))
