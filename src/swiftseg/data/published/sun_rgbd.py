"""SUN RGB-D: 37 classes of indoor scenes.

Song, Lichtenberg, Xiao, "SUN RGB-D: a RGB-D scene understanding benchmark suite", CVPR 2015; names
as in its `seg37list.mat`.

The toolbox keeps all masks in one MATLAB file that takes 64 GB to load. What is read here is the
PNG extraction that segmentation papers use (github.com/ankurhanda/sunrgbd-meta-data), as its
archives unpack: `SUNRGBD-train_images` (5,285 frames), `SUNRGBD-test_images` (5,050) and
`sunrgbd_train_test_labels`, where the test's masks come first.
"""

from pathlib import Path

from swiftseg.core import LabelSet, SwiftsegError
from swiftseg.data.mask_values import IndexMasks
from swiftseg.data.paired_files import Pair, PairedFiles
from swiftseg.data.paired_folder import paths_by_stem
from swiftseg.data.published.tree import find_tree
from swiftseg.data.voc_colors import voc_colors

MASKS = "sunrgbd_train_test_labels"
FIRST_MASK = {"train": 5051, "test": 1}  # the number of the mask of img-000001
IGNORED = 255

NAMES = (  # noqa: SIM905 rows are easier to compare with seg37list
    "wall floor cabinet bed chair sofa table door window bookshelf picture counter blinds desk "
    "shelves curtain dresser pillow mirror floor_mat clothes ceiling books fridge tv paper towel "
    "shower_curtain box whiteboard person night_stand toilet sink lamp bathtub bag"
).split()

# There is no official palette.
SUN_RGBD_LABELS = LabelSet(tuple(NAMES), voc_colors(len(NAMES) + 1)[1:], IGNORED)


def is_sun_rgbd(folder: Path) -> bool:
    """Whether a folder has the tree of SUN RGB-D's PNG extraction."""
    return find_tree(folder, ["."], MASKS) is not None


def open_sun_rgbd(folder: Path, split: str) -> PairedFiles:
    """Open a split of SUN RGB-D where it lies; value 0 of the masks is no class and ignored.

    Raises:
        SwiftsegError: A folder or a frame's mask is missing.
    """
    frames = paths_by_stem(folder / f"SUNRGBD-{split}_images")
    pairs = [Pair(name, path, _mask_of(path, folder, split)) for name, path in frames.items()]
    table = {value: value - 1 for value in range(1, len(NAMES) + 1)} | {0: IGNORED}
    return PairedFiles(pairs, SUN_RGBD_LABELS, IndexMasks(table, IGNORED))


def _mask_of(image: Path, folder: Path, split: str) -> Path:
    prefix, _, number = image.stem.rpartition("-")
    if prefix != "img" or not number.isdecimal():
        raise SwiftsegError(f"{image}: expected frames named img-000001.jpg and on")
    mask = folder / MASKS / f"img-{int(number) - 1 + FIRST_MASK[split]:06d}.png"
    if not mask.is_file():
        raise SwiftsegError(f"{image}: its mask {mask} is missing")
    return mask
