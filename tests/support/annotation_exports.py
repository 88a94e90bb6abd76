"""Small exports of labeling tools: the trees, fields and encodings that each tool documents.

All show the same scenes. On each picture a `leaf`, in some with a hole, lies beneath a `stem`; both
are boxes, so that a mask is a few slices, whatever a tool calls the place of a pixel. Each function
writes an export below `root` and returns the masks that it means, by the pictures' stems:
background 0, leaf 1, stem 2. No code of swiftseg's readers is used here.

Sources: cocodataset.org/#format-data; labelme/utils/shape.py; docs.cvat.ai/docs/other/xml_format;
docs.ultralytics.com/datasets/segment; labelstud.io/guide/task_format and label_studio_converter/
brush.py; developer.supervisely.com/getting-started/supervisely-annotation-format;
docs.cvat.ai/docs/dataset_management/formats/format-smask.
"""

import base64
import io
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from PIL import Image

SIZE_HW = (64, 96)
NAMES = ("leaf", "stem")
COLORS = {"background": (0, 0, 0), "leaf": (61, 61, 245), "stem": (250, 50, 83)}
Masks = dict[str, np.ndarray]


@dataclass(frozen=True)
class Box:
    """The pixels from `left` to before `right` and from `top` to before `bottom`."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def corners(self, *, inclusive: bool = False) -> list[list[int]]:
        """Corners where coordinates are edges of pixels; or `inclusive`, the pixels themselves."""
        right, bottom = self.right - inclusive, self.bottom - inclusive
        return [[self.left, self.top], [right, self.top], [right, bottom], [self.left, bottom]]

    @property
    def size(self) -> tuple[int, int]:
        return self.right - self.left, self.bottom - self.top


@dataclass(frozen=True)
class Scene:
    """One picture."""

    name: str
    leaf: Box
    hole: Box | None
    stem: Box

    def leaf_bitmap(self) -> np.ndarray:
        bitmap = np.zeros(SIZE_HW, bool)
        bitmap[self.leaf.slices] = True
        if self.hole:
            bitmap[self.hole.slices] = False
        return bitmap

    def mask(self) -> np.ndarray:
        mask = self.leaf_bitmap().astype(np.uint8)
        mask[self.stem.slices] = 2
        return mask

    def picture(self) -> Image.Image:
        noise = np.random.default_rng(len(self.name)).integers(0, 40, (*SIZE_HW, 3))
        colors = np.array([(120, 90, 60), (40, 160, 40), (200, 180, 40)])
        return Image.fromarray((colors[self.mask()] + noise).clip(0, 255).astype(np.uint8))


def scenes(count: int = 8) -> Iterator[Scene]:
    """Yield scenes; every other leaf has a hole."""
    for index in range(count):
        x, y = 3 * index % 20, 2 * index % 9
        hole = Box(x + 12, y + 14, x + 20, y + 21) if index % 2 else None
        leaf, stem = Box(x + 6, y + 6, x + 50, y + 40), Box(x + 30, y + 30, x + 60, y + 55)
        yield Scene(f"img_{index}", leaf, hole, stem)


def masks_of(shown: Sequence[Scene]) -> Masks:
    return {scene.name: scene.mask() for scene in shown}


def save(path: Path, picture: Image.Image) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
    return path


def write_json(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def column_counts(bitmap: np.ndarray) -> list[int]:
    """COCO's run lengths, taken pixel by pixel."""
    counts, value = [0], False
    for pixel in bitmap.T.ravel().tolist():
        if pixel != value:
            counts.append(0)
            value = pixel
        counts[-1] += 1
    return counts


def flat(points: Sequence[Sequence[float]]) -> list[float]:
    return [value for point in points for value in point]


def coco_content(shown: Sequence[Scene], *, compressed: bool = False) -> dict[str, Any]:
    """Categories have the ids 3 and 7; leaves with holes are run lengths."""
    images, annotations = [], []
    for number, scene in enumerate(shown, 10):
        height, width = SIZE_HW
        file_name = f"{scene.name}.jpg"
        images.append({"id": number, "width": width, "height": height, "file_name": file_name})
        leaf: Any = [flat(scene.leaf.corners())]
        if scene.hole:
            leaf = {"size": [*SIZE_HW], "counts": column_counts(scene.leaf_bitmap())}
            if compressed:
                from pycocotools import mask as coco_mask

                packed = coco_mask.encode(np.asfortranarray(scene.leaf_bitmap().astype(np.uint8)))
                leaf = {"size": [*SIZE_HW], "counts": packed["counts"].decode()}
        for category, shape in ((3, leaf), (7, [flat(scene.stem.corners())])):
            box = scene.leaf if category == 3 else scene.stem
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": category,
                    "segmentation": shape,
                    "area": float(box.size[0] * box.size[1]),
                    "bbox": [box.left, box.top, *box.size],
                    "iscrowd": int(isinstance(shape, dict)),
                    "attributes": {"occluded": False},
                }
            )
    # The order of CVAT's and Roboflow's exports: the annotations of an image need not be together.
    return {
        "licenses": [{"name": "", "id": 0, "url": ""}],
        "info": {"contributor": "", "date_created": "", "description": "", "version": ""},
        "categories": [
            {"id": 7, "name": "stem", "supercategory": ""},
            {"id": 3, "name": "leaf", "supercategory": ""},
        ],
        "images": images,
        "annotations": annotations,
    }


def make_coco(root: Path, count: int = 8) -> Masks:
    """CVAT's "COCO 1.0": `annotations/instances_default.json` and `images`."""
    shown = list(scenes(count))
    for scene in shown:
        save(root / "images" / f"{scene.name}.jpg", scene.picture())
    write_json(root / "annotations" / "instances_default.json", coco_content(shown))
    return masks_of(shown)


def make_coco_splits(root: Path, count: int = 8) -> Masks:
    """The names of COCO itself: a JSON and a folder a split, compressed run lengths."""
    shown = list(scenes(count))
    for split, part in (("train", shown[: count // 2]), ("val", shown[count // 2 :])):
        for scene in part:
            save(root / f"{split}2017" / f"{scene.name}.jpg", scene.picture())
        content = coco_content(part, compressed=True)
        write_json(root / "annotations" / f"instances_{split}2017.json", content)
    write_json(root / "annotations" / "captions_train2017.json", {"images": [], "annotations": []})
    return masks_of(shown)


def make_panoptic(root: Path, count: int = 8) -> Masks:
    """COCO's panoptic tree: ids in the colors of PNGs, a JSON a split that tells their classes."""
    shown = list(scenes(count))
    expected = masks_of(shown)
    categories = [
        {"id": 3, "name": "leaf", "isthing": 1, "color": [61, 61, 245]},
        {"id": 1, "name": "background", "isthing": 0, "color": [0, 0, 0]},
        {"id": 200, "name": "stem", "isthing": 1, "color": [250, 50, 83]},
    ]
    for split, part in (("train", shown[: count // 2]), ("val", shown[count // 2 :])):
        images, annotations = [], []
        for number, scene in enumerate(part, 139):
            save(root / f"{split}2017/{scene.name}.jpg", scene.picture())
            ids = np.array([66051 + number, 7, 3_000_000 + number])  # all three bytes count
            code = ids[expected[scene.name]]
            colors = np.stack([code % 256, code // 256 % 256, code // 65536], axis=-1)
            folder = root / f"annotations/panoptic_{split}2017"
            save(folder / f"{scene.name}.png", Image.fromarray(colors.astype(np.uint8)))
            images.append({"id": number, "file_name": f"{scene.name}.jpg"})
            segments = [
                {"id": int(key), "category_id": category, "iscrowd": 0, "bbox": [0, 0, 9, 9]}
                for key, category in zip(ids, (1, 3, 200), strict=True)
            ]
            file_name = f"{scene.name}.png"
            annotations.append(
                {"image_id": number, "file_name": file_name, "segments_info": segments}
            )
        content = {"images": images, "annotations": annotations, "categories": categories}
        write_json(root / f"annotations/panoptic_{split}2017.json", content)
    write_json(root / "annotations/instances_val2017.json", coco_content(shown[count // 2 :]))
    return expected


def make_roboflow(root: Path, count: int = 8) -> Masks:
    """Roboflow's "COCO segmentation": a JSON in each split's folder, category 0 a heading."""
    shown = list(scenes(count))
    parts = {"train": shown[: count // 2], "valid": shown[count // 2 : -1], "test": shown[-1:]}
    for split, part in parts.items():
        content = coco_content(part)
        heading = {"id": 0, "name": "plants", "supercategory": "none"}
        for category in content["categories"]:
            category["supercategory"] = "plants"
        content["categories"].insert(0, heading)
        for scene in part:
            save(root / split / f"{scene.name}.jpg", scene.picture())
        write_json(root / split / "_annotations.coco.json", content)
    (root / "README.dataset.txt").write_text("plants\n")
    return masks_of(shown)


def labelme_content(scene: Scene, image_path: str, image_data: str | None) -> dict[str, Any]:
    height, width = SIZE_HW
    leaf, stem = (box.corners(inclusive=True) for box in (scene.leaf, scene.stem))
    common = {"group_id": None, "description": "", "flags": {}}
    shapes = [
        {"label": "leaf", "points": [leaf[2], leaf[0]], "shape_type": "rectangle", **common},
        {"label": "stem", "points": stem, "shape_type": "polygon", **common},
    ]
    if scene.hole:
        hole = scene.hole.corners(inclusive=True)
        background = {"label": "_background_", "points": hole, "shape_type": "polygon", **common}
        shapes.insert(1, background)
    return {
        "version": "5.5.0",
        "flags": {},
        "shapes": shapes,
        "imagePath": image_path,
        "imageData": image_data,
        "imageHeight": height,
        "imageWidth": width,
    }


def make_labelme(root: Path, count: int = 8) -> Masks:
    """JSON files beside the pictures; the last one's picture is embedded alone."""
    shown = list(scenes(count))
    for scene in shown:
        image_path, image_data = f"{scene.name}.jpg", None
        if scene is shown[-1]:
            buffer = io.BytesIO()
            scene.picture().save(buffer, format="PNG")
            image_path, image_data = "lost.png", base64.b64encode(buffer.getvalue()).decode()
        else:
            save(root / image_path, scene.picture())
        write_json(root / f"{scene.name}.json", labelme_content(scene, image_path, image_data))
    return masks_of(shown)


def make_labelme_apart(root: Path, count: int = 8) -> Masks:
    """JSON files in a folder a split, whose `imagePath` leads to another, with backslashes."""
    shown = list(scenes(count))
    for index, scene in enumerate(shown):
        split = "val" if index % 4 == 3 else "train"
        save(root / "photos" / f"{scene.name}.jpg", scene.picture())
        content = labelme_content(scene, f"..\\..\\photos\\{scene.name}.jpg", None)
        write_json(root / "json" / split / f"{scene.name}.json", content)
    (root / "labels.txt").write_text("__ignore__\n_background_\nleaf\nstem\n")
    return masks_of(shown)


def make_cvat(root: Path, count: int = 8, *, subsets: bool = False) -> Masks:
    """CVAT for images 1.1. The stem comes first in the file and is above by its z_order."""
    shown = list(scenes(count))
    tree = ElementTree.Element("annotations")
    ElementTree.SubElement(tree, "version").text = "1.1"
    meta = ElementTree.SubElement(ElementTree.SubElement(tree, "meta"), "task")
    labels = ElementTree.SubElement(meta, "labels")
    for name in NAMES:
        label = ElementTree.SubElement(labels, "label")
        ElementTree.SubElement(label, "name").text = name
        ElementTree.SubElement(label, "color").text = "#{:02x}{:02x}{:02x}".format(*COLORS[name])
        ElementTree.SubElement(label, "type").text = "any"
    for number, scene in enumerate(shown):
        size = {"width": str(SIZE_HW[1]), "height": str(SIZE_HW[0])}
        head = {"id": str(number), "name": f"{scene.name}.jpg", **size}
        if subsets:
            head["subset"] = "Validation" if number % 4 == 3 else "Train"
        image = ElementTree.SubElement(tree, "image", head)
        common = {"source": "manual", "occluded": "0"}
        if number % 2:
            points = ";".join(f"{x:.2f},{y:.2f}" for x, y in scene.stem.corners())
            stem = {"label": "stem", "points": points, "z_order": "2", **common}
            polygon = ElementTree.SubElement(image, "polygon", stem)
            ElementTree.SubElement(polygon, "attribute", {"name": "ripe"}).text = "true"
        else:
            names = ("xtl", "ytl", "xbr", "ybr")
            values = (scene.stem.left, scene.stem.top, scene.stem.right, scene.stem.bottom)
            box = {name: f"{value:.2f}" for name, value in zip(names, values, strict=True)}
            ElementTree.SubElement(image, "box", {"label": "stem", **box, "z_order": "2", **common})
        crop = scene.leaf_bitmap()[scene.leaf.slices]
        place = {"left": str(scene.leaf.left), "top": str(scene.leaf.top)}
        place |= {"width": str(scene.leaf.size[0]), "height": str(scene.leaf.size[1])}
        rle = ", ".join(map(str, column_counts(crop.T)))
        ElementTree.SubElement(
            image, "mask", {"label": "leaf", "rle": rle, **place, "z_order": "0", **common}
        )
        tag = {"label": "leaf", "points": "3.00,3.00;9.00,9.00", "z_order": "5", **common}
        ElementTree.SubElement(image, "polyline", tag)
        save(root / "images" / f"{scene.name}.jpg", scene.picture())
    ElementTree.ElementTree(tree).write(
        root / "annotations.xml", encoding="utf-8", xml_declaration=True
    )
    return masks_of(shown)


def make_cvat_subsets(root: Path, count: int = 8) -> Masks:
    return make_cvat(root, count, subsets=True)


def yolo_line(index: int, points: Sequence[Sequence[float]]) -> str:
    height, width = SIZE_HW
    return " ".join([str(index), *(f"{x / width:.6f} {y / height:.6f}" for x, y in points)])


def bridged(outer: Box, hole: Box) -> list[list[int]]:
    """One outline with a hole, as converters write it: out to the hole, around it, and back."""
    around = hole.corners()
    return [*outer.corners(), outer.corners()[0], around[0], *around[:0:-1], around[0]]


def write_yolo_labels(path: Path, scene: Scene, *, stem_as_box: bool) -> None:
    height, width = SIZE_HW
    x, y = (scene.stem.left + scene.stem.right) / 2, (scene.stem.top + scene.stem.bottom) / 2
    w, h = scene.stem.size
    box = f"1 {x / width:.6f} {y / height:.6f} {w / width:.6f} {h / height:.6f}"
    leaf = bridged(scene.leaf, scene.hole) if scene.hole else scene.leaf.corners()
    lines = [box if stem_as_box else yolo_line(1, scene.stem.corners()), yolo_line(0, leaf)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def make_yolo(root: Path, count: int = 8) -> Masks:
    """Ultralytics' tree: `images/train`, `labels/train`, names by number."""
    shown = list(scenes(count))
    for index, scene in enumerate(shown):
        split = "val" if index % 4 == 3 else "train"
        save(root / "images" / split / f"{scene.name}.jpg", scene.picture())
        path = root / "labels" / split / f"{scene.name}.txt"
        write_yolo_labels(path, scene, stem_as_box=index == 0)
    (root / "data.yaml").write_text(
        "path: /content/plants\ntrain: images/train\nval: images/val\ntest:\n"
        "nc: 2\nnames:\n  0: leaf\n  1: stem\n"
    )
    return masks_of(shown)


def make_yolo_roboflow(root: Path, count: int = 8) -> Masks:
    """Roboflow's tree: `train/images`, paths with a step upward too many, names as a list."""
    shown = list(scenes(count))
    for index, scene in enumerate(shown):
        split = "valid" if index % 4 == 3 else "train"
        save(root / split / "images" / f"{scene.name}.jpg", scene.picture())
        path = root / split / "labels" / f"{scene.name}.txt"
        write_yolo_labels(path, scene, stem_as_box=False)
    (root / "data.yaml").write_text(
        "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n\n"
        "nc: 2\nnames: ['leaf', 'stem']\n\nroboflow:\n  license: CC BY 4.0\n"
    )
    (root / "test" / "images").mkdir(parents=True)
    return masks_of(shown)


def make_yolo_cvat(root: Path, count: int = 8) -> Masks:
    """CVAT's "Ultralytics YOLO Segmentation": lists of pictures, one subset."""
    shown = list(scenes(count))
    for scene in shown:
        save(root / "images" / "train" / f"{scene.name}.jpg", scene.picture())
        path = root / "labels" / "train" / f"{scene.name}.txt"
        write_yolo_labels(path, scene, stem_as_box=False)
    lines = "".join(f"images/train/{scene.name}.jpg\n" for scene in shown)
    (root / "train.txt").write_text(lines)
    (root / "data.yaml").write_text("names:\n  0: leaf\n  1: stem\npath: ./\ntrain: train.txt\n")
    return masks_of(shown)


def brush_bytes(bitmap: np.ndarray) -> list[int]:
    """Label Studio's brush, as a string of bits: runs where four values or more are equal."""
    values = np.repeat(bitmap.ravel().astype(np.uint8) * 255, 4).tolist()
    bits = f"{len(values):032b}{7:05b}" + "".join(f"{size - 1:04b}" for size in (3, 4, 8, 16))
    at = 0
    while at < len(values):
        run = 1
        while at + run < len(values) and values[at + run] == values[at] and run < 1 << 16:
            run += 1
        if run < 4:  # some values as they are
            run = min(3, len(values) - at)
            bits += f"000{run - 1:03b}" + "".join(f"{one:08b}" for one in values[at : at + run])
        else:
            kind = next(i for i, size in enumerate((3, 4, 8, 16)) if run <= 1 << size)
            bits += f"1{kind:02b}{run - 1:0{(3, 4, 8, 16)[kind]}b}{values[at]:08b}"
        at += run
    bits += "0" * (-len(bits) % 8)
    return [int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)]


def make_label_studio(root: Path, count: int = 8) -> Masks:
    """A JSON export; its pictures were uploaded, and lie here under the names they had."""
    shown = list(scenes(count))
    tasks = []
    height, width = SIZE_HW
    for number, scene in enumerate(shown, 1):
        save(root / "photos" / f"{scene.name}.jpg", scene.picture())
        common = {
            "original_width": width,
            "original_height": height,
            "image_rotation": 0,
            "from_name": "label",
            "to_name": "image",
            "origin": "manual",
        }
        values: list[tuple[str, dict[str, Any]]] = []
        if scene.hole:
            brush = {"format": "rle", "rle": brush_bytes(scene.leaf_bitmap())}
            values.append(("brushlabels", {**brush, "brushlabels": ["leaf"]}))
        else:
            points = [[100 * x / width, 100 * y / height] for x, y in scene.leaf.corners()]
            polygon = {"points": points, "closed": True, "polygonlabels": ["leaf"]}
            values.append(("polygonlabels", polygon))
        w, h = scene.stem.size
        place = {"x": 100 * scene.stem.left / width, "y": 100 * scene.stem.top / height}
        place |= {"width": 100 * w / width, "height": 100 * h / height, "rotation": 0}
        values.append(("rectanglelabels", {**place, "rectanglelabels": ["stem"]}))
        result: list[dict[str, Any]] = [
            {"id": f"r{index}", "type": kind, "value": value, **common}
            for index, (kind, value) in enumerate(values)
        ]
        result.append({"id": "c", "type": "choices", "value": {"choices": ["good"]}, **common})
        old = {"id": 1, "result": result[:1], "was_cancelled": False, "updated_at": "2024-01-01"}
        new = {"id": 2, "result": result, "was_cancelled": False, "updated_at": "2024-02-01"}
        skipped = {"id": 3, "result": [], "was_cancelled": True, "updated_at": "2024-03-01"}
        tasks.append(
            {
                "id": number,
                "annotations": [new, old, skipped] if number == 1 else [new],
                "file_upload": f"0a1b2c3d-{scene.name}.jpg",
                "drafts": [],
                "predictions": [],
                "data": {"image": f"/data/upload/1/0a1b2c3d-{scene.name}.jpg"},
                "project": 1,
            }
        )
    unlabeled = {"id": 99, "annotations": [], "data": {"image": "/data/upload/1/0a1b2c3d-no.jpg"}}
    write_json(root / "project-1-at-2024-03-01.json", [*tasks, unlabeled])
    return masks_of(shown)


def bitmap_text(bitmap: np.ndarray) -> str:
    """Supervisely's bitmap: a palette PNG, packed by zlib and base64."""
    picture = Image.fromarray(bitmap.astype(np.uint8))
    picture.putpalette([0, 0, 0, 255, 255, 255])
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", transparency=0)
    return base64.b64encode(zlib.compress(buffer.getvalue())).decode()


def make_supervisely(
    root: Path, count: int = 8, *, datasets: Sequence[str] = ("ds0", "ds0")
) -> Masks:
    """A project; leaves are polygons with holes, stems bitmaps."""
    shown = list(scenes(count))
    classes = [
        {"title": name, "shape": shape, "color": "#{:02X}{:02X}{:02X}".format(*COLORS[name])}
        for name, shape in zip(NAMES, ("polygon", "bitmap"), strict=True)
    ]
    write_json(root / "meta.json", {"classes": classes, "tags": [], "projectType": "images"})
    for index, scene in enumerate(shown):
        folder = root / datasets[index % 4 == 3]
        hole = [scene.hole.corners(inclusive=True)] if scene.hole else []
        leaf = {"exterior": scene.leaf.corners(inclusive=True), "interior": hole}
        stem = np.ones(scene.stem.size[::-1], bool)
        origin = [scene.stem.left, scene.stem.top]
        objects = [
            {"classTitle": "leaf", "geometryType": "polygon", "points": leaf, "tags": []},
            {
                "classTitle": "stem",
                "geometryType": "bitmap",
                "bitmap": {"data": bitmap_text(stem), "origin": origin},
                "tags": [],
            },
            {
                "classTitle": "leaf",
                "geometryType": "line",
                "points": {"exterior": [[1, 1], [9, 9]], "interior": []},
            },
        ]
        size = {"height": SIZE_HW[0], "width": SIZE_HW[1]}
        content = {"description": "", "tags": [], "size": size, "objects": objects}
        save(folder / "img" / f"{scene.name}.jpg", scene.picture())
        write_json(folder / "ann" / f"{scene.name}.jpg.json", content)
    return masks_of(shown)


def make_supervisely_splits(root: Path, count: int = 8) -> Masks:
    return make_supervisely(root, count, datasets=("train", "val"))


def make_voc(root: Path, count: int = 8, *, lists: Sequence[str] = ("default", "default")) -> Masks:
    """CVAT's "Pascal VOC": colors as in `labelmap.txt`, whose order is not the classes'."""
    shown = list(scenes(count))
    colors = np.array(list(COLORS.values()), np.uint8)
    text = "".join(f"{name}:{r},{g},{b}::\n" for name, (r, g, b) in COLORS.items())
    root.mkdir(parents=True, exist_ok=True)
    (root / "labelmap.txt").write_text("# label:color_rgb:parts:actions\n" + text)
    for index, scene in enumerate(shown):
        save(root / "JPEGImages" / f"{scene.name}.jpg", scene.picture())
        mask = Image.fromarray(colors[scene.mask()])
        save(root / "SegmentationClass" / f"{scene.name}.png", mask)
        path = root / "ImageSets" / "Segmentation" / f"{lists[index % 4 == 3]}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(f"{scene.name}\n")
    return masks_of(shown)


def make_voc_splits(root: Path, count: int = 8) -> Masks:
    return make_voc(root, count, lists=("train", "val"))


def runs_text(bitmap: np.ndarray) -> str:
    """Starts, counted from 1, and lengths of the runs of a bitmap (n,), pixel by pixel."""
    runs: list[list[int]] = []
    is_inside = False
    for number, pixel in enumerate(bitmap.tolist(), 1):
        if pixel and not is_inside:
            runs.append([number, 0])
        if pixel:
            runs[-1][1] += 1
        is_inside = pixel
    return " ".join(str(value) for run in runs for value in run)


def make_rle_table(root: Path, count: int = 8) -> Masks:
    """A competition's tree: runs down the columns, a class a line, an example of an answer."""
    shown = list(scenes(count))
    rows = ["ImageId,ClassId,EncodedPixels"]
    for scene in shown:
        save(root / "train_images" / f"{scene.name}.jpg", scene.picture())
        for label, name in ((1, "leaf"), (2, "stem")):
            rows.append(f"{scene.name}.jpg,{name},{runs_text((scene.mask() == label).T.ravel())}")
    save(root / "test_images" / "unknown.jpg", shown[0].picture())
    (root / "train.csv").write_text("\n".join(rows))
    (root / "sample_submission.csv").write_text("ImageId,EncodedPixels\nunknown.jpg,1 3\n")
    return masks_of(shown)


def make_rle_rows(root: Path, count: int = 8) -> Masks:
    """Runs along the rows, the class behind the picture's name, and empty cells."""
    shown = [*scenes(count)]
    rows = ["Image_Label,EncodedPixels"]
    for scene in shown:
        save(root / f"{scene.name}.png", scene.picture())
        for label, name in ((1, "leaf"), (2, "stem")):
            runs = runs_text((scene.mask() == label).ravel())
            rows.append(f"{scene.name}.png_{name},{runs}")
    rows.append(f"{shown[0].name}.png_leaf,")
    (root / "masks.csv").write_text("\r\n".join(rows), encoding="utf-8-sig")
    return masks_of(shown)


@dataclass(frozen=True)
class Kind:
    """A kind of export: how it is made, what it is recognized as, and the splits it has."""

    make: Callable[[Path], Masks]
    tool: str
    splits: tuple[str, ...] = ("all",)


EXPORTS = {
    "COCO from CVAT": Kind(make_coco, "coco"),
    "COCO with splits": Kind(make_coco_splits, "coco", ("train", "val")),
    "COCO from Roboflow": Kind(make_roboflow, "coco", ("test", "train", "val")),
    "COCO's panoptic masks": Kind(make_panoptic, "coco_panoptic", ("train", "val")),
    "Labelme": Kind(make_labelme, "labelme"),
    "Labelme with folders": Kind(make_labelme_apart, "labelme", ("train", "val")),
    "CVAT": Kind(make_cvat, "cvat"),
    "CVAT with subsets": Kind(make_cvat_subsets, "cvat", ("train", "val")),
    "YOLO": Kind(make_yolo, "yolo", ("train", "val")),
    "YOLO from Roboflow": Kind(make_yolo_roboflow, "yolo", ("train", "val")),
    "YOLO from CVAT": Kind(make_yolo_cvat, "yolo", ("train",)),
    "Label Studio": Kind(make_label_studio, "label_studio"),
    "Supervisely": Kind(make_supervisely, "supervisely"),
    "Supervisely with data sets": Kind(make_supervisely_splits, "supervisely", ("train", "val")),
    "VOC from CVAT": Kind(make_voc, "voc_labelmap"),
    "run lengths": Kind(make_rle_table, "rle_table", ("train",)),
    "run lengths along rows": Kind(make_rle_rows, "rle_table"),
    "VOC with lists": Kind(make_voc_splits, "voc_labelmap", ("train", "val")),
}
