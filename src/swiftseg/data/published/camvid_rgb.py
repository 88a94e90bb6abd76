"""CamVid as released: 701 frames of 960x720 with color masks of 32 classes.

Brostow, Fauqueur, Cipolla, "Semantic object classes in video: a high-definition ground truth
database", Pattern Recognition Letters 30(2), 2009; colors as in its `label_colors.txt`.

The tree: `701_StillsRaw_full/{name}.png` and `LabeledApproved_full/{name}_L.png`. The release has
no splits; these are the customary 367, 101 and 233 frames of the SegNet tutorial.
"""

from pathlib import Path
from typing import Literal, NamedTuple

from swiftseg.core import LabelSet, SwiftsegError
from swiftseg.core.labels import RGB
from swiftseg.data.mask_values import ColorMasks
from swiftseg.data.paired_files import PairedFiles
from swiftseg.data.paired_folder import pair_by_stem
from swiftseg.data.published.camvid import CAMVID_LABELS, FRAME_NAME
from swiftseg.data.published.tree import are_named, find_tree

ClassSet = Literal["11", "32"]

IMAGES = "701_StillsRaw_full"
MASKS = "LabeledApproved_full"


class CamVidColor(NamedTuple):
    """One of the 32 classes: its color in the masks, and which of the 11 it belongs to."""

    name: str
    color: RGB
    among_11: str | None


# The grouping is the one of SegNet's training (Badrinarayanan, Kendall, Cipolla, PAMI 2017).
COLORS = (
    CamVidColor("Animal", (64, 128, 64), "pedestrian"),
    CamVidColor("Archway", (192, 0, 128), "building"),
    CamVidColor("Bicyclist", (0, 128, 192), "bicyclist"),
    CamVidColor("Bridge", (0, 128, 64), "building"),
    CamVidColor("Building", (128, 0, 0), "building"),
    CamVidColor("Car", (64, 0, 128), "car"),
    CamVidColor("CartLuggagePram", (64, 0, 192), "pedestrian"),
    CamVidColor("Child", (192, 128, 64), "pedestrian"),
    CamVidColor("Column_Pole", (192, 192, 128), "pole"),
    CamVidColor("Fence", (64, 64, 128), "fence"),
    CamVidColor("LaneMkgsDriv", (128, 0, 192), "road"),
    CamVidColor("LaneMkgsNonDriv", (192, 0, 64), "road"),
    CamVidColor("Misc_Text", (128, 128, 64), "sign"),
    CamVidColor("MotorcycleScooter", (192, 0, 192), "bicyclist"),
    CamVidColor("OtherMoving", (128, 64, 64), "car"),
    CamVidColor("ParkingBlock", (64, 192, 128), "sidewalk"),
    CamVidColor("Pedestrian", (64, 64, 0), "pedestrian"),
    CamVidColor("Road", (128, 64, 128), "road"),
    CamVidColor("RoadShoulder", (128, 128, 192), "sidewalk"),
    CamVidColor("Sidewalk", (0, 0, 192), "sidewalk"),
    CamVidColor("SignSymbol", (192, 128, 128), "sign"),
    CamVidColor("Sky", (128, 128, 128), "sky"),
    CamVidColor("SUVPickupTruck", (64, 128, 192), "car"),
    CamVidColor("TrafficCone", (0, 0, 64), "pole"),
    CamVidColor("TrafficLight", (0, 64, 64), "sign"),
    CamVidColor("Train", (192, 64, 128), "car"),
    CamVidColor("Tree", (128, 128, 0), "tree"),
    CamVidColor("Truck_Bus", (192, 128, 192), "car"),
    CamVidColor("Tunnel", (64, 0, 64), "building"),
    CamVidColor("VegetationMisc", (192, 192, 0), "tree"),
    CamVidColor("Void", (0, 0, 0), None),
    CamVidColor("Wall", (64, 192, 0), "building"),
)

_NAMED = tuple(row for row in COLORS if row.among_11 is not None)

# Void, the 32nd, is what is ignored.
CAMVID_32_LABELS = LabelSet(
    names=tuple(row.name for row in _NAMED),
    palette=tuple(row.color for row in _NAMED),
    ignore_index=len(_NAMED),
)


def is_camvid_rgb(folder: Path) -> bool:
    """Whether a folder has the tree of CamVid as released."""
    return find_tree(folder, ["."], IMAGES, MASKS) is not None and are_named(
        folder / IMAGES, FRAME_NAME
    )


def open_camvid_rgb(folder: Path, split: str, *, class_set: ClassSet = "11") -> PairedFiles:
    """Open a customary split of CamVid's release where it lies.

    Args:
        folder: Holds `701_StillsRaw_full` and `LabeledApproved_full`.
        split: Of train, val and test.
        class_set: The 11 classes that networks are compared on, or all 32, with void ignored.

    Raises:
        SwiftsegError: The folders are missing, do not pair up, or hold no frame of the split.
    """
    pairs = pair_by_stem(folder / IMAGES, folder / MASKS, mask_suffix="_L")
    chosen = [pair for pair in pairs if split_of(pair.name) == split]
    if not chosen:
        raise SwiftsegError(f"{folder / IMAGES}: no frame of the split {split} in this folder")
    labels = CAMVID_LABELS if class_set == "11" else CAMVID_32_LABELS
    return PairedFiles(chosen, labels, ColorMasks(_class_of_color(class_set)))


def split_of(name: str) -> str:
    """Return the split of a frame by its sequence, such as 0016E5, and its number there."""
    sequence, _, number = name.partition("_")
    if sequence == "Seq05VD":
        return "test"
    if sequence == "0001TP":  # at dusk: the first half is for training, the second for the test
        return "train" if number <= "008520" else "test"
    if sequence == "0016E5":  # CamSeq01, within this sequence, is for validation
        return "val" if "07959" <= number <= "08159" else "train"
    return "train"


def _class_of_color(class_set: ClassSet) -> dict[RGB, int]:
    if class_set == "32":
        table = {row.color: index for index, row in enumerate(_NAMED)}
        return {**table, (0, 0, 0): len(_NAMED)}
    void = len(CAMVID_LABELS)
    return {
        row.color: void if row.among_11 is None else CAMVID_LABELS.names.index(row.among_11)
        for row in COLORS
    }
