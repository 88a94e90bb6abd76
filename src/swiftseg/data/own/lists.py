"""Lists of pairs, and lists that say which split each pair belongs to."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from swiftseg.core import SwiftsegError
from swiftseg.data.own.file_tree import FileTree
from swiftseg.data.own.finding import Finding, about_files
from swiftseg.data.own.tables import Row, Table, read_table
from swiftseg.data.own.words import find_split, mask_evidence, words_of
from swiftseg.data.paired_files import Pair

MIN_RESOLVED = 0.5  # of a list's lines, for it to be a list of the pairs
MAX_TABLES = 200
MAX_TABLE_BYTES = 16 << 20


@dataclass
class PairList:
    """The pairs of a split, sorted by name, and what is wrong with the rest."""

    pairs: list[Pair] = field(default_factory=list[Pair])
    findings: list[Finding] = field(default_factory=list[Finding])


def read_pair_list(path: Path, root: Path | None = None, split: str | None = None) -> PairList:
    """Read a list of one pair a line: an image and its mask, and possibly more columns.

    Args:
        path: The list.
        root: What the paths in it are relative to; the list's folder where it is None.
        split: Only the lines that name this split, if lines do.
    """
    root = path.parent if root is None else root
    found = PairList()
    try:
        table = read_table(path)
    except SwiftsegError as error:
        found.findings.append(Finding("broken", "bad_list", str(error), files=(str(path),)))
        return found
    rows = [row for row in table.rows if split is None or row.split in (None, split)]
    columns = _pair_columns(table, rows, lambda cell: is_file(_placed(root, cell)))
    wrong: list[str] = []
    missing: list[str] = []
    pairs: dict[str, Pair] = {}
    for row in rows:
        if (
            columns is None
            or max(columns) >= len(row.cells)
            or not all(row.cells[column] for column in columns)
        ):
            wrong.append(f"line {row.number}: {' '.join(row.cells)}")
            continue
        image, mask = (row.cells[column] for column in columns)
        files = [_placed(root, image), _placed(root, mask)]
        gone = [str(file) for file in files if not is_file(file)]
        missing += gone
        whole = files[0].relative_to(root).as_posix() if root in files[0].parents else image
        name = whole.removesuffix(files[0].suffix)
        if name in pairs and pairs[name].image != files[0]:
            name = whole  # two names that differ in their suffix
        if not gone:
            pairs[name] = Pair(name, files[0], files[1])
    if wrong:
        message = (
            f"{path}: expected an image and a mask on each line, apart by a tab, a comma, or "
            f"where names hold none a space, got {wrong[0]!r}"
        )
        found.findings.append(about_files("bad_line", message, wrong))
    if missing:
        message = f"{path}: names {missing[0]}, and there is no such file"
        found.findings.append(about_files("missing_file", message, missing))
    if not pairs and not found.findings:
        found.findings.append(Finding("broken", "no_images", f"{path}: no pairs in this list"))
    found.pairs = [pairs[name] for name in sorted(pairs)]
    return found


def _placed(root: Path, cell: str) -> Path:
    """Return the file that a list names below a folder, also by a path of another machine."""
    text = cell.replace("\\", "/")
    while text:
        if is_file(root / text):
            return root / text
        text = text.partition("/")[2].lstrip("/")
    return root / cell


def is_file(path: Path) -> bool:
    """Whether there is such a file; cells may hold what no name can be, such as run lengths."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _pair_columns(
    table: Table, rows: Sequence[Row], is_file: Callable[[str], bool]
) -> tuple[int, int] | None:
    """Find the columns of images and of masks: the two that name most files, in their order.

    Where names or the header say that the first is the masks', they change places.
    """
    probed = rows[:: max(1, len(rows) // 200)]
    width = max((len(row.cells) for row in probed), default=0)
    named = [
        sum(
            column < len(row.cells) and bool(row.cells[column]) and is_file(row.cells[column])
            for row in probed
        )
        for column in range(width)
    ]
    best = sorted(range(width), key=lambda column: (-named[column], column))[:2]
    if len(best) < 2 or named[best[0]] == 0:
        return (0, 1) if width == 2 else None
    if named[best[1]] == 0 and width > 2:
        return None
    one, other = sorted(best)
    if _evidence(table, probed, one) > _evidence(table, probed, other):
        return other, one
    return one, other


def _evidence(table: Table, rows: Sequence[Row], column: int) -> float:
    """Return how much a column speaks for masks."""
    of_header = mask_evidence(table.header[column]) if column < len(table.header) else 0.0
    first = next((row.cells[column] for row in rows if column < len(row.cells)), "")
    return of_header + mask_evidence(first.rpartition(".")[0])


class Index:
    """Finds the pairs that a cell of a list names: by path, name, stem or folder."""

    def __init__(self, pairs: Sequence[Pair], root: Path) -> None:
        self.pairs = pairs
        self._of_text: defaultdict[str, set[int]] = defaultdict(set)
        self._of_folder: defaultdict[str, set[int]] = defaultdict(set)
        begun = _common_beginning([pair.image.stem for pair in pairs])
        for number, pair in enumerate(pairs):
            self._of_text[pair.name].add(number)
            for path in (pair.image, pair.mask):
                below = path.relative_to(root)
                for text in (below.as_posix(), below.name, below.stem):
                    self._of_text[text].add(number)
                if begun and not (rest := below.stem.removeprefix(begun)).isdecimal():
                    self._of_text[rest].add(number)
                for folder in below.parts[:-1]:
                    self._of_folder[folder].add(number)

    def find(self, cell: str) -> set[int]:
        """Return the numbers of the pairs that a cell names; none or several for a folder."""
        whole = text = cell.strip().replace("\\", "/").removeprefix("./")
        while text:
            for known in (text, text.rpartition(".")[0]):
                found = self._most_alike(self._of_text.get(known, set()), whole)
                if len(found) == 1:
                    return found
            text = text.partition("/")[2].lstrip("/") if "/" in text else ""
        found = self._of_folder.get(cell.strip("/ "), set())
        return found if len(found) < len(self.pairs) else set()

    def _most_alike(self, found: set[int], text: str) -> set[int]:
        """Of several pairs keep those whose paths end in as much of a text as any."""
        while len(found) > 1 and "/" in text:
            alike = {number for number in found if self._ends_in(number, text)}
            if alike:
                return alike
            text = text.partition("/")[2]
        return found

    def _ends_in(self, number: int, text: str) -> bool:
        pair = self.pairs[number]
        return any(path.as_posix().endswith(f"/{text}") for path in (pair.image, pair.mask))


def _common_beginning(stems: Sequence[str]) -> str:
    """Return what all stems begin with, up to a sign; lists may name images without it."""
    begun = os.path.commonprefix(stems)  # noqa: RUF071 of names
    return begun[: max(begun.rfind("_"), begun.rfind("-")) + 1] if len(stems) > 1 else ""


@dataclass
class ListSplits:
    """Splits that lists give.

    Attributes:
        lists: The list of each split, below the root.
        unlisted: How many pairs no list names.
    """

    splits: dict[str, list[Pair]]
    lists: dict[str, str]
    unlisted: int


def find_list_splits(tree: FileTree, pairs: Sequence[Pair]) -> ListSplits | None:
    """Find the lists in a tree that say which split each pair belongs to; None without any."""
    index = Index(pairs, tree.root)
    groups: defaultdict[str, dict[str, tuple[str, set[int]]]] = defaultdict(dict)
    for path in tree.tables[:MAX_TABLES]:
        for split, is_exact, template, numbers in _splits_of_table(tree.root, path, index):
            if is_exact or split not in groups[template]:
                groups[template][split] = (path, numbers)
    best: tuple[int, bool, int] | None = None
    chosen: dict[str, tuple[str, set[int]]] = {}
    for template, found in groups.items():
        parts = [numbers for _, numbers in found.values()]
        covered = len(set[int]().union(*parts))
        is_rest = "train" not in found and covered < len(pairs)
        if sum(map(len, parts)) != covered or not ("train" in found or is_rest):
            continue  # splits that overlap are none
        if found.keys() == {"train"} and 2 * covered < len(pairs):
            continue  # a few examples
        if _are_of_a_part(template, groups):
            continue
        rank = (covered, "segm" in template.lower(), -len(template))
        if best is None or rank > best:
            best, chosen = rank, found
    if best is None or (len(chosen) == 1 and best[0] == len(pairs)):
        return None
    ordered = {split: chosen[split] for split in ("train", "val", "test") if split in chosen}
    splits = {s: [pairs[n] for n in sorted(numbers)] for s, (_, numbers) in ordered.items()}
    lists = {split: path for split, (path, _) in ordered.items()}
    if "train" not in splits:
        return ListSplits(with_the_rest(splits, pairs), lists, 0)
    return ListSplits(splits, lists, len(pairs) - best[0])


def _are_of_a_part(template: str, groups: Mapping[str, Mapping[str, tuple[str, set[int]]]]) -> bool:
    """Whether a list of the same name in another folder names other pairs alone.

    Or one beside it, where each names the splits of its own pairs.
    """
    folder, _, name = template.rpartition("/")
    listed = {n for _, numbers in groups[template].values() for n in numbers}
    for other, found in groups.items():
        numbers = {n for _, of_split in found.values() for n in of_split}
        of_name = other != f"{folder}/{name}" and other.endswith(f"/{name}")
        is_beside = other.startswith(f"{folder}/") and "{split}" not in other + template
        if (of_name or is_beside) and not numbers & listed:
            return True
    return False


def with_the_rest(splits: Mapping[str, list[Pair]], pairs: Sequence[Pair]) -> dict[str, list[Pair]]:
    """Add as train what no list names, where lists name val or test alone."""
    if "train" in splits:
        return dict(splits)
    listed = {pair for of_split in splits.values() for pair in of_split}
    rest = [pair for pair in pairs if pair not in listed]
    return {"train": rest, **splits} if rest else dict(splits)


def _splits_of_table(
    root: Path, path: str, index: Index
) -> Iterable[tuple[str, bool, str, set[int]]]:
    """Yield the splits that a table gives: name, whether exactly so, template, pairs."""
    place = root / path
    if place.stat().st_size > MAX_TABLE_BYTES:
        return
    try:
        table = read_table(place)
    except SwiftsegError:
        return
    folder, _, name = path.rpartition("/")
    stem, _, suffix = name.rpartition(".")
    named = {row.split for row in table.rows} - {None}
    if named:
        for split in sorted(filter(None, named)):
            rows = [row for row in table.rows if row.split == split]
            numbers = resolved(rows, index)
            if numbers:
                yield split, True, path, numbers
        return
    found = find_split(stem)
    if found:
        numbers = resolved(_rows(table, index), index)
        if numbers:
            template = f"{folder}/{found[1]}.{suffix}"
            yield found[0], "trainval" not in words_of(stem), template, numbers


def _rows(table: Table, index: Index) -> list[Row]:
    """Return a table's rows, with the first line where it names a pair and no columns."""
    first = Row(1, table.header, None)
    names_pair = any(len(index.find(cell)) == 1 for cell in table.header)
    return [first, *table.rows] if names_pair else table.rows


def resolved(rows: Sequence[Row], index: Index) -> set[int]:
    """Return the pairs that a list's lines name by the column that names most; none for others."""
    best: list[set[int]] = []
    for column in range(min(8, max((len(row.cells) for row in rows), default=0))):
        found = [index.find(row.cells[column]) for row in rows if column < len(row.cells)]
        if sum(map(bool, found)) > sum(map(bool, best)) and not _are_kinds(found):
            best = found
    if sum(map(bool, best)) < MIN_RESOLVED * len(rows):
        return set()
    return set[int]().union(*best)


def _are_kinds(found: Sequence[set[int]]) -> bool:
    """Whether cells name the same folders again and again: as the kinds of what lines list."""
    named = sum(map(len, found))
    return any(len(one) > 1 for one in found) and named > 2 * len(set[int]().union(*found))


def pairs_in_list(path: Path, split: str, pairs: Sequence[Pair], root: Path) -> PairList:
    """Return the pairs that a list names for a split, of those that patterns have found."""
    try:
        table = read_table(path)
    except SwiftsegError as error:
        return PairList(findings=[Finding("broken", "bad_list", str(error), files=(str(path),))])
    index = Index(pairs, root)
    rows = [row for row in _rows(table, index) if row.split in (None, split)]
    numbers = resolved(rows, index)
    if not numbers:
        message = f"{path}: names no image of this data set for {split}"
        return PairList(findings=[Finding("broken", "no_images", message, files=(str(path),))])
    return PairList([pairs[number] for number in sorted(numbers)])


def find_pair_lists(tree: FileTree) -> dict[str, str]:
    """Find the lists of pairs in a tree whose names say nothing: by split, or under `all`."""
    found: dict[str, str] = {}
    for path in tree.tables[:MAX_TABLES]:
        place = tree.root / path
        if place.stat().st_size > MAX_TABLE_BYTES or place.suffix.lower() == ".json":
            continue
        listed = read_pair_list(place, tree.root)
        if len(listed.pairs) > 1 and not listed.findings:
            split = find_split(Path(path).stem)
            named = {row.split for row in read_table(place).rows} - {None}
            for name in sorted(filter(None, named)) or [split[0] if split else "all"]:
                found.setdefault(name, path)
    return found
