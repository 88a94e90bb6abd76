"""Writing files that are whole or absent."""

import glob
import os
import re
import secrets
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from swiftseg.core.errors import SwiftsegError, UsageError
from swiftseg.core.shown_text import utf8

if TYPE_CHECKING:
    import numpy as np

_LONGEST_NAME = 200  # in bytes; file systems take 255, and a temporary file's name is longer
_TEMPORARY = re.compile(r"\..+-[0-9a-f]{8}(\.\w+)?")  # as `_created_beside` names it
_SURELY_LEFT_S = 600  # no write takes as long from one byte to the next


@contextmanager
def replacing(path: Path, *, durable: bool = False) -> Generator[Path]:
    """Yield a temporary path beside `path` that takes its name when the block ends well.

    The folder is made where it is missing. When the block raises, the temporary file goes and
    whatever stood at `path` stays. Others may read the file as the umask says.

    Args:
        path: Where the file goes.
        durable: Return only once the file is on the disk, so that a loss of power leaves it whole.

    Raises:
        SwiftsegError: The folder or the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = _created_beside(path)
    except OSError as error:
        raise SwiftsegError(f"cannot write {path}: {error.strerror}") from error
    try:
        yield temporary
        if durable:
            _sync(temporary)
        _rename(temporary, path)
        if durable:
            _sync(path.parent)
    except OSError as error:
        raise SwiftsegError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        _remove(temporary)


@contextmanager
def replacing_folder(folder: Path) -> Generator[Path]:
    """Yield an empty folder that takes the name of `folder`, and its place, as `replacing` does.

    Raises:
        SwiftsegError: It cannot be written.
    """
    import shutil  # those who write files alone do without
    import tempfile

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise SwiftsegError(f"cannot write {folder}: {error.strerror}") from error
    try:
        yield temporary
        temporary.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        temporary.replace(folder)
    except OSError as error:
        raise SwiftsegError(f"cannot write {folder}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def reading(path: Path | str) -> Generator[None]:
    """Raise SwiftsegError, which names the file, where the system refuses to read it."""
    try:
        yield
    except OSError as error:
        raise SwiftsegError(f"cannot read {path}: {error.strerror}") from error


def remove_left(path: Path) -> None:
    """Remove what killed runs have left of a file that nobody writes now."""
    for left in path.parent.glob(f".{glob.escape(_stem(path))}-*{glob.escape(path.suffix)}"):
        if _TEMPORARY.fullmatch(left.name):
            _remove(left)


def sweep(folder: Path) -> None:
    """Remove what killed runs have left below a folder, at least ten minutes ago.

    What is newer may be another run's. Videos stay, since what there is of them can be played.
    """
    newest = time.time() - _SURELY_LEFT_S
    for left in folder.rglob(".*-*"):
        if _TEMPORARY.fullmatch(left.name) and left.suffix != ".mp4":
            with suppress(OSError):
                if left.stat().st_mtime < newest:
                    _remove(left)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _stem(path: Path) -> str:
    return path.stem if len(os.fsencode(path.name)) <= _LONGEST_NAME else path.stem[:40]


def write_file(path: Path, content: str | bytes) -> None:
    """Write a whole file or none, a text as UTF-8; raise SwiftsegError where that cannot be."""
    with replacing(path) as temporary:
        temporary.write_bytes(utf8(content) if isinstance(content, str) else content)


def create_file(path: Path, content: str) -> bool:
    """Write a whole file where there is none; return False, and leave it, where there is one.

    Raises:
        SwiftsegError: The folder or the file cannot be written.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = _created_beside(path)
        temporary.write_bytes(utf8(content))
        _link(temporary, path)
    except FileExistsError:
        if path.parent.is_dir():
            return False
        raise SwiftsegError(f"cannot write {path}: {path.parent} is no folder") from None
    except OSError as error:
        raise SwiftsegError(f"cannot write {path}: {error.strerror}") from error
    finally:
        if temporary is not None:
            _remove(temporary)
    return True


def _link(temporary: Path, path: Path) -> None:
    """Give a file a second name that nothing has; raise FileExistsError where something has."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:  # file systems without links; a kill between these two leaves an empty file
        with path.open("xb") as file:
            file.write(temporary.read_bytes())


def save_picture(path: Path, picture: "np.ndarray") -> None:
    """Write uint8 (H, W, 3) or (H, W) as a whole PNG or none; raises as `write_file`."""
    from PIL import Image  # those who write other files do without

    with replacing(path) as temporary:
        Image.fromarray(picture).save(temporary, format="PNG")


def check_suffix(path: Path, suffix: str) -> None:
    """Raise UsageError where the name of a file to be written does not end as it must."""
    if path.suffix != suffix:
        raise UsageError(f"expected a file name that ends in {suffix}, got {path}")


def _created_beside(path: Path) -> Path:
    """Create an empty file with a name of its own, by which a run finds what was left of it."""
    temporary = path.with_name(f".{_stem(path)}-{secrets.token_hex(4)}{path.suffix}")
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    return temporary


def _rename(temporary: Path, path: Path) -> None:
    temporary.replace(path)


def _sync(path: Path) -> None:
    """Wait until a file or a folder's list of files is on the disk."""
    if os.name == "nt" and path.is_dir():  # Windows opens no folders
        return
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
