"""Telling the exports of labeling tools by their content.

Each is told by what nothing else has, from a few small files, or from a few places in a large one;
whether all of it can be read shows when it is opened.
"""

import json
import mmap
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, cast

from swiftseg.core import SwiftsegError
from swiftseg.core.yaml_text import YAML_SUFFIXES
from swiftseg.data.annotations.panoptic import panoptic_masks
from swiftseg.data.annotations.places import files_below
from swiftseg.data.annotations.rle_table import find_tables, is_rle_table
from swiftseg.data.annotations.supervisely import META
from swiftseg.data.annotations.tool_files import read_json
from swiftseg.data.annotations.voc_labelmap import LABELMAP, LISTS, MASKS
from swiftseg.data.annotations.yolo import SPLIT_KEYS, read_yolo_yaml

MAX_TRIED = 50  # files of one kind: an export that begins with that many others is none
_HEAD_BYTES = 1 << 16
_MASKS_OF_PUBLISHED = ("stuffthingmaps", "gtFine")  # of COCO-Stuff and Cityscapes


@dataclass(frozen=True)
class Found:
    """What an export is, and the files that tell.

    Attributes:
        tool: A name of `TOOLS`.
        files: The files to read: of COCO, Labelme, CVAT, Label Studio and YOLO.
    """

    tool: str
    root: Path
    files: tuple[Path, ...] = ()


def is_annotations(source: Path) -> bool:
    """Whether a folder or file is the export of a labeling tool."""
    return recognize_annotations(source) is not None


def recognize_annotations(source: Path) -> str | None:
    """Return the format of a labeling tool's export, a name of `TOOLS`, or None."""
    found = find_annotations(source)
    return None if found is None else found.tool


def find_annotations(source: Path) -> Found | None:
    """Return what an export is and its files, or None."""
    if source.is_file():
        return _found_file(source)
    # Who has masks means these, or has them from a published data set that says more.
    masks = ("masks", *_MASKS_OF_PUBLISHED)
    if not source.is_dir() or any((source / name).is_dir() for name in masks):
        return None
    for look in (_voc_labelmap, _supervisely, _yolo, _cvat, _by_json, _rle_tables):
        found = look(source)
        if found is not None:
            return found
    return None


def _found_file(path: Path) -> Found | None:
    if path.suffix == ".xml":
        return Found("cvat", path.parent, (path,)) if _is_cvat(path) else None
    if path.suffix == ".csv":
        return Found("rle_table", path.parent, (path,)) if is_rle_table(path) else None
    if path.suffix in YAML_SUFFIXES:
        return Found("yolo", path.parent, (path,)) if _is_yolo(path) else None
    tool = _tool_of_json(path) if path.suffix == ".json" else None
    # COCO's pictures are beside the folder of its annotations.
    is_apart = tool in ("coco", "coco_panoptic") and path.parent.name == "annotations"
    root = path.parent.parent if is_apart else path.parent
    return None if tool is None else Found(tool, root, (path,))


def _voc_labelmap(root: Path) -> Found | None:
    is_tree = (root / MASKS).is_dir() and (root / LISTS).is_dir() and (root / LABELMAP).is_file()
    return Found("voc_labelmap", root) if is_tree else None


def _supervisely(root: Path) -> Found | None:
    """Find a project in the folder, or in the one folder within it."""
    for meta in [root / META, *sorted(root.glob(f"*/{META}"))][:2]:
        if not meta.is_file() or (
            not any(meta.parent.glob("*/ann")) and not (meta.parent / "ann").is_dir()
        ):
            continue
        classes = _quietly(lambda meta=meta: read_json(meta)["classes"])
        if isinstance(classes, list) and all(
            _has(one, "title") for one in cast(list[Any], classes)
        ):
            return Found("supervisely", meta.parent)
    return None


def _yolo(root: Path) -> Found | None:
    for path in sorted(path for path in root.iterdir() if path.suffix in YAML_SUFFIXES):
        if _is_yolo(path):
            return Found("yolo", root, (path,))
    return None


def _is_yolo(path: Path) -> bool:
    """Whether a YAML names classes and splits and there is a folder of labels."""
    found = _quietly(lambda: read_yolo_yaml(path)) if path.stat().st_size < _HEAD_BYTES else None
    fields = cast(dict[str, Any], found) if isinstance(found, dict) else {}
    if "names" not in fields or not any(fields.get(key) for key in SPLIT_KEYS):
        return False
    if fields.keys() & {"image", "mask", "masks", "masks_dir"}:
        return False  # a dataset.yaml
    folders = [path.parent, *(one for one in path.parent.iterdir() if one.is_dir())]
    folders.append(path.parent / str(fields.get("path", ".")))
    return any((folder / "labels").is_dir() for folder in folders)


def _cvat(root: Path) -> Found | None:
    if not any(_is_cvat(path) for path in islice(files_below(root, ".xml"), MAX_TRIED)):
        return None
    return Found("cvat", root, tuple(filter(_is_cvat, files_below(root, ".xml"))))


def _is_cvat(path: Path) -> bool:
    head = _quietly(lambda: _head(path)) or b""
    return re.search(rb"<annotations>\s*<version>1\.", head) is not None


def _rle_tables(root: Path) -> Found | None:
    files = find_tables(root)
    return Found("rle_table", root, files) if files else None


def _by_json(root: Path) -> Found | None:
    """Find the JSON files of the tool that the first telling one is of."""
    tried = islice(files_below(root, ".json"), MAX_TRIED)
    tools = [tool for path in tried if (tool := _tool_of_json(path))]
    if not tools:
        return None
    tool = "coco_panoptic" if "coco_panoptic" in tools else tools[0]
    if tool == "labelme":  # the broken ones among them are to be reported
        return Found(tool, root, tuple(_labelme_files(root)))
    files = tuple(path for path in files_below(root, ".json") if _tool_of_json(path) == tool)
    instances = tuple(path for path in files if path.name.startswith("instances_"))
    return Found(tool, root, instances or files)


def _labelme_files(root: Path) -> Iterator[Path]:
    """Yield the JSON files that lie where Labelme's lie: in a folder with one of them."""
    folders: dict[Path, list[Path]] = {}
    for path in files_below(root, ".json"):
        folders.setdefault(path.parent, []).append(path)
    for paths in folders.values():
        if any(_tool_of_json(path) == "labelme" for path in paths[:MAX_TRIED]):
            yield from paths


def _tool_of_json(path: Path) -> str | None:
    """Return the tool that a JSON file is of, by the first of what each must have."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
            begin = bytes(held[:64]).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
            if begin == b"[":
                keys = (rb'"data"\s*:\s*\{', rb'"(annotations|completions)"\s*:\s*\[')
                is_export = all(re.search(key, held) for key in (*keys, rb'"result"\s*:\s*\['))
                return "label_studio" if is_export else None
            if begin != b"{":
                return None
            if _is_coco(held):
                is_panoptic = held.find(b'"segments_info"') >= 0
                has_masks = panoptic_masks(path).is_dir()
                return "coco" if not is_panoptic else "coco_panoptic" if has_masks else None
            is_labelme = re.search(rb'"imagePath"\s*:\s*"', held) and re.search(
                rb'"shapes"\s*:\s*\[\s*(\]|\{[^\]]*?"(label|points|shape_type)"\s*:)', held
            )
            return "labelme" if is_labelme else None
    except (OSError, ValueError):  # an empty file cannot be mapped
        return None


def _is_coco(held: mmap.mmap) -> bool:
    """Whether a file lists images, categories and annotations of regions, as COCO's do."""
    image = _first_of(held, rb"images")
    category = _first_of(held, rb"categories")
    is_listed = re.search(rb'"annotations"\s*:\s*\[', held) is not None
    has_regions = re.search(rb'"(segmentation|bbox|segments_info)"\s*:', held) is not None
    return _has(image, "file_name") and _has(category, "name") and is_listed and has_regions


def _first_of(held: mmap.mmap, key: bytes) -> Any:
    """Return the first object of the list of a key, or None."""
    match = re.search(rb'"' + key + rb'"\s*:\s*\[\s*(\{[^{}]*\})', held)
    return None if match is None else _quietly(lambda: json.loads(match[1]))


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)


def _has(value: Any, key: str) -> bool:
    return isinstance(value, dict) and key in value


def _quietly(read: Callable[[], Any]) -> Any:
    """Return what can be read, or None: what cannot be read tells nothing."""
    try:
        return read()
    except (SwiftsegError, OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
