"""SYNTHIA-RAND, 13,407 rendered street scenes of 960x720, as the paper of the data set had it.

Ros et al., "The SYNTHIA dataset", CVPR 2016; the archive SYNTHIA_RAND_CVPR16, colors as in its
readme. Its 13 classes count void as one, and lane markings, as the SegFast paper's numbers do.

The tree: `RGB/*.png` and color masks `GT/*.png` of the same names. The release has no splits; the
SegFast paper learns from 10,786 frames and is scored on 2,621, without saying which: here `val` is
as large a share, evenly spaced in the order of the names.
"""

from pathlib import Path

from swiftseg.core import LabelSet
from swiftseg.data.mask_values import ColorMasks
from swiftseg.data.paired_files import PairedFiles
from swiftseg.data.paired_folder import pair_by_stem
from swiftseg.data.published.tree import are_named, find_tree

IMAGES, MASKS = "RGB", "GT"
FRAME_NAME = r"ap_\d{3}_[\d-]+_[\d-]+_\d+_\d+_Rand_\d+"
FRAMES, VAL_FRAMES = 13_407, 2_621

SYNTHIA_RAND_LABELS = LabelSet(
    names=(
        *("void", "sky", "building", "road", "sidewalk", "fence", "vegetation", "pole", "car"),
        *("sign", "pedestrian", "cyclist", "lane marking"),
    ),
    palette=(
        *((0, 0, 0), (128, 128, 128), (128, 0, 0), (128, 64, 128), (0, 0, 192), (64, 64, 128)),
        *((128, 128, 0), (192, 192, 128), (64, 0, 128), (192, 128, 128), (64, 64, 0)),
        *((0, 128, 192), (0, 172, 0)),
    ),
)


def is_synthia_rand(folder: Path) -> bool:
    """Whether a folder has the tree of SYNTHIA-RAND."""
    return find_tree(folder, ["."], IMAGES, MASKS) is not None and are_named(
        folder / IMAGES, FRAME_NAME
    )


def open_synthia_rand(folder: Path, split: str) -> PairedFiles:
    """Open SYNTHIA-RAND where it lies.

    Args:
        folder: Holds `RGB` and `GT`.
        split: train or val.

    Raises:
        SwiftsegError: A folder is missing, or images and masks do not pair up.
    """
    pairs = pair_by_stem(folder / IMAGES, folder / MASKS)
    chosen = [pair for at, pair in enumerate(pairs) if is_val(at) == (split == "val")]
    colors = {color: index for index, color in enumerate(SYNTHIA_RAND_LABELS.palette)}
    return PairedFiles(chosen, SYNTHIA_RAND_LABELS, ColorMasks(colors))


def is_val(at: int) -> bool:
    """Whether the frame at a place in the order of the names is held out."""
    return (at + 1) * VAL_FRAMES // FRAMES > at * VAL_FRAMES // FRAMES
