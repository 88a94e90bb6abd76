"""Tables that name images or hold them: CSV with the base install, Parquet with the extra."""

import csv
import io
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any

from swiftseg.core import SwiftsegError, UsageError, needs_extra
from swiftseg.core.errors import first_line
from swiftseg.labeling.place import open_address, read_address

TABLE_SUFFIXES = (".csv", ".parquet")

_CSV = ".csv"
_USUAL_COLUMNS = ("path", "image", "address", "file", "file_name", "url")


def table_column(source: str, column: str | None) -> tuple[str, bool]:
    """Find a table's column of images; return its name, and whether it holds the images' bytes.

    Args:
        source: The table's path or address.
        column: Its name; None takes the first usual one that there is.

    Raises:
        UsageError: There is no such column.
        SwiftsegError: The table cannot be read, or the column holds neither paths nor bytes.
    """
    if _is_csv(source):
        return _chosen(source, column, _csv_rows(source)[0]), False
    with _parquet(source) as table:
        schema = table.schema_arrow
    import pyarrow as pa

    name = _chosen(source, column, schema.names)
    kind = schema.field(name).type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return name, False
    if _bytes_field(kind) is None and not _is_binary(kind):
        raise SwiftsegError(
            f"{source}: expected paths or an image's bytes in the column {name}, got {kind}"
        )
    return name, True


def path_rows(source: str, column: str) -> list[str]:
    """Return the paths in a column, without empty ones."""
    if _is_csv(source):
        header, *rows = _csv_rows(source)
        at = header.index(column)
        found = [row[at].strip() for row in rows if len(row) > at]
    else:
        with _parquet(source) as table:
            found = [str(path or "") for path in table.read([column])[column].to_pylist()]
    return [path for path in found if path]


def picture_rows(source: str) -> Iterator[tuple[int, int]]:
    """Yield (row group, row in it) of every row of a Parquet table."""
    with _parquet(source) as table:
        for group in range(table.num_row_groups):
            for row in range(table.metadata.row_group(group).num_rows):
                yield group, row


class PictureRows:
    """Reads images out of Parquet tables, one row group after the other; for one thread."""

    def __init__(self) -> None:
        self._held: tuple[str, str, int] | None = None
        self._cells: Any = None

    def read(self, source: str, column: str, group: int, row: int) -> bytes:
        """Return the image's bytes of one row.

        Raises:
            SwiftsegError: The table cannot be read, or the row holds nothing.
        """
        if self._held != (source, column, group):
            with _parquet(source) as table:
                self._cells = table.read_row_group(group, [column])[column]
            self._held = (source, column, group)
        cell: Any = self._cells[row].as_py()
        data = cell.get("bytes") if isinstance(cell, dict) else cell
        if not data:
            raise SwiftsegError(f"{source}: row {row} of row group {group} holds no image")
        return data


def _chosen(source: str, column: str | None, names: Sequence[str]) -> str:
    usual = [name for name in _USUAL_COLUMNS if name in names]
    if column is not None and column in names:
        return column
    if column is None and usual:
        return usual[0]
    asked = "none of its columns is a usual one" if column is None else f"it has no {column!r}"
    raise UsageError(f"{source}: {asked}; choose --column from {', '.join(names)}")


def _is_csv(source: str) -> bool:
    return PurePosixPath(source).suffix.lower() == _CSV


def _csv_rows(source: str) -> list[list[str]]:
    text = read_address(source).decode("utf-8-sig", errors="replace")
    try:
        rows = [row for row in csv.reader(io.StringIO(text)) if row]
    except csv.Error as error:
        raise SwiftsegError(f"{source}: not a CSV table that can be read ({error})") from error
    if not rows:
        raise SwiftsegError(f"{source}: an empty table")
    return rows


@contextmanager
def _parquet(source: str) -> Generator[Any]:
    with needs_extra("Parquet", "cluster"):
        import pyarrow as pa
        import pyarrow.parquet as pq
    with open_address(source) as file:
        try:
            yield pq.ParquetFile(file)
        except (pa.ArrowException, OSError) as error:  # OSError: what a damaged page gives
            raise SwiftsegError(
                f"{source}: not a Parquet table that can be read ({first_line(error)})"
            ) from error


def _is_binary(kind: Any) -> bool:
    import pyarrow as pa

    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def _bytes_field(kind: Any) -> Any:
    """Return the field `bytes` of a struct, as Hugging Face's data sets store images, or None."""
    import pyarrow as pa

    if not pa.types.is_struct(kind) or kind.get_field_index("bytes") < 0:
        return None
    return kind.field("bytes")
