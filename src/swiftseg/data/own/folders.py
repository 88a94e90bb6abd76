"""Folders of images and of masks that a dataset.yaml names."""

import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from swiftseg.data.images.array_file import BINARY_SUFFIXES
from swiftseg.data.images.header import IMAGE_SUFFIXES
from swiftseg.data.own.finding import SHOWN_FILES, Finding, about_files
from swiftseg.data.own.lists import PairList
from swiftseg.data.paired_files import Pair

_SLICES = "save each slice and its mask as an image or .npy"
_UNPACK = "unpack them first"
# What to do with data in formats that are not read.
_UNREAD = {
    **dict.fromkeys((".nii", ".dcm", ".nrrd", ".mha", ".mhd"), _SLICES),
    **dict.fromkeys((".zip", ".gz", ".tar", ".tgz", ".7z", ".rar"), _UNPACK),
    **dict.fromkeys((".h5", ".hdf5", ".tfrecord", ".lmdb"), "save each array as .npy"),
    **dict.fromkeys((".geojson", ".shp"), "draw their outlines into masks"),
}


def contents_text(folder: Path) -> str:
    """Tell what a folder holds whose tree is none that is known."""
    entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    folders = [path.name for path in entries if path.is_dir()]
    parts = [f"the folders {', '.join(folders[:SHOWN_FILES])}"] if folders else []
    parts += [_kinds_text(path for path in entries if path.is_file())] if entries else []
    return " and ".join(part for part in parts if part) or "an empty folder"


def unread_text(counts: Mapping[str, int]) -> str:
    """Tell which files of a tree hold data in formats that are not read, and what to do."""
    kinds = [(suffix, count) for suffix, count in counts.items() if suffix in _UNREAD]
    return "".join(
        f"; {count} {suffix} files are not read: {_UNREAD[suffix]}" for suffix, count in kinds
    )


def pair_folders(images: Path, masks: Path) -> PairList:
    """Pair the files below two folders by their names there, without suffixes."""
    found = PairList()
    image_of = _by_name(_image_files(images), images, found)
    if not image_of:
        found.findings.append(_no_images(images))
    return _pair_by_name(image_of, masks, found, where=images)


def pair_files(images: Iterable[Path], masks: Path, *, where: Path) -> PairList:
    """Pair images that a list names with the masks of a folder; `where` is the list."""
    found = PairList()
    image_of = _by_name(images, None, found)
    if not image_of:
        found.findings.append(Finding("broken", "no_images", f"{where}: no images in this list"))
    return _pair_by_name(image_of, masks, found, where=where)


def _image_files(folder: Path) -> list[Path]:
    """List the images and arrays below a folder, but for hidden ones."""
    found: list[Path] = []
    for at, folders, names in os.walk(folder, onerror=_raise):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [
            Path(at, name)
            for name in names
            if name.lower().endswith(IMAGE_SUFFIXES + BINARY_SUFFIXES) and not name.startswith(".")
        ]
    return sorted(found)


def _raise(error: OSError) -> None:
    """Keep os.walk from passing over what it cannot list; a missing folder has no images."""
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
    """Take off what all images, and all masks, have behind their names, such as `_mask`."""
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
    """Return what all names end in, from a `_`, `-` or `.` on; nothing that is all of a name."""
    ending = os.path.commonprefix([name[::-1] for name in names])[::-1]  # noqa: RUF071
    part = re.search(r"[_.-].*", ending)
    return part.group() if part and part.group() not in names else ""


def _by_name(paths: Iterable[Path], folder: Path | None, found: PairList) -> dict[str, Path]:
    """Key files by their names below a folder without suffixes; by stems where it is None."""
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
        found.findings.append(about_files("same_name", message, twice))
    return of_name


def _no_images(folder: Path) -> Finding:
    others = [path for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
    there = f", but {_kinds_text(others)}" if others else ""
    message = f"{folder}: no images here ({', '.join(IMAGE_SUFFIXES)}){there}"
    return Finding("broken", "no_images", message)


def _kinds_text(files: Iterable[Path]) -> str:
    """Count files by suffix: `8 .npy files, 1 .txt file`."""
    kinds = Counter(path.suffix.lower() or "nameless" for path in files)
    return ", ".join(f"{count} {kind} files" for kind, count in kinds.most_common(3))


def _note_missing(
    found: PairList, code: str, have: dict[str, Path], other: dict[str, Path], what: str
) -> None:
    alone = [have[stem] for stem in sorted(have.keys() - other.keys())]
    if alone:
        message = f"{alone[0]}: no {what} has this name ({len(alone)} such files)"
        found.findings.append(about_files(code, message, alone))
