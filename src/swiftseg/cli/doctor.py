"""`swiftseg doctor`: what is installed here, what is missing, and the line to type for it."""

import json
from dataclasses import asdict

import typer

from swiftseg.cli.options import JsonOption
from swiftseg.cli.plain_output import new_table, terminal


def doctor(
    as_json: JsonOption = False,
) -> None:
    """Show versions, engines, threads, caches and what is missing.

    Nothing is changed. To check data, use `swiftseg data check`.
    """
    from swiftseg.benchmarking.installation import examine_installation

    found = examine_installation()
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=2))
        return
    table = new_table("", "", show_header=False)
    for section, facts in found.sections.items():
        table.add_section()
        for name, text in facts.items():
            table.add_row(f"{section}: {name}", text)
    console = terminal()
    console.print(table)
    for missing in found.missing:
        console.print(f"missing: {missing}")
    if not found.missing:
        console.print("nothing is missing")
