"""The `swiftseg` command.

One command, one module: its function holds the options and imports the half it needs when it
runs, so that `swiftseg predict` never meets torch and `swiftseg --help` is quick. To add a command,
import its function here and add a line to `COMMANDS`.
"""

import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import typer

import swiftseg
from swiftseg.cli.benchmark import benchmark
from swiftseg.cli.data import data
from swiftseg.cli.demo import demo
from swiftseg.cli.doctor import doctor
from swiftseg.cli.evaluate import evaluate
from swiftseg.cli.export import export
from swiftseg.cli.import_weights import import_weights
from swiftseg.cli.label import label
from swiftseg.cli.models import models
from swiftseg.cli.plain_output import print_whatever_comes
from swiftseg.cli.predict import predict
from swiftseg.cli.pretrain import pretrain
from swiftseg.cli.recipes import recipes
from swiftseg.cli.report import report
from swiftseg.cli.runs import runs
from swiftseg.cli.serve import serve
from swiftseg.cli.train import train
from swiftseg.cli.tune import tune
from swiftseg.core import SwiftsegError
from swiftseg.core.errors import unexpected
from swiftseg.core.interrupts import stop_signals_raise
from swiftseg.core.shown_text import shown

COMMANDS: Mapping[str, Callable[..., Any]] = {
    "demo": demo,
    "predict": predict,
    "label": label,
    "evaluate": evaluate,
    "report": report,
    "train": train,
    "tune": tune,
    "pretrain": pretrain,
    "runs": runs,
    "export": export,
    "import": import_weights,
    "serve": serve,
    "benchmark": benchmark,
    "models": models,
    "recipes": recipes,
    "doctor": doctor,
}

DEBUG = "--debug"

app = typer.Typer(
    name="swiftseg",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # options and their help take half as many lines as in boxes
    context_settings={"help_option_names": ["-h", "--help"]},
)
for name, command in COMMANDS.items():
    app.command(name)(command)
app.add_typer(data, name="data")


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"swiftseg {swiftseg.__version__}")
        raise typer.Exit


@app.callback()
def swiftseg_command(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
    debug: Annotated[bool, typer.Option(DEBUG, help="Show the traceback of an error.")] = False,
) -> None:
    """Real-time semantic segmentation on the hardware you have."""
    del version, debug  # the first has its callback, `main` takes the second out


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code.

    0: done. 1: an input cannot be used. 2: a name, option or value does not exist.
    130: stopped by Ctrl-C, SIGTERM or SIGHUP. Errors are one line on stderr; `--debug` adds the
    traceback.

    Args:
        arguments: What follows `swiftseg` on the command line; None takes the process's own.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = DEBUG in given
    print_whatever_comes()
    try:
        with stop_signals_raise():
            app([argument for argument in given if argument != DEBUG], prog_name="swiftseg")
    except SwiftsegError as error:
        _report(f"error: {error}", debug)
        sys.exit(error.exit_code)
    except OSError as error:  # a folder or a disk that the system refuses
        file = "" if error.filename is None else f"{error.filename}: "
        _report(f"error: {file}{error.strerror or error}", debug)
        sys.exit(1)
    except Exception as error:
        from swiftseg.core.memory import NO_MEMORY, ran_out

        reason = f"unexpected {unexpected(error)} ({DEBUG} shows where)"
        _report(f"error: {NO_MEMORY if ran_out(error) else reason}", debug)
        sys.exit(1)


def _report(line: str, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    typer.echo(shown(line), err=True)
