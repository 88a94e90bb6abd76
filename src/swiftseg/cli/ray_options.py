"""`--workers` and `--address`, alike in every command that Ray can share out."""

from typing import Annotated

import typer

WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers", min=1, help="Models that Ray runs at the same time.", show_default="no Ray"
    ),
]
AddressOption = Annotated[
    str | None,
    typer.Option(
        "--address",
        help="A Ray cluster: auto, HOST:PORT or ray://HOST:PORT.",
        show_default="Ray on this machine",
    ),
]
