"""The errors a user causes and can mend: one line each, with an exit code for the command line."""

import difflib
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import TypeVar

from swiftseg.core.shown_text import shown

Name = TypeVar("Name", bound=str)


class SwiftsegError(Exception):
    """Something the user handed in cannot be worked with; the message says what would be right.

    What a message quotes is made fit to be shown, see `swiftseg.core.shown_text`.
    """

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(shown(message))


class UsageError(SwiftsegError):
    """A name, option or value was asked for that does not exist; the nearest ones are named."""

    exit_code = 2


class MissingExtraError(SwiftsegError):
    """An optional package is needed for what was asked."""

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(f"{purpose} needs an extra: pip install 'swiftseg[{extra}]'")


@contextmanager
def needs_extra(purpose: str, extra: str) -> Generator[None]:
    """Raise MissingExtraError where the block imports a package that is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtraError(purpose, extra) from error


def known_name(kind: str, name: str, known: Iterable[Name]) -> Name:
    """Return a name as one of `known`; raise `unknown_name` for any other."""
    names = tuple(known)
    for one in names:
        if one == name:
            return one
    raise unknown_name(kind, name, names)


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says, or its type where it says nothing."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def unexpected(error: BaseException) -> str:
    """Return in one line the type of an error that nobody has foreseen, and what it says."""
    return f"{type(error).__name__}: {error}".partition("\n")[0]


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """Make the error for a name that is none of `known`, naming the nearest of them first."""
    names = sorted(known)
    if not names:
        return UsageError(f"unknown {kind} {name!r}; it has none")
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return UsageError(f"unknown {kind} {name!r}; {hint}choose from {', '.join(names)}")
