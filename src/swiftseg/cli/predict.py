"""`swiftseg predict`: label maps and overlays of images, folders, videos and cameras."""

from pathlib import Path
from typing import Annotated

import typer

from swiftseg.weights import DEFAULT_MODEL


def predict(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Images, folders (searched with their subfolders), globs, videos, or camera:0.",
            show_default=False,
        ),
    ],
    model: Annotated[
        str, typer.Option(help="A shipped model's name, or an exported .onnx file.")
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
    backend: Annotated[
        str, typer.Option(help="The engine: onnxruntime or openvino.")
    ] = "onnxruntime",
    threads: Annotated[
        int | None,
        typer.Option(help="Threads for one frame.", show_default="one a physical core"),
    ] = None,
) -> None:
    """Label every pixel of images and videos.

    Writes OUT/labels/NAME.png (a palette PNG, each value a class index), OUT/overlay/NAME.jpg (the
    colors over the image, with a legend) and OUT/probs/NAME.npy (float16, classes x height x
    width). A video gives OUT/overlay/NAME.mp4 and one label map a frame. What cannot be read is
    told at the end, when the rest is done.
    """
    from swiftseg.cli.inputs import check_writable, find_sources
    from swiftseg.cli.prediction import parse_kinds, predict_all
    from swiftseg.cli.prediction_report import print_errors, print_json, print_table
    from swiftseg.inference import Segmenter

    kinds = parse_kinds(save)
    sources = find_sources(inputs)
    segmenter = Segmenter.load(model, backend=backend, threads=threads)
    check_writable(out)
    run = predict_all(segmenter, sources, out, kinds)
    if as_json:
        print_json(run, segmenter.spec, backend)
    else:
        print_table(run, segmenter.spec.labels, out)
    print_errors(run)
    if run.interrupted:
        raise typer.Exit(130)
    if run.errors:
        raise typer.Exit(1)
