"""One writer a run folder: a second one would mix its checkpoints with those of the first."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from swiftseg.core import SwiftsegError
from swiftseg.core.files import create_file, remove_left, write_file
from swiftseg.runs.writer import Writer


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Hold a lock file, which names this process, as long as the block runs.

    The lock of a process of this machine that is gone is taken over. What runs on another machine
    cannot be seen, so its lock is refused.

    Raises:
        SwiftsegError: Another process holds the lock, or the file cannot be written.
    """
    _take(path)
    try:
        remove_left(path)
        yield
    finally:
        path.unlink(missing_ok=True)


def _take(path: Path) -> None:
    while not _create(path):
        if _is_left(path):
            _take_over(path)
            return


def _take_over(path: Path) -> None:
    # Of two processes that find the writer gone, one creates this file; it alone goes on.
    token = path.with_name(f"{path.name}-takeover")
    if not _create(token):
        raise SwiftsegError(_in_use(path, "another process is taking over its lock", token))
    try:
        if not _is_left(path):
            raise SwiftsegError(_in_use(path, "its lock has just changed", path))
        write_file(path, Writer.here().model_dump_json())
    finally:
        token.unlink(missing_ok=True)


def _create(path: Path) -> bool:
    """Create a lock file of this process; return False where there is one."""
    return create_file(path, Writer.here().model_dump_json())


def _is_left(path: Path) -> bool:
    """Whether a lock file is there whose writer is gone; raises SwiftsegError where it may live."""
    try:
        writer = Writer.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise SwiftsegError(_in_use(path, "its lock is damaged", path)) from error
    if not writer.is_local:
        told = f"process {writer.pid} on {writer.host} locked it, which cannot be checked from here"
        raise SwiftsegError(_in_use(path, told, path))
    if writer.is_alive:
        raise SwiftsegError(
            f"{path.parent}: process {writer.pid} on {writer.host} is training into this folder; "
            "wait until it ends, or choose another folder with --out"
        )
    return True


def _in_use(path: Path, problem: str, file: Path) -> str:
    return f"{path.parent}: {problem}; if no training runs there any more, remove {file}"
