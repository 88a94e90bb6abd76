"""Frames and index masks that lie in two folders and share their file stems."""

from pathlib import Path

from swiftseg.core import LabelSet, SwiftsegError
from swiftseg.data.images.header import IMAGE_SUFFIXES
from swiftseg.data.mask_values import plain_masks
from swiftseg.data.paired_files import Pair, PairedFiles


def open_paired_folder(images: Path, masks: Path, labels: LabelSet) -> PairedFiles:
    """Open a folder of frames and a folder of masks that hold class indices.

    Raises:
        SwiftsegError: A folder is missing or empty, or a frame or mask lacks its partner.
    """
    return PairedFiles(pair_by_stem(images, masks), labels, plain_masks(labels))


def pair_by_stem(
    images: Path, masks: Path, *, image_suffix: str = "", mask_suffix: str = ""
) -> list[Pair]:
    """Pairs the files of two folders by their stems, sorted by name.

    Suffixes are what stems have behind the name, such as `_leftImg8bit`; masks without theirs are
    left aside.

    Raises:
        SwiftsegError: A folder is missing or empty, or a frame or mask lacks its partner.
    """
    image_paths = paths_by_stem(images, image_suffix)
    mask_paths = paths_by_stem(masks, mask_suffix)
    for have, other, what in (
        (image_paths, mask_paths, f"mask in {masks}"),
        (mask_paths, image_paths, f"image in {images}"),
    ):
        alone = sorted(have.keys() - other.keys())
        if alone:
            raise SwiftsegError(
                f"{have[alone[0]]}: no {what} has this name ({len(alone)} such files)"
            )
    return [Pair(stem, path, mask_paths[stem]) for stem, path in sorted(image_paths.items())]


def paths_by_stem(folder: Path, stem_suffix: str = "") -> dict[str, Path]:
    """Find the images of a folder by stem; two of one stem are refused, as are none.

    With a `stem_suffix` only the files that have it are taken, and the names go without it.
    """
    if not folder.is_dir():
        raise SwiftsegError(f"{folder}: no such folder")
    paths: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in IMAGE_SUFFIXES or path.name.startswith("."):
            continue
        if not path.stem.endswith(stem_suffix):
            continue
        name = path.stem.removesuffix(stem_suffix)
        if name in paths:
            raise SwiftsegError(f"{path}: {paths[name].name} has the same name in {folder}")
        paths[name] = path
    if not paths:
        named = f" named *{stem_suffix}" if stem_suffix else ""
        raise SwiftsegError(f"{folder}: no images{named} in this folder")
    return paths
