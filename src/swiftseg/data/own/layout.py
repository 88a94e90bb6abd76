"""Finding images and their masks: folders in the usual trees, and lists of pairs.

Nothing is raised here. What does not pair up becomes a finding, so that the doctor can list all of
it and the reader can refuse the first.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from swiftseg.data.image_file import IMAGE_SUFFIXES
from swiftseg.data.own.finding import Finding
from swiftseg.data.paired_files import Pair

SPLITS = ("train", "val", "test")
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
    and `images` and `masks` without splits, which gives the one split `all`.
    """
    trees: tuple[Callable[[str], tuple[Path, Path]], ...] = (
        lambda split: (root / "images" / split, root / "masks" / split),
        lambda split: (root / split / "images", root / split / "masks"),
        lambda split: (root / split, root / f"{split}annot"),
    )
    for folders_of in trees:
        folders = {split: folders_of(split) for split in (*SPLITS, *_further_splits(root))}
        if any(images.is_dir() and masks.is_dir() for images, masks in folders.values()):
            return {
                split: pair_folders(images, masks)
                for split, (images, masks) in folders.items()
                # Tests are often given without masks; they are not for training or scoring then.
                if masks.is_dir() or (images.is_dir() and split != "test")
            }
    lists = {split: root / f"{split}.txt" for split in SPLITS}
    found = {split: read_pair_list(path) for split, path in lists.items() if path.is_file()}
    if found:
        return found
    images, masks = root / "images", root / "masks"
    return {UNSPLIT: pair_folders(images, masks)} if images.is_dir() and masks.is_dir() else {}


def pair_folders(images: Path, masks: Path) -> PairList:
    """Pairs the files of two folders by their stems."""
    return pair_files(_image_files(images), masks, where=str(images))


def pair_files(images: Iterable[Path], masks: Path, *, where: str) -> PairList:
    """Pairs images with the masks of a folder by their stems; `where` names the images' place."""
    found = PairList()
    if not masks.is_dir():
        message = f"{masks}: no such folder, for the masks of {where}"
        found.findings.append(Finding("broken", "missing_folder", message))
    image_of = _by_stem(images, found)
    mask_of = _by_stem(_image_files(masks), found)
    if not image_of:
        found.findings.append(Finding("broken", "no_images", f"{where}: no images here"))
    _note_missing(found, "image_without_mask", image_of, mask_of, f"mask in {masks}")
    _note_missing(found, "mask_without_image", mask_of, image_of, f"image in {where}")
    found.pairs = [
        Pair(stem, path, mask_of[stem])
        for stem, path in sorted(image_of.items())
        if stem in mask_of
    ]
    return found


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
        message = f"{path}: expected an image and a mask on each line, got {wrong[0]!r}"
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
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: expected a text file with one pair a line ({error})"
        found.findings.append(Finding("broken", "missing_file", message, files=(str(path),)))
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


def _further_splits(root: Path) -> list[str]:
    """Names the folders that both `images` and `masks` hold beside the usual splits."""
    if not (root / "images").is_dir():
        return []
    names = (path.name for path in (root / "images").iterdir() if path.is_dir())
    return sorted(n for n in names if n not in SPLITS and (root / "masks" / n).is_dir())


def _image_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
    )


def _by_stem(paths: Iterable[Path], found: PairList) -> dict[str, Path]:
    of_stem: dict[str, Path] = {}
    twice = [path for path in paths if of_stem.setdefault(path.stem, path) != path]
    if twice:
        first = twice[0]
        message = f"{first}: {of_stem[first.stem].name} has the same name in {first.parent}"
        found.findings.append(_about_files("same_name", message, twice))
    return of_stem


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
