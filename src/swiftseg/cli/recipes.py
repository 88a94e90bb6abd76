"""`swiftseg recipes`: the recipes that come with the package."""

from typing import Annotated

import typer

from swiftseg.cli.plain_output import new_table, terminal


def recipes(
    name: Annotated[
        str | None, typer.Argument(help="Recipe to print.", show_default="all are listed")
    ] = None,
) -> None:
    """List the shipped recipes, or print one to copy.

    Copy one by `swiftseg recipes NAME > my_recipe.yaml`, and train it by
    `swiftseg train my_recipe.yaml --data DIR`. For data with other classes, change num_classes.
    """
    from swiftseg.recipes.recipe_file import headline, shipped_recipes, shipped_text

    if name is not None:
        typer.echo(shipped_text(name), nl=False)
        return
    table = new_table("recipe", "what it is")
    table.columns[0].no_wrap = True
    for shipped in shipped_recipes():
        table.add_row(shipped, headline(shipped_text(shipped)))
    terminal().print(table)
