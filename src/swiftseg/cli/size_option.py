"""`--size`, alike in every command that takes one."""

import re
from typing import Annotated

import typer

from swiftseg.core import UsageError

SizeOption = Annotated[
    str | None,
    typer.Option("--size", metavar="HxW", help="The network's input, such as 360x480."),
]


def parse_size(size: str) -> tuple[int, int]:
    """Read a size such as 360x480 as (height, width)."""
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", size)
    if match is None:
        raise UsageError(f"expected --size as HEIGHTxWIDTH, such as 360x480, got {size!r}")
    return int(match[1]), int(match[2])
