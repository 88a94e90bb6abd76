"""Opening a labeling tool's export, whatever the tool."""

from collections.abc import Callable
from pathlib import Path

from swiftseg.core import SwiftsegError, unknown_name
from swiftseg.data.annotations.annotated_images import AnnotatedImages
from swiftseg.data.annotations.coco_json import read_coco
from swiftseg.data.annotations.cvat import read_cvat
from swiftseg.data.annotations.label_studio import read_label_studio
from swiftseg.data.annotations.labelme import read_labelme
from swiftseg.data.annotations.panoptic import read_panoptic
from swiftseg.data.annotations.recognize import Found, find_annotations
from swiftseg.data.annotations.rle_table import read_rle_tables
from swiftseg.data.annotations.supervisely import read_supervisely
from swiftseg.data.annotations.tool_export import AnnotatedImage, Export
from swiftseg.data.annotations.voc_labelmap import read_voc_labelmap
from swiftseg.data.annotations.yolo import read_yolo
from swiftseg.data.own.splits import hold_out_val
from swiftseg.data.paired_files import Pair

TOOLS: dict[str, Callable[[Found], Export]] = {
    "coco": lambda found: read_coco(found.root, found.files),
    "coco_panoptic": lambda found: read_panoptic(found.root, found.files),
    "labelme": lambda found: read_labelme(found.root, found.files),
    "cvat": lambda found: read_cvat(found.root, found.files),
    "yolo": lambda found: read_yolo(found.files[0]),
    "label_studio": lambda found: read_label_studio(found.root, found.files),
    "supervisely": lambda found: read_supervisely(found.root),
    "rle_table": lambda found: read_rle_tables(found.root, found.files),
    "voc_labelmap": lambda found: read_voc_labelmap(found.root),
}


def read_export(source: Path) -> Export:
    """Read the export of a labeling tool, a folder or one file of annotations.

    Raises:
        SwiftsegError: It is no such export, or broken.
    """
    found = find_annotations(source)
    if found is None:
        raise SwiftsegError(
            f"{source}: no annotations of a known labeling tool ({', '.join(TOOLS)})"
        )
    return TOOLS[found.tool](found)


def open_annotations(source: Path, split: str) -> AnnotatedImages:
    """Open a split of a labeling tool's export, a folder or one file of annotations.

    Where the tool knows no val, a fifth of the images is held out, by a hash of their names.

    Raises:
        SwiftsegError: It is no such export, or broken.
        UsageError: There is no such split.
    """
    export = read_export(source)
    splits = with_val(export.splits)
    if split not in splits:
        raise unknown_name("split", split, splits)
    return open_images(export, splits[split])


def open_images(export: Export, images: list[AnnotatedImage]) -> AnnotatedImages:
    """Open some images of an export."""
    return AnnotatedImages(images, export.labels, export.read_mask, export.findings)


def with_val(splits: dict[str, list[AnnotatedImage]]) -> dict[str, list[AnnotatedImage]]:
    """Return the splits, train and val among them, by the rule for all of a user's own data."""
    pairs = {
        split: [Pair(image.name, image.picture, image.annotation) for image in images]
        for split, images in splits.items()
    }
    divided: dict[str, list[AnnotatedImage]] = {}
    for split, kept in hold_out_val(pairs).items():
        images = splits.get(split, splits.get("train", splits.get("all", [])))
        names = {pair.name for pair in kept}
        divided[split] = [image for image in images if image.name in names]
    return divided
