"""Cityscapes: 19 classes or the 8 categories, with fine or coarse annotations.

Cordts et al., "The Cityscapes dataset for semantic urban scene understanding", CVPR 2016; names,
ids and colors as in `cityscapesscripts/helpers/labels.py`.

The tree: `leftImg8bit/{split}/{city}/{city}_{seq}_{frame}_leftImg8bit.png`, and in `gtFine` or
`gtCoarse` likewise `*_gtFine_labelIds.png` or, where only these were kept, `*_labelTrainIds.png`.
Fine annotations have the splits train (2,975), val (500) and test (1,525, masks all void); coarse
ones train, val and train_extra (19,998).
"""

from pathlib import Path
from typing import Literal, NamedTuple

from swiftseg.core import LabelSet, SwiftsegError
from swiftseg.core.labels import RGB
from swiftseg.data.mask_values import IndexMasks
from swiftseg.data.paired_files import Pair, PairedFiles
from swiftseg.data.paired_folder import pair_by_stem
from swiftseg.data.published.tree import are_named

Annotation = Literal["gtFine", "gtCoarse"]
ClassSet = Literal["classes", "categories"]

IMAGES = "leftImg8bit"
ANNOTATIONS: tuple[Annotation, ...] = ("gtFine", "gtCoarse")
CITIES = (  # noqa: SIM905 of all splits, train_extra's from augsburg on
    "aachen bochum bremen cologne darmstadt dusseldorf erfurt hamburg hanover jena krefeld "
    "monchengladbach strasbourg stuttgart tubingen ulm weimar zurich frankfurt lindau munster "
    "berlin bielefeld bonn leverkusen mainz munich augsburg bad-honnef bamberg bayreuth dortmund "
    "dresden duisburg erlangen freiburg heidelberg heilbronn karlsruhe konigswinter konstanz "
    "mannheim muhlheim-ruhr nuremberg oberhausen saarbrucken schweinfurt troisdorf wuppertal "
    "wurzburg"
).split()
FRAME_NAME = rf"({'|'.join(CITIES)})_\d{{6}}_\d{{6}}_leftImg8bit"
IGNORED = 255
NUM_IDS = 34  # ids 0 to 33 occur in masks; the license plate's -1 does not


class CityscapesClass(NamedTuple):
    """A scored class: its id in `labelIds`; its index here is its train id."""

    label_id: int
    name: str
    category: str
    color: RGB


CLASSES = (
    CityscapesClass(7, "road", "flat", (128, 64, 128)),
    CityscapesClass(8, "sidewalk", "flat", (244, 35, 232)),
    CityscapesClass(11, "building", "construction", (70, 70, 70)),
    CityscapesClass(12, "wall", "construction", (102, 102, 156)),
    CityscapesClass(13, "fence", "construction", (190, 153, 153)),
    CityscapesClass(17, "pole", "object", (153, 153, 153)),
    CityscapesClass(19, "traffic light", "object", (250, 170, 30)),
    CityscapesClass(20, "traffic sign", "object", (220, 220, 0)),
    CityscapesClass(21, "vegetation", "nature", (107, 142, 35)),
    CityscapesClass(22, "terrain", "nature", (152, 251, 152)),
    CityscapesClass(23, "sky", "sky", (70, 130, 180)),
    CityscapesClass(24, "person", "human", (220, 20, 60)),
    CityscapesClass(25, "rider", "human", (255, 0, 0)),
    CityscapesClass(26, "car", "vehicle", (0, 0, 142)),
    CityscapesClass(27, "truck", "vehicle", (0, 0, 70)),
    CityscapesClass(28, "bus", "vehicle", (0, 60, 100)),
    CityscapesClass(31, "train", "vehicle", (0, 80, 100)),
    CityscapesClass(32, "motorcycle", "vehicle", (0, 0, 230)),
    CityscapesClass(33, "bicycle", "vehicle", (119, 11, 32)),
)

CITYSCAPES_LABELS = LabelSet(
    names=tuple(row.name for row in CLASSES),
    palette=tuple(row.color for row in CLASSES),
    ignore_index=IGNORED,
)

# Of the eight categories void is the one that is ignored. Categories have no official colors: each
# takes that of its first class.
_FIRST_OF_CATEGORY = {row.category: row for row in reversed(CLASSES)}
CATEGORY_LABELS = LabelSet(
    names=tuple(reversed(_FIRST_OF_CATEGORY)),
    palette=tuple(row.color for row in reversed(_FIRST_OF_CATEGORY.values())),
    ignore_index=IGNORED,
)


def is_cityscapes(folder: Path) -> bool:
    """Whether a folder has Cityscapes' tree."""
    return are_named(_part(folder, IMAGES), FRAME_NAME) and any(
        _part(folder, annotation).is_dir() for annotation in ANNOTATIONS
    )


def _part(folder: Path, name: str, split: str = "") -> Path:
    """Return where images or masks lie: in a folder, or below that of their archive.

    `gtFine_trainvaltest.zip`, unpacked into a folder of its own, is `gtFine_trainvaltest/gtFine`.
    """
    usual = folder / name / split
    if usual.is_dir():
        return usual
    return next(iter(sorted(folder.glob(f"{name}*/{name}/{split}"))), usual)


def open_cityscapes(
    folder: Path,
    split: str,
    *,
    class_set: ClassSet = "classes",
    annotation: Annotation | None = None,
) -> PairedFiles:
    """Open a split of Cityscapes where it lies.

    Args:
        folder: Holds `leftImg8bit` and `gtFine` or `gtCoarse`, or the folders of their archives.
        split: Of the annotation's splits.
        class_set: The 19 classes, or the categories; pixels of classes that the benchmark does not
            score, such as parking, are ignored in both, as its scripts do.
        annotation: None takes the fine ones, and the coarse ones for train_extra.

    Raises:
        SwiftsegError: Folders are missing or do not pair up.
    """
    if annotation is None:
        annotation = "gtCoarse" if split == "train_extra" else "gtFine"
    masks = _part(folder, annotation, split)
    kind = _mask_kind(masks)
    pairs = _pairs(_part(folder, IMAGES, split), masks, annotation, kind)
    labels = CITYSCAPES_LABELS if class_set == "classes" else CATEGORY_LABELS
    return PairedFiles(pairs, labels, IndexMasks(_class_of_value(kind, class_set), IGNORED))


def _class_of_value(kind: str, class_set: ClassSet) -> dict[int, int]:
    """Return the class by the value in a mask; what is not scored is ignored."""
    values = range(NUM_IDS) if kind == "labelIds" else [IGNORED]
    table = dict.fromkeys(values, IGNORED)
    for train_id, row in enumerate(CLASSES):
        index = train_id if class_set == "classes" else CATEGORY_LABELS.names.index(row.category)
        table[row.label_id if kind == "labelIds" else train_id] = index
    return table


def _mask_kind(masks: Path) -> str:
    for kind in ("labelIds", "labelTrainIds"):
        if next(masks.glob(f"*/*_{kind}.png"), None):
            return kind
    raise SwiftsegError(f"{masks}: no masks here; expected {masks}/CITY/*_labelIds.png")


def _pairs(images: Path, masks: Path, annotation: Annotation, kind: str) -> list[Pair]:
    if not images.is_dir():
        raise SwiftsegError(f"{images}: no such folder; expected {images}/CITY/*_leftImg8bit.png")
    cities = sorted(path.name for path in images.iterdir() if path.is_dir())
    return [
        pair
        for city in cities
        for pair in pair_by_stem(
            images / city,
            masks / city,
            image_suffix="_leftImg8bit",
            mask_suffix=f"_{annotation}_{kind}",
        )
    ]
