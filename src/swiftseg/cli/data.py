"""`swiftseg data`: what is wrong with data, and what its masks mean."""

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from swiftseg.cli.data_convert import convert
from swiftseg.cli.data_sample import sample
from swiftseg.cli.options import JsonOption

if TYPE_CHECKING:
    from swiftseg.data.doctor import Diagnosis
    from swiftseg.data.own.dataset_file import DatasetFile

data = typer.Typer(help="Check and convert your own data.", no_args_is_help=True)

data.command("convert")(convert)
data.command("sample")(sample)

SHEET_NAME = "contact_sheet.png"
SHEET_FOLDER = "data_check"  # in which nobody looks for data


class Places(NamedTuple):
    """Where the doctor writes."""

    described: Path
    sheet: Path


@data.callback()
def data_command() -> None:
    """Check and convert your own data."""


@data.command("check")
def check(
    source: Annotated[
        Path, typer.Argument(metavar="DIR|YAML", help="Folder, dataset YAML, or list of pairs.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for dataset.yaml and the contact sheet.",
            show_default="DIR itself, and data_check in it",
        ),
    ] = None,
    reading: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Use another reading; 1 is the likeliest.",
            show_default="its dataset.yaml, or else 1",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Find images and masks, check them, and work out what the masks mean.

    The folder may have any layout. Every file is read. Problems that would stop a training are
    called broken; the exit code is then 1. The findings are written to dataset.yaml in the folder,
    where `swiftseg train` and `evaluate` look for it: edit it where it is wrong. A contact sheet
    lets you check by eye. An existing dataset.yaml is checked and left unchanged; with --reading
    it is kept as dataset.before.yaml.
    """
    from swiftseg.cli.data_report import print_report, report_fields
    from swiftseg.core.progress import LateProgress
    from swiftseg.data.doctor import check_data
    from swiftseg.prediction.sources import check_writable

    places = places_of(source, out)
    # Before hours of reading, and without a folder where there may be nothing to write.
    check_writable(next(path for path in places.sheet.parents if path.exists()))
    with LateProgress("files") as progress:
        diagnosis = check_data(source, progress, reading=reading)
    note_missing_fonts(diagnosis)
    files = write_files(diagnosis, places, out=out)
    line = None if diagnosis.is_broken else next_line(source, files)
    if as_json:
        fields = {**report_fields(diagnosis), "files": files, "next": line}
        typer.echo(json.dumps(fields, indent=2))
    else:
        print_report(diagnosis, files, line)
    if diagnosis.is_broken:
        raise typer.Exit(1)


def next_line(source: Path, files: dict[str, str]) -> str:
    """Return the line to type next: it names a written description that the data do not hold."""
    from swiftseg.data.own.dataset_file import FILE_NAME

    described = files.get("dataset_file")
    if described is None or Path(described) == source / FILE_NAME:
        described = str(source)
    return f"swiftseg train auto --data {shlex.quote(described)}"


def note_missing_fonts(diagnosis: "Diagnosis") -> None:
    """Add a finding where the legend shows numbers for names that no font here can write."""
    from swiftseg.data.own.finding import Finding
    from swiftseg.render import without_font

    names = without_font(diagnosis.labels.names) if diagnosis.labels else []
    if names:
        message = (
            f"no font on this machine has the letters of {', '.join(names[:5])}; the legend shows "
            "the numbers of these classes. Install a font of this script, such as Noto Sans"
        )
        finding = Finding("note", "no_font", message, len(names))
        diagnosis.findings = (*diagnosis.findings, finding)


def places_of(source: Path, out: Path | None) -> Places:
    """Return where the description and the contact sheet go: where told, or to the data."""
    from swiftseg.data.own.dataset_file import FILE_NAME

    if out is not None:
        return Places(out / FILE_NAME, out / SHEET_NAME)
    folder = source if source.is_dir() else source.parent
    described = folder / FILE_NAME if source.is_dir() else source.with_suffix(".yaml")
    return Places(described, folder / SHEET_FOLDER / SHEET_NAME)


def write_files(diagnosis: "Diagnosis", places: Places, *, out: Path | None) -> dict[str, str]:
    """Write the YAML that is proposed and the contact sheet, where there is anything to write."""
    from swiftseg.core.files import save_picture
    from swiftseg.data.doctor import contact_sheet, with_ignored
    from swiftseg.render import with_legend

    file, rules, labels = diagnosis.file, diagnosis.rules, diagnosis.labels
    if file is None or rules is None or labels is None:
        return {}
    written: dict[str, str] = {}
    if out is not None or not diagnosis.is_described:
        write_description(file, places.described)
        written["dataset_file"] = str(places.described)
    sheet = contact_sheet(diagnosis.pairs, labels, rules)
    if sheet is not None:
        save_picture(places.sheet, with_legend(sheet, with_ignored(labels)))
        written["contact_sheet"] = str(places.sheet)
    return written


def write_description(file: "DatasetFile", path: Path) -> None:
    """Write a dataset.yaml; another one that stood there is kept beside it."""
    from swiftseg.core.files import write_file
    from swiftseg.data.own.dataset_file import dataset_file_text

    if file.path is not None and Path(file.path) == path.parent.resolve():
        file = file.model_copy(update={"path": None})  # so that the folder can be moved
    text = dataset_file_text(file)
    if path.is_file() and path.read_bytes() != text.encode():
        path.replace(path.with_suffix(".before.yaml"))
    write_file(path, text)
