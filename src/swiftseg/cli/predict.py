"""`swiftseg predict`: label maps and overlays of images, folders, videos and cameras."""

from pathlib import Path
from typing import Annotated

import typer

from swiftseg.cli.engine_options import (
    BackendOption,
    CalibrationOption,
    PrecisionOption,
    find_engine,
)
from swiftseg.weights import DEFAULT_MODEL


def predict(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Images, folders (searched with their subfolders), globs, videos, camera:0, or "
            "rtsp and http addresses.",
            show_default=False,
        ),
    ],
    model: Annotated[
        str, typer.Option(help="A shipped model's name, an exported .onnx file, or a checkpoint.")
    ] = DEFAULT_MODEL,
    out: Annotated[Path, typer.Option(help="Where labels/, overlay/ and probs/ go.")] = Path(
        "predictions"
    ),
    save: Annotated[
        str, typer.Option(help="Of overlay, labels and probs, with commas between.")
    ] = "overlay,labels",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON summary on stdout and nothing else.")
    ] = False,
    backend: BackendOption = None,
    precision: PrecisionOption = "f32",
    calibration: CalibrationOption = None,
    threads: Annotated[
        int | None,
        typer.Option(help="Threads for one frame.", show_default="one a physical core"),
    ] = None,
    smooth: Annotated[
        float,
        typer.Option(help="Of videos: average over time against flicker, 0 (off) to below 1."),
    ] = 0.0,
) -> None:
    """Label every pixel of images and videos.

    Writes OUT/labels/NAME.png (a palette PNG, each value a class index), OUT/overlay/NAME.jpg (the
    colors over the image, with a legend) and OUT/probs/NAME.npy (float16, classes x height x
    width). A video gives OUT/overlay/NAME.mp4 and one label map a frame. A file keeps every frame;
    of a camera or stream that is too fast the oldest waiting frames are dropped and counted. What
    cannot be read is told at the end, when the rest is done.
    """
    from swiftseg.cli.torch_engine import load_in_torch, runs_in_torch
    from swiftseg.core import UsageError
    from swiftseg.inference import Segmenter
    from swiftseg.inference.model_path import model_path
    from swiftseg.inference.smoothing import check_smooth
    from swiftseg.prediction.outputs import Outputs, parse_kinds
    from swiftseg.prediction.predict_all import predict_all
    from swiftseg.prediction.sources import check_writable, find_sources
    from swiftseg.runtimes.base import Engine

    kinds = parse_kinds(save)
    check_smooth(smooth)
    sources = find_sources(inputs)
    if smooth and not any(source.is_video for source in sources):
        raise UsageError("--smooth averages over the frames of a video, and no input is one")
    if runs_in_torch(model, backend, precision, calibration):
        spec, backend_at = load_in_torch(model, backend, precision, threads)
        segmenter = Segmenter(backend_at(spec.input.size_hw))
        engine = Engine(backend or "torch", precision)
    else:
        engine = find_engine(model_path(model), backend, precision, calibration, threads)
        segmenter = Segmenter.load(
            model, backend=engine.backend, precision=engine.precision, threads=threads
        )
    check_writable(out)
    run = predict_all(segmenter, sources, Outputs(out, kinds), smooth=smooth)

    # Imported when all is written, since tables take their time to import.
    from swiftseg.cli.prediction_report import print_errors, print_json, print_table

    if as_json:
        print_json(run, segmenter.spec, engine)
    else:
        print_table(run, segmenter.spec.labels, out)
    print_errors(run)
    if run.interrupted:
        raise typer.Exit(130)
    if run.errors:
        raise typer.Exit(1)
