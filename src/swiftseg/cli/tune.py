"""`swiftseg tune`: a recipe trained with many values, the hopeless ones ended early."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swiftseg.cli.options import AddressOption, HoldOutOption, SetOption
from swiftseg.cli.plain_output import new_table, terminal
from swiftseg.core import needs_extra

if TYPE_CHECKING:
    from swiftseg.cluster.tuning import Search


def tune(
    recipe: Annotated[str, typer.Argument(help="As `swiftseg train` takes it.")],
    space: Annotated[
        Path, typer.Option(metavar="FILE", help="Values to try: a YAML file, see below.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the search.")],
    data: Annotated[
        list[str] | None, typer.Option(metavar="DIR", help="As `swiftseg train` takes it.")
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Number of combinations, drawn at random.",
            show_default="each combination once",
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Trials that run in parallel.")] = 1,
    weights: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="As `swiftseg train` takes it.")
    ] = None,
    hold_out: HoldOutOption = None,
    set_: SetOption = None,
    address: AddressOption = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the search in --out.")] = False,
) -> None:
    """Search for good values of a recipe's settings.

    The file of --space names keys of the recipe, each with a list of values or a range:

        optimizer.lr: {min: 0.0001, max: 0.01, log: true}

        augmentation.gamma: [0, 0.25, 0.5]

    Each trial is a run of its own in the folder of the search. After every validation it is
    compared with the others at the same epoch, and the worse two thirds end. A table lists all
    trials, the best first. Ctrl-C stops the search, and --resume continues it.
    """
    with needs_extra("swiftseg tune", "train"):
        from swiftseg.training.training_recipe import option_overrides
    from swiftseg.cluster.search_space import read_space
    from swiftseg.cluster.tuning import tune as run_search

    search = run_search(
        recipe,
        read_space(space),
        data=data or [],
        out=out,
        trials=trials,
        workers=workers,
        weights=weights,
        overrides=[*(set_ or []), *option_overrides(hold_out=hold_out)],
        address=address,
        resume=resume,
    )
    print_search(search, out)


def print_search(search: "Search", out: Path) -> None:
    """Print all trials, the best first, and what to do with the best one."""
    from swiftseg.cli.score_table import percent
    from swiftseg.cluster.tuning import trial_folder
    from swiftseg.core.shown_text import shown
    from swiftseg.runs import RunFolder

    numbers = ("trial", "mIoU %", "epochs")
    table = new_table(*numbers, "values", "", numbers=numbers)
    unscored = [trial for trial in search.trials if trial.mean_iou is None]
    for trial in (*search.ranking, *unscored):
        score = "" if trial.mean_iou is None else percent(trial.mean_iou)
        values = ", ".join(f"{key}={value}" for key, value in trial.values.items())
        state = "" if trial.state == "done" else trial.error or trial.state
        table.add_row(str(trial.number), score, str(trial.epochs), shown(values), shown(state))
    terminal().print(table)
    best = trial_folder(out, search.ranking[0].number)
    typer.echo(f"best weights: {RunFolder(best).best}")
    typer.echo(f"next: swiftseg export {best} --out model.onnx")
