"""IDD-Lite: Indian roads in 7 coarse classes, the small release of the India Driving Dataset.

Varma, Subramanian, Namboodiri, Chandraker, Jawahar, "IDD: A dataset for exploring problems of
autonomous navigation in unconstrained environments", WACV 2019.

The tree: `leftImg8bit/{split}/{drive}/{name}_image.jpg`, of 320x227 (W,H), and likewise
`gtFine/{split}/{drive}/{name}_label.png`.
"""

from pathlib import Path

from swiftseg.core import LabelSet, SwiftsegError
from swiftseg.data.mask_values import plain_masks
from swiftseg.data.paired_files import Pair, PairedFiles
from swiftseg.data.paired_folder import pair_by_stem
from swiftseg.data.published.tree import are_named

SPLITS = ("train", "val")
FRAME_NAME = r"[A-Za-z0-9]+_image"

# The colors are those of the most frequent class in the full release's palette.
COLORS = {
    "drivable": (128, 64, 128),
    "non-drivable": (244, 35, 232),
    "living things": (220, 20, 60),
    "vehicles": (0, 0, 142),
    "roadside objects": (190, 153, 153),
    "far objects": (70, 70, 70),
    "sky": (70, 130, 180),
}
IDD_LITE_LABELS = LabelSet(tuple(COLORS), tuple(COLORS.values()), ignore_index=255)


def is_idd_lite(folder: Path) -> bool:
    """Whether a folder has the release's tree."""
    return any(
        (folder / "gtFine" / split).is_dir()
        and are_named(folder / "leftImg8bit" / split, FRAME_NAME)
        for split in SPLITS
    )


def open_idd_lite(folder: Path, split: str) -> PairedFiles:
    """Open a split where it lies; a frame's name is `{drive}/{name}`.

    Raises:
        SwiftsegError: The split's folders are missing or do not pair up.
    """
    images, masks = folder / "leftImg8bit" / split, folder / "gtFine" / split
    if not images.is_dir():
        raise SwiftsegError(f"{images}: no such folder")
    pairs: list[Pair] = []
    for drive in sorted(path.name for path in images.iterdir() if path.is_dir()):
        found = pair_by_stem(
            images / drive, masks / drive, image_suffix="_image", mask_suffix="_label"
        )
        pairs += [pair._replace(name=f"{drive}/{pair.name}") for pair in found]
    if not pairs:
        raise SwiftsegError(f"{images}: no folders of drives in this folder")
    return PairedFiles(pairs, IDD_LITE_LABELS, plain_masks(IDD_LITE_LABELS))
