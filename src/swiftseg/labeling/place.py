"""Where inputs lie and results go: a folder here, or any place that has an address.

A folder needs nothing but the base install. `s3://` goes through Arrow's client, which comes with
the `cluster` extra and repeats what a store throttles; all other addresses go through fsspec, whose
driver for a store is a package of its own.
"""

import os
import re
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from swiftseg.core import SwiftsegError, needs_extra
from swiftseg.core.errors import first_line
from swiftseg.core.files import sweep, write_file

_S3 = "s3"
_S3_ATTEMPTS = 10  # with growing pauses between them, about a minute
_S3_TIMEOUT_S = 20.0


class Place(Protocol):
    """A folder whose files are read and written whole, by their paths in it. It can be pickled."""

    @property
    def address(self) -> str: ...

    def read(self, path: str) -> bytes:
        """Return a file's content. Raises SwiftsegError where it cannot be read."""
        ...

    def write(self, path: str, data: bytes) -> None:
        """Write a file whole or not at all. Raises SwiftsegError where it cannot be written."""
        ...

    def files(self, folder: str) -> Iterator[str]:
        """Yield the paths of all files below a folder, in order; none where there is no folder."""
        ...


@dataclass(frozen=True)
class LocalPlace:
    """A folder of this machine, or one that all machines share."""

    folder: Path

    @property
    def address(self) -> str:
        return str(self.folder)

    def read(self, path: str) -> bytes:
        with _told("read", str(self.folder / path)):
            return (self.folder / path).read_bytes()

    def write(self, path: str, data: bytes) -> None:
        write_file(self.folder / path, data)

    def sweep(self) -> None:
        """Remove what a killed job was writing; stores take files whole, and need none of it."""
        sweep(self.folder)

    def files(self, folder: str) -> Iterator[str]:
        found = (self.folder / folder).rglob("*")
        for path in sorted(path for path in found if path.is_file() and path.name[0] != "."):
            yield path.relative_to(self.folder).as_posix()


@dataclass(frozen=True)
class RemotePlace:
    """A place with an address, such as `s3://bucket/folder` or `memory://folder`."""

    address: str

    def read(self, path: str) -> bytes:
        filesystem, root = _opened(self.address)
        with _told("read", _joined(self.address, path)):
            return bytes(filesystem.cat_file(_joined(root, path)))

    def write(self, path: str, data: bytes) -> None:
        filesystem, root = _opened(self.address)
        whole = _joined(root, path)
        with _told("write", _joined(self.address, path)):
            filesystem.makedirs(whole.rpartition("/")[0], exist_ok=True)
            filesystem.pipe_file(whole, data)

    def files(self, folder: str) -> Iterator[str]:
        yield from self._below(folder)

    def matches(self, pattern: str) -> list[str]:
        """Return the paths of the files that a glob below this place matches, in order."""
        from fsspec.utils import glob_translate

        with _told("list", _joined(self.address, pattern)):
            matching = re.compile(glob_translate(pattern))
        depth = None if "**" in pattern else pattern.count("/") + 1
        return [path for path in self._below("", depth) if matching.match(path)]

    def _below(self, folder: str, depth: int | None = None) -> list[str]:
        """Return the paths of all files below a folder, in order; none where there is no folder.

        `find`, `glob` and `walk` of fsspec leave out the folders that a store refuses to list.
        """
        filesystem, root = _opened(self.address)
        found: list[str] = []
        level = [_joined(root, folder)]
        with _told("list", _joined(self.address, folder)):
            filesystem.invalidate_cache()  # other processes write here too
            while level and depth != 0:
                entries = [entry for path in level for entry in _entries(filesystem, path)]
                found += [name for name, is_folder in entries if not is_folder]
                level = [name for name, is_folder in entries if is_folder]
                depth = None if depth is None else depth - 1
        return sorted(path.removeprefix(root).lstrip("/") for path in found)


def _entries(filesystem: Any, folder: str) -> list[tuple[str, bool]]:
    """Return what lies in a folder as (path, whether it is a folder)."""
    try:
        entries = filesystem.ls(folder, detail=True)
    except FileNotFoundError:
        return []
    named = [(entry["name"].rstrip("/"), entry["type"] == "directory") for entry in entries]
    return [(name, is_folder) for name, is_folder in named if name != folder.rstrip("/")]


def open_place(address: str | Path) -> LocalPlace | RemotePlace:
    """Return the place of an address; nothing is connected to before it is used.

    Raises:
        MissingExtraError: The address needs fsspec, and that is not installed.
        SwiftsegError: fsspec has no driver for the address.
    """
    if not is_remote(str(address)):
        return LocalPlace(Path(address).absolute())
    _opened(str(address))
    return RemotePlace(str(address).rstrip("/"))


def without_file_scheme(text: str) -> str:
    """Return the path in `file://PATH`, which needs no driver; any other text as it is."""
    return text.partition("://")[2] if is_remote(text) and scheme_of(text) == "file" else text


def is_remote(text: str) -> bool:
    """Whether a text is an address with a scheme, such as `s3://bucket/folder`."""
    scheme, separator, _ = text.partition("://")
    return bool(separator) and scheme.replace("+", "").isalnum()


def scheme_of(text: str) -> str:
    """Return the scheme of an address, in lower case."""
    return text.partition("://")[0].lower()


def read_address(address: str) -> bytes:
    """Return the content of one file by its address or path. Raises as `Place.read` does."""
    folder, _, name = address.rpartition("/")
    if is_remote(address):
        return RemotePlace(folder).read(name)
    return LocalPlace(Path(address).parent).read(Path(address).name)


def open_address(address: str) -> BinaryIO:
    """Open one file for reading here and there in it. Raises as `Place.read` does."""
    with _told("read", address):
        if not is_remote(address):
            return Path(address).open("rb")
        filesystem, path = _opened(address)
        return filesystem.open(path, "rb")


@contextmanager
def opened_if_remote(address: str) -> Generator[BinaryIO | None]:
    """Yield a remote file, open; None for a file of this machine, which others open by its path."""
    if not is_remote(address):
        yield None
        return
    with closing(open_address(address)) as file:
        yield file


def _joined(root: str, path: str) -> str:
    return f"{root.rstrip('/')}/{path}" if path else root


@cache
def _opened(address: str) -> tuple[Any, str]:
    """Return the file system of an address, and the address's path in it; once a process."""
    with needs_extra(f"{address.partition('://')[0]}://", "cluster"):
        import fsspec
    if scheme_of(address) == _S3:
        path = address.partition("://")[2].rstrip("/")
        return _s3(path.partition("/")[0]), path
    try:
        filesystem, root = fsspec.url_to_fs(address)
    except (ImportError, ValueError) as error:
        raise SwiftsegError(f"{address}: {first_line(error)}") from error
    return filesystem, str(root)


@cache
def _s3(bucket: str) -> Any:
    """Return Arrow's S3 client, set up from the environment as AWS's own tools are."""
    with needs_extra("s3://", "cluster"):
        from fsspec.implementations.arrow import ArrowFSWrapper
        from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem, resolve_s3_region
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if region is None and endpoint is None:
        with _told("find the bucket", f"{_S3}://{bucket}"):
            region = resolve_s3_region(bucket)
    client = S3FileSystem(
        endpoint_override=endpoint,
        region=region,
        connect_timeout=_S3_TIMEOUT_S,
        request_timeout=_S3_TIMEOUT_S,
        retry_strategy=AwsStandardS3RetryStrategy(max_attempts=_S3_ATTEMPTS),
    )
    return ArrowFSWrapper(client)


@contextmanager
def _told(what: str, address: str) -> Generator[None]:
    """Raise SwiftsegError where the block cannot do what is told by `what` and `address`."""
    try:
        yield
    except SwiftsegError:
        raise
    except Exception as error:  # every store's client has errors of its own
        if what == "read" and isinstance(error, FileNotFoundError):
            raise SwiftsegError(f"no such file: {address}") from error
        reason = getattr(error, "strerror", None) or first_line(error)
        raise SwiftsegError(f"cannot {what} {address}: {reason}") from error
