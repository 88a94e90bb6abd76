"""CamVid in the split and size of the SegNet tutorial: 11 classes, index masks.

Brostow, Fauqueur, Cipolla, "Semantic object classes in video: a high-definition ground truth
database", Pattern Recognition Letters 30(2), 2009.

The tree, as the SegNet tutorial gives it: `train/*`, `trainannot/*.png`, `val/*`, `valannot/*.png`
and `test/*`, `testannot/*.png`; a frame and its mask share the stem.
"""

from swiftseg.core import LabelSet

CAMVID_LABELS = LabelSet(
    names=(
        "sky",
        "building",
        "pole",
        "road",
        "sidewalk",
        "tree",
        "sign",
        "fence",
        "car",
        "pedestrian",
        "bicyclist",
    ),
    palette=(
        (128, 128, 128),
        (128, 0, 0),
        (192, 192, 128),
        (128, 64, 128),
        (60, 40, 222),
        (128, 128, 0),
        (192, 128, 128),
        (64, 64, 128),
        (64, 0, 128),
        (64, 64, 0),
        (0, 128, 192),
    ),
    ignore_index=11,
)
