"""`--size`, alike in every command that has it."""

import re
from typing import Annotated

import typer

from swiftseg.core import UsageError

SizeOption = Annotated[
    str | None,
    typer.Option(
        "--size",
        metavar="HxW",
        help="Input size, height x width, such as 360x480.",
        show_default="the model's",
    ),
]


def parse_size(size: str | None, option: str = "--size") -> tuple[int, int] | None:
    """Return a size such as 360x480 as (height, width); None stays None."""
    if size is None:
        return None
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", size)
    if match is None:
        raise UsageError(f"expected {option} as HEIGHTxWIDTH, such as 360x480, got {size!r}")
    return int(match[1]), int(match[2])
