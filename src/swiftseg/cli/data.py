"""`swiftseg data`: what is wrong with data, and what its masks mean."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swiftseg.cli.data_convert import convert
from swiftseg.cli.data_sample import sample

if TYPE_CHECKING:
    from swiftseg.data.doctor import Diagnosis

data = typer.Typer(help="Check and convert your own data.", no_args_is_help=True)

data.command("convert")(convert)
data.command("sample")(sample)

FILE_NAME, SHEET_NAME = "dataset.yaml", "contact_sheet.png"


@data.callback()
def data_command() -> None:
    """Check and convert your own data."""


@data.command("check")
def check(
    source: Annotated[
        Path, typer.Argument(metavar="DIR|YAML", help="A folder, a dataset YAML, a list of pairs.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Where YAML and pictures go [data_check/NAME].")
    ] = None,
    reading: Annotated[
        int, typer.Option(min=1, help="Take another way to read the folder; 1 is the likeliest.")
    ] = 1,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Find images and their masks, what is wrong with them, and what the masks mean.

    The folder may be arranged in any way. Every file is read. What training would refuse is broken,
    and the exit code is 1 then. A dataset.yaml with what was found is written, and a contact sheet
    to judge by eye.
    """
    from swiftseg.cli.data_report import print_report, report_fields
    from swiftseg.core.progress import LateProgress
    from swiftseg.data.doctor import examine
    from swiftseg.prediction.sources import check_writable

    folder = out or Path("data_check") / source.resolve().stem
    # Before hours of reading, and without a folder where there may be nothing to write.
    check_writable(next(path for path in (folder, *folder.parents) if path.exists()))
    with LateProgress("files") as progress:
        diagnosis = examine(source, progress, reading=reading)
    note_missing_fonts(diagnosis)
    files = write_files(diagnosis, folder)
    if as_json:
        typer.echo(json.dumps({**report_fields(diagnosis), "files": files}, indent=2))
    else:
        print_report(diagnosis, files)
    if diagnosis.is_broken:
        raise typer.Exit(1)


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


def write_files(diagnosis: "Diagnosis", out: Path) -> dict[str, str]:
    """Write the proposed YAML and the contact sheet, where there is anything to write."""
    from PIL import Image

    from swiftseg.core.files import replacing
    from swiftseg.data.doctor import contact_sheet, with_ignored
    from swiftseg.data.own.dataset_file import dataset_file_text
    from swiftseg.render import with_legend

    file, rules, labels = diagnosis.file, diagnosis.rules, diagnosis.labels
    if file is None or rules is None or labels is None:
        return {}
    described = out / FILE_NAME
    with replacing(described) as temporary:
        temporary.write_text(dataset_file_text(file), encoding="utf-8")
    written = {"dataset_file": str(described)}
    sheet = contact_sheet(diagnosis.pairs, labels, rules)
    if sheet is not None:
        with replacing(out / SHEET_NAME) as temporary:
            picture = Image.fromarray(with_legend(sheet, with_ignored(labels)))
            picture.save(temporary, format="PNG")
        written["contact_sheet"] = str(out / SHEET_NAME)
    return written
