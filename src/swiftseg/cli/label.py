"""`swiftseg label`: any number of images and videos into a target, here or on a cluster."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from swiftseg.cli.options import (
    AddressOption,
    BackendOption,
    CalibrationOption,
    DeviceOption,
    FitOption,
    FlipOption,
    JsonOption,
    PrecisionOption,
    ScalesOption,
    parse_scales,
)
from swiftseg.cli.plain_output import new_table, terminal
from swiftseg.weights import DEFAULT_MODEL

if TYPE_CHECKING:
    from swiftseg.labeling.results import Summary
    from swiftseg.prediction.pseudo_labels import PseudoLabeling

SINGLE = (
    "several models, --scales, --flip, --min-confidence, --within-sets or a labeling tool's format"
)
GIVEN = "COMMANDLINE"  # a parameter's source, as the command line's library calls it
# What a job takes and a single process does not, by the parameters' names.
JOB_OPTIONS = {
    "workers": "--workers",
    "address": "--address",
    "batch": "--batch",
    "save": "--save",
    "column": "--column",
    "report": "--report",
    "as_json": "--json",
    "precision": "--precision",
    "calibration": "--calibration",
    "threads": "--threads",
    "fit": "--fit",
}


def label(
    context: typer.Context,
    source: Annotated[
        str,
        typer.Argument(
            help="Folder, glob, .txt list, table, video, or address.",
            show_default=False,
        ),
    ],
    out: Annotated[str, typer.Option(help="Folder, or an address: s3://bucket/labels.")],
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="As `predict` takes it; repeat to average.",
            show_default=DEFAULT_MODEL,
        ),
    ] = None,
    engine: Annotated[str, typer.Option(help="ray, or local (threads, for small jobs).")] = "ray",
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Models to run in parallel.", show_default="one per core or GPU"),
    ] = None,
    address: AddressOption = None,
    batch: Annotated[int, typer.Option(min=1, help="Frames per step, and rows per shard.")] = 64,
    save: Annotated[str, typer.Option(help="Outputs: labels, overlay, probs, shares.")] = "labels",
    form: Annotated[
        str,
        typer.Option("--format", help="png, parquet, coco, or labelme."),
    ] = "png",
    min_confidence: Annotated[
        float | None,
        typer.Option(metavar="P", min=0, max=1, help="Pixels below this probability are void."),
    ] = None,
    within_sets: Annotated[
        bool,
        typer.Option("--within-sets", help="Refine the coarse labels of SOURCE."),
    ] = False,
    scales: ScalesOption = None,
    flip: FlipOption = False,
    column: Annotated[
        str | None,
        typer.Option(help="Column of a table's paths or images.", show_default="found by name"),
    ] = None,
    report: Annotated[
        bool, typer.Option("--report", help="Also write report.html, which takes time.")
    ] = False,
    as_json: JsonOption = False,
    backend: BackendOption = None,
    precision: PrecisionOption = "f32",
    calibration: CalibrationOption = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads per model.")] = 1,
    device: DeviceOption = None,
    fit: FitOption = "auto",
) -> None:
    """Label millions of images and videos, here or on a cluster.

    Writes OUT/labels/NAME.png (or OUT/shards/part-N.parquet), manifest.csv with what became of each
    input, failures.csv and summary.json. Run the same command again to continue where it stopped.
    An input that cannot be read does not stop the job.

    With --min-confidence, --within-sets, several models, or a labeling tool's format, one process
    writes OUT/NAME.png or OUT/NAME.json: masks to train on, or to correct.
    """
    models = model or [DEFAULT_MODEL]
    averages = len(models) > 1 or scales is not None or flip
    if averages or within_sets or min_confidence is not None or form in ("coco", "labelme"):
        from swiftseg.prediction.pseudo_labels import label_by_teachers

        check_options(context, out)
        labeling = label_by_teachers(
            source,
            models,
            Path(out),
            within_sets=within_sets,
            min_confidence=min_confidence or 0.0,
            form=form,
            scales=(1.0,) if scales is None else parse_scales(scales),
            flip=flip,
            backend=backend,
            device=device,
        )
        print_labeling(labeling, out)
        return
    from swiftseg.cluster import label_images
    from swiftseg.core import known_name
    from swiftseg.inference.fitting import FITS

    summary = label_images(
        source,
        out=out,
        model=models[0],
        engine=cast(Any, engine),
        workers=workers,
        address=address,
        save=cast(Any, [kind.strip() for kind in save.split(",")]),
        form=cast(Any, form),
        column=column,
        batch=batch,
        backend=backend,
        precision=precision,
        calibration=calibration,
        threads=threads,
        device=device,
        fit=known_name("fit", fit, FITS),
        report=report,
    )
    if as_json:
        typer.echo(json.dumps(summary.to_dict(), indent=2))
    else:
        print_summary(summary, out)
    leave(summary, out)


def check_options(context: typer.Context, out: str) -> None:
    """Refuse what goes with a job, where one process labels.

    Raises:
        UsageError: A job's option is given, or an address as the target.
    """
    from swiftseg.core import UsageError
    from swiftseg.labeling.place import is_remote

    sources = ((context.get_parameter_source(name), name) for name in JOB_OPTIONS)
    given = [JOB_OPTIONS[name] for source, name in sources if source and source.name == GIVEN]
    if given:
        raise UsageError(f"{', '.join(given)}: not with {SINGLE}")
    if is_remote(out):
        raise UsageError(f"expected a folder as --out with {SINGLE}, got {out}")


def leave(summary: "Summary", out: str) -> None:
    """Raise typer.Exit where Ctrl-C ended the job or an input failed."""
    if summary.interrupted:
        raise typer.Exit(130)
    if summary.failed:
        failed = f"{summary.failed} of {summary.inputs} inputs failed"
        typer.echo(f"{failed}: {out}/failures.csv", err=True)
        raise typer.Exit(1)


def print_labeling(labeling: "PseudoLabeling", out: str) -> None:
    """Print how much is labeled, and raise typer.Exit where an input cannot be read."""
    for failure in labeling.failed:
        typer.echo(failure, err=True)
    typer.echo(
        f"{labeling.written} frames, {labeling.labeled_share:.1%} of their pixels labeled and the "
        f"rest void: {out}"
    )
    if labeling.failed:
        raise typer.Exit(1)


def print_summary(summary: "Summary", out: str) -> None:
    """Print the classes' shares, what was done, and where the time went."""
    table = new_table("class", "share", numbers=["share"])
    for name, share in summary.class_shares.items():
        table.add_row(name, f"{share:.1%}")
    console = terminal()
    if summary.frames:
        console.print(table)
    counts = (("done", summary.done), ("failed", summary.failed), ("pending", summary.pending))
    told = ", ".join(f"{count} {name}" for name, count in counts if count)
    console.print(f"{summary.inputs} inputs: {told or 'none'}; {summary.frames} frames labeled")
    if summary.run_frames:
        work = ", ".join(f"{stage} {spent:.0f}" for stage, spent in summary.seconds.items())
        console.print(
            f"this run: {summary.run_frames} frames in {summary.run_s:.1f} s, "
            f"{summary.frames_per_s:.1f} frames/s with {summary.workers} workers"
        )
        console.print(f"work in all: {summary.core_hours:.3f} core hours; seconds: {work}")
    console.print(f"written to {out}")
