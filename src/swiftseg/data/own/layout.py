"""Finding images and their masks: folders in the usual trees, and lists of pairs.

Nothing is raised here. What does not pair up becomes a finding, so that the doctor can list all of
it and the reader can refuse the first.
"""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from swiftseg.data.images.image_file import IMAGE_SUFFIXES
from swiftseg.data.own.finding import Finding
from swiftseg.data.paired_files import Pair

SPLITS = ("train", "val", "test")
FOLDERS_OF_SPLIT = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
UNSPLIT = "all"
VAL_SHARE = 0.2
SHOWN_FILES = 5


@dataclass
class PairList:
    """The pairs of a split, sorted by name, and what is wrong with the rest."""

    pairs: list[Pair] = field(default_factory=list[Pair])
    findings: list[Finding] = field(default_factory=list[Finding])


def find_splits(root: Path) -> dict[str, PairList]:
    """Finds the pairs of each split below a folder; none where no tree is recognized.

    The trees, in the order they are tried: `images/{split}` and `masks/{split}`; `{split}/images`
    and `{split}/masks`; `{split}` and `{split}annot`; lists `train.txt`, `val.txt`, `test.txt`;
    and `images` and `masks` without splits, which gives the one split `all`. Folders within these
    belong to them.
    """
    trees: tuple[Callable[[str], tuple[Path, Path]], ...] = (
        lambda split: (root / "images" / split, root / "masks" / split),
        lambda split: (root / split / "images", root / split / "masks"),
        lambda split: (root / split, root / f"{split}annot"),
    )
    for folders_of in trees:
        folders = _split_folders(folders_of)
        if any(images.is_dir() and masks.is_dir() for images, masks in folders.values()):
            return _pair_splits(root, folders)
    lists = {split: _list_of(root, split) for split in SPLITS}
    found = {split: read_pair_list(path) for split, path in lists.items() if path.is_file()}
    if found:
        return found
    images, masks = root / "images", root / "masks"
    return {UNSPLIT: pair_folders(images, masks)} if images.is_dir() and masks.is_dir() else {}


def contents_text(folder: Path) -> str:
    """Tells what a folder holds whose tree is none that is known."""
    entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    folders = [path.name for path in entries if path.is_dir()]
    parts = [f"the folders {', '.join(folders[:SHOWN_FILES])}"] if folders else []
    parts += [_kinds_text(path for path in entries if path.is_file())] if entries else []
    return " and ".join(part for part in parts if part) or "an empty folder"


def pair_folders(images: Path, masks: Path) -> PairList:
    """Pairs the files below two folders by their names there, without suffixes."""
    found = PairList()
    image_of = _by_name(_image_files(images), images, found)
    if not image_of:
        found.findings.append(_no_images(images))
    return _pair_by_name(image_of, masks, found, where=images)


def pair_files(images: Iterable[Path], masks: Path, *, where: Path) -> PairList:
    """Pairs images that a list names with the masks of a folder; `where` is the list."""
    found = PairList()
    image_of = _by_name(images, None, found)
    if not image_of:
        found.findings.append(Finding("broken", "no_images", f"{where}: no images in this list"))
    return _pair_by_name(image_of, masks, found, where=where)


def read_pair_list(path: Path, root: Path | None = None) -> PairList:
    """Reads a text file of one pair a line: image and mask, apart by a tab, a comma or a space.

    Args:
        path: The list; lines that are empty or begin with # do not count.
        root: What the paths in it are relative to; the list's folder where it is None.
    """
    root = path.parent if root is None else root
    found = PairList()
    lines = read_lines(path, found)
    wrong: list[str] = []
    missing: list[str] = []
    pairs: dict[str, Pair] = {}
    for number, line in lines:
        parts = split_line(line)
        if len(parts) != 2:
            wrong.append(f"line {number}: {line}")
            continue
        image, mask = (root / part for part in parts)
        missing += [str(file) for file in (image, mask) if not file.is_file()]
        name = parts[0].removesuffix(Path(parts[0]).suffix)
        pairs[name] = Pair(name, image, mask)
    if wrong:
        message = (
            f"{path}: expected an image and a mask on each line, apart by a tab, a comma, or "
            f"where names hold none a space, got {wrong[0]!r}"
        )
        found.findings.append(_about_files("bad_line", message, wrong))
    if missing:
        message = f"{path}: names {missing[0]}, and there is no such file"
        found.findings.append(_about_files("missing_file", message, missing))
    if not pairs and not found.findings:
        found.findings.append(Finding("broken", "no_images", f"{path}: no pairs in this list"))
    found.pairs = [pairs[name] for name in sorted(pairs) if _is_there(pairs[name])]
    return found


def read_lines(path: Path, found: PairList) -> list[tuple[int, str]]:
    """Reads the lines of a list that count, with their numbers; notes a file that is no text."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        message = (
            f"{path}: expected a text file with an image and its mask on each line, got bytes that "
            f"are no UTF-8 text (at byte {error.start})"
        )
        found.findings.append(Finding("broken", "bad_list", message, files=(str(path),)))
        return []
    lines = enumerate((line.strip() for line in text.splitlines()), 1)
    return [(number, line) for number, line in lines if line and not line.startswith("#")]


def split_line(line: str) -> list[str]:
    """Splits at tabs, or else commas, or else spaces, so that paths may hold what comes later."""
    separator = next((sign for sign in ("\t", ",") if sign in line), None)
    return [part.strip() for part in line.split(separator)]


def hold_out_val(splits: Mapping[str, list[Pair]]) -> dict[str, list[Pair]]:
    """Adds the splits train and val where there is no val: a fifth of the pairs, at least one.

    Names decide, by their hash: the same files give the same split on every machine, and a file
    that is added moves few others.
    """
    base = splits.get("train", splits.get(UNSPLIT, []))
    if "val" in splits or len(base) < 2:
        return dict(splits)
    count = max(1, round(VAL_SHARE * len(base)))
    by_hash = sorted(base, key=lambda pair: hashlib.sha256(pair.name.encode()).digest())
    held_out = {pair.name for pair in by_hash[:count]}
    return {
        **splits,
        "train": [pair for pair in base if pair.name not in held_out],
        "val": [pair for pair in base if pair.name in held_out],
    }


def _split_folders(
    folders_of: Callable[[str], tuple[Path, Path]],
) -> dict[str, tuple[Path, Path]]:
    """Gives the folders of images and of masks of each split, whatever its folders are called."""
    folders: dict[str, tuple[Path, Path]] = {}
    for split, names in FOLDERS_OF_SPLIT.items():
        there = [folders_of(name) for name in names if folders_of(name)[0].is_dir()]
        folders[split] = there[0] if there else folders_of(split)
    return folders


def _pair_splits(root: Path, folders: dict[str, tuple[Path, Path]]) -> dict[str, PairList]:
    for name in _further_splits(root, {images for images, _ in folders.values()}):
        folders[name] = (root / "images" / name, root / "masks" / name)
    splits = {
        split: pair_folders(images, masks)
        for split, (images, masks) in folders.items()
        # Tests are often given without masks; they are not for training or scoring then.
        if masks.is_dir() or (images.is_dir() and split != "test")
    }
    beside = _image_files(root / "images", {images for images, _ in folders.values()})
    if beside and splits:
        message = (
            f"{beside[0]}: in no split, and not used: {root / 'images'} has a folder for each split"
        )
        names = tuple(map(str, beside[:SHOWN_FILES]))
        unused = Finding("warning", "unused_images", message, len(beside), names)
        next(iter(splits.values())).findings.append(unused)
    return splits


def _further_splits(root: Path, usual: Collection[Path]) -> list[str]:
    """Names the folders that both `images` and `masks` hold beside the usual splits."""
    if not (root / "images").is_dir():
        return []
    folders = (path for path in (root / "images").iterdir() if path.is_dir())
    names = (path.name for path in folders if path not in usual)
    return sorted(name for name in names if (root / "masks" / name).is_dir())


def _list_of(root: Path, split: str) -> Path:
    lists = [root / f"{name}.txt" for name in FOLDERS_OF_SPLIT[split]]
    return next((path for path in lists if path.is_file()), lists[0])


def _image_files(folder: Path, without: Collection[Path] = ()) -> list[Path]:
    """Lists the images below a folder, but for hidden ones and for those of some folders."""
    found: list[Path] = []
    for at, folders, names in os.walk(folder, onerror=_raise):
        folders[:] = [n for n in folders if not n.startswith(".") and Path(at, n) not in without]
        found += [
            Path(at, name)
            for name in names
            if name.lower().endswith(IMAGE_SUFFIXES) and not name.startswith(".")
        ]
    return sorted(found)


def _raise(error: OSError) -> None:
    """Keeps os.walk from passing over what it cannot list; a missing folder has no images."""
    if not isinstance(error, FileNotFoundError):
        raise error


def _pair_by_name(
    image_of: dict[str, Path], masks: Path, found: PairList, *, where: Path
) -> PairList:
    if not masks.is_dir():
        message = f"{masks}: no such folder, for the masks of {where}"
        found.findings.append(Finding("broken", "missing_folder", message))
    mask_of = _by_name(_image_files(masks), masks, found)
    if masks.is_dir() and not mask_of:
        found.findings.append(_no_images(masks))
    if not image_of.keys() & mask_of.keys():
        image_of, mask_of = _without_endings(image_of, mask_of, found)
    _note_missing(found, "image_without_mask", image_of, mask_of, f"mask in {masks}")
    _note_missing(found, "mask_without_image", mask_of, image_of, f"image in {where}")
    found.pairs = [
        Pair(name, path, mask_of[name])
        for name, path in sorted(image_of.items())
        if name in mask_of
    ]
    return found


def _without_endings(
    image_of: dict[str, Path], mask_of: dict[str, Path], found: PairList
) -> tuple[dict[str, Path], dict[str, Path]]:
    """Takes off what all images, and all masks, have behind their names, such as `_mask`."""
    endings = [common_ending(of) for of in (image_of, mask_of)]
    short = [
        {name.removesuffix(ending): path for name, path in of.items()}
        for of, ending in zip((image_of, mask_of), endings, strict=True)
    ]
    if not short[0].keys() & short[1].keys():
        return image_of, mask_of
    message = f"names end in {endings[0]!r} for images and in {endings[1]!r} for masks"
    found.findings.append(Finding("note", "named_apart", message))
    return short[0], short[1]


def common_ending(names: Collection[str]) -> str:
    """Gives what all names end in, from a `_`, `-` or `.` on; nothing that is all of a name."""
    ending = os.path.commonprefix([name[::-1] for name in names])[::-1]  # noqa: RUF071
    part = re.search(r"[_.-].*", ending)
    return part.group() if part and part.group() not in names else ""


def _by_name(paths: Iterable[Path], folder: Path | None, found: PairList) -> dict[str, Path]:
    """Keys files by their names below a folder without suffixes; by stems where it is None."""
    of_name: dict[str, Path] = {}
    twice: list[Path] = []
    for path in paths:
        name = path.stem
        if folder is not None:
            name = path.relative_to(folder).with_suffix("").as_posix()
        if of_name.setdefault(name, path) != path:
            twice.append(path)
    if twice:
        first = twice[0]
        other = next(path for path in of_name.values() if path.stem == first.stem)
        message = f"{first}: {other.name} has the same name in {first.parent}"
        found.findings.append(_about_files("same_name", message, twice))
    return of_name


def _no_images(folder: Path) -> Finding:
    others = [path for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
    there = f", but {_kinds_text(others)}" if others else ""
    message = f"{folder}: no images here ({', '.join(IMAGE_SUFFIXES)}){there}"
    return Finding("broken", "no_images", message)


def _kinds_text(files: Iterable[Path]) -> str:
    """Counts files by suffix: `8 .npy files, 1 .txt file`."""
    kinds = Counter(path.suffix.lower() or "nameless" for path in files)
    return ", ".join(f"{count} {kind} files" for kind, count in kinds.most_common(3))


def _note_missing(
    found: PairList, code: str, have: dict[str, Path], other: dict[str, Path], what: str
) -> None:
    alone = [have[stem] for stem in sorted(have.keys() - other.keys())]
    if alone:
        message = f"{alone[0]}: no {what} has this name ({len(alone)} such files)"
        found.findings.append(_about_files(code, message, alone))


def _about_files(code: str, message: str, files: Iterable[object]) -> Finding:
    names = [str(file) for file in files]
    return Finding("broken", code, message, len(names), tuple(names[:SHOWN_FILES]))


def _is_there(pair: Pair) -> bool:
    return pair.image.is_file() and pair.mask.is_file()
