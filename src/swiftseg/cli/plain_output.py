"""Output on terminals and pipes of few characters: cp1252 on Windows, ascii in containers."""

import codecs
import io
import sys
import unicodedata
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_ERRORS = "swiftseg-plain"
# What tables and names hold, and the nearest that every encoding has.
_PLAIN = {"█": "#", "…": "...", "–": "-", "’": "'", "“": '"', "”": '"', "×": "x"}  # noqa: RUF001


def terminal() -> "Console":
    """Return a console on stdout that prints names and lines as they are."""
    from rich.console import Console

    return Console(markup=False, emoji=False, highlight=False, soft_wrap=True)


def new_table(*columns: str, numbers: Collection[str] = (), **options: Any) -> "Table":
    """Return a table without rows; `numbers` are the columns that are aligned on the right."""
    from rich.table import Table

    table = Table(title_justify="left", caption_justify="left", **options)
    for name in columns:
        side = "right" if name in numbers else "left"
        table.add_column(name, justify=side, overflow="fold")
    return table


def print_whatever_comes() -> None:
    """Make stdout and stderr write the nearest character for one that their encoding lacks."""
    codecs.register_error(_ERRORS, _nearest)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)


def _nearest(error: UnicodeError) -> tuple[str, int]:
    """Return what stands in for the characters that cannot be written, and where to go on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(map(_plain, text)), error.end


def _plain(character: str) -> str:
    if character in _PLAIN:
        return _PLAIN[character]
    if "\udc80" <= character <= "\udcff":  # a byte of a file's name that is no text
        return f"\\x{ord(character) - 0xDC00:02x}"
    base = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return base or "?"
