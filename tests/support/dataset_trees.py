"""Tiny copies of the official trees: the real folders, names and encodings, made-up content.

Each function writes a dataset below `root`, with two frames or so a split, whose masks hold every
value that the dataset's own masks may hold. No table of swiftseg's readers is used here.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import scipy.io
from PIL import Image

from tests.support.wide_png import write_wide_png

SIZE_HW = (12, 16)

CAMVID_COLORS = """
64 128 64 Animal/192 0 128 Archway/0 128 192 Bicyclist/0 128 64 Bridge/128 0 0 Building/64 0 128 Car
64 0 192 CartLuggagePram/192 128 64 Child/192 192 128 Column_Pole/64 64 128 Fence
128 0 192 LaneMkgsDriv/192 0 64 LaneMkgsNonDriv/128 128 64 Misc_Text/192 0 192 MotorcycleScooter
128 64 64 OtherMoving/64 192 128 ParkingBlock/64 64 0 Pedestrian/128 64 128 Road
128 128 192 RoadShoulder/0 0 192 Sidewalk/192 128 128 SignSymbol/128 128 128 Sky
64 128 192 SUVPickupTruck/0 0 64 TrafficCone/0 64 64 TrafficLight/192 64 128 Train/128 128 0 Tree
192 128 192 Truck_Bus/64 0 64 Tunnel/192 192 0 VegetationMisc/0 0 0 Void/64 192 0 Wall
"""  # as label_colors.txt


def camvid_colors() -> dict[str, tuple[int, int, int]]:
    rows = [row.split() for row in CAMVID_COLORS.replace("/", "\n").strip().splitlines()]
    return {name: (int(red), int(green), int(blue)) for red, green, blue, name in rows}


def filled(values: Sequence[object] | np.ndarray, dtype: type = np.uint8) -> np.ndarray:
    """Return a mask (H, W, ...) that repeats the values."""
    values = np.asarray(values, dtype)
    return np.resize(values, (*SIZE_HW, *values.shape[1:]))


def write(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def write_frame(path: Path) -> Path:
    """Writes a frame whose content tells its name."""
    rng = np.random.default_rng(list(path.name.encode()))
    return write(path, rng.integers(0, 256, (*SIZE_HW, 3), dtype=np.uint8))


def write_lines(path: Path, lines: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))


def make_camvid(root: Path) -> Path:
    for split in ("train", "val", "test"):
        for index in range(2):
            name = f"0001TP_00{index:04d}.png"
            write_frame(root / split / name)
            write(root / f"{split}annot" / name, filled(range(12)))
    return root


def make_camvid_rgb(root: Path) -> Path:
    names = ["0001TP_006690", "0001TP_008520", "0001TP_008550", "0006R0_f00930", "0016E5_00390"]
    names += ["0016E5_07959", "0016E5_08159", "0016E5_08640", "Seq05VD_f00000"]
    for name in names:
        write_frame(root / "701_StillsRaw_full" / f"{name}.png")
        mask = filled(list(camvid_colors().values()))
        write(root / "LabeledApproved_full" / f"{name}_L.png", mask)
    return root


def make_cityscapes(
    root: Path, *, kinds: Sequence[str] = ("labelIds", "instanceIds", "color")
) -> Path:
    values = {"labelIds": range(34), "labelTrainIds": [*range(19), 255]}
    fine = {"train": ["aachen", "bochum"], "val": ["munster"], "test": ["berlin"]}
    coarse = {"train": ["aachen", "bochum"], "val": ["munster"], "train_extra": ["troisdorf"]}
    for annotation, cities_of_split in (("gtFine", fine), ("gtCoarse", coarse)):
        for split, cities in cities_of_split.items():
            for city in cities:
                for frame in ("000000_000019", "000001_000019"):
                    stem = f"{city}_{frame}"
                    write_frame(root / "leftImg8bit" / split / city / f"{stem}_leftImg8bit.png")
                    folder = root / annotation / split / city
                    for kind in kinds:
                        mask = filled(values.get(kind, [0]))
                        write(folder / f"{stem}_{annotation}_{kind}.png", mask)
                    (folder / f"{stem}_{annotation}_polygons.json").write_text("{}")
    return root


def voc_color(index: int) -> list[int]:
    """Return the color of an index in VOC's palette, as its `VOClabelcolormap` computes it."""
    color = [0, 0, 0]
    for shift in range(7, -1, -1):
        for channel in range(3):
            color[channel] |= (index >> channel & 1) << shift
        index >>= 3
    return color


def make_voc(root: Path) -> Path:
    """VOC 2012 and, beside it, SBD: d is in SBD alone, c is held out."""
    voc, sbd = root / "VOCdevkit" / "VOC2012", root / "benchmark_RELEASE" / "dataset"
    for name in ("2007_000001", "2007_000002", "2007_000003", "2008_000004", "2008_000005"):
        write_frame(voc / "JPEGImages" / f"{name}.jpg")
    for name in ("2007_000001", "2007_000002", "2007_000003"):
        path = voc / "SegmentationClass" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        mask = Image.fromarray(filled([*range(21), 255]))
        mask.putpalette([channel for index in range(256) for channel in voc_color(index)])
        mask.save(path)
    lists = {"train": ["2007_000001", "2007_000002"], "val": ["2007_000003"]}
    lists["trainval"] = lists["train"] + lists["val"]
    lists["test"] = ["2008_000005"]
    for split, names in lists.items():
        write_lines(voc / "ImageSets" / "Segmentation" / f"{split}.txt", names)
    for name in ("2007_000002", "2007_000003", "2008_000004"):
        write_frame(sbd / "img" / f"{name}.jpg")
        write_sbd_mask(sbd / "cls" / f"{name}.mat", filled(range(21)))
    write_lines(sbd / "train.txt", ["2008_000004", "2007_000003"])
    write_lines(sbd / "val.txt", ["2007_000002"])
    return root


def write_sbd_mask(path: Path, mask: np.ndarray, *, do_compression: bool = True) -> None:
    """Writes SBD's struct: its boundaries are a cell array of sparse matrices."""
    path.parent.mkdir(parents=True, exist_ok=True)
    boundaries = np.empty((20, 1), object)
    for index in range(20):
        boundaries[index, 0] = scipy.sparse.csc_matrix(mask == index + 1)
    fields = {
        "Boundaries": boundaries,
        "Segmentation": mask,
        "CategoriesPresent": np.unique(mask[mask > 0]).astype(np.uint8),
    }
    scipy.io.savemat(path, {"GTcls": fields}, do_compression=do_compression)


CONTEXT_NAMES_BESIDE = ["accordion", "table", "bedclothes", "cloth"]  # among the 459


def make_pascal_context(root: Path, *, names_of_459: Sequence[str] = ()) -> Path:
    """VOC 2010 and the 59-class PNGs, or, given names, masks of 459 classes."""
    voc = root / "VOCdevkit" / "VOC2010"
    for split, names in {"train": ["2008_a", "2008_b"], "val": ["2008_c"]}.items():
        write_lines(voc / "ImageSets" / "Main" / f"{split}.txt", names)
        for name in names:
            write_frame(voc / "JPEGImages" / f"{name}.jpg")
            if not names_of_459:
                write(root / "59_context_labels" / f"{name}.png", filled(range(60)))
                continue
            (root / "trainval").mkdir(exist_ok=True)
            mask = filled(range(1, len(names_of_459) + 1), np.uint16)
            scipy.io.savemat(root / "trainval" / f"{name}.mat", {"LabelMap": mask})
    if names_of_459:
        write_lines(root / "labels.txt", [f"{i}: {name}" for i, name in enumerate(names_of_459, 1)])
    return root


COCO_REMOVED = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83, 91)  # ids that COCO gave and removed


def make_coco(root: Path) -> Path:
    values = [i - 1 for i in range(1, 183) if i not in COCO_REMOVED]
    for split in ("train2017", "val2017"):
        for name in ("000000000139", "000000000285"):
            write_frame(root / split / f"{name}.jpg")
            write(root / "stuffthingmaps" / split / f"{name}.png", filled([*values, 255]))
    return root


def make_sun_rgbd(root: Path) -> Path:
    for split, first in (("test", 1), ("train", 5051)):
        for number in (1, 2):
            write_frame(root / f"SUNRGBD-{split}_images" / f"img-{number:06d}.jpg")
            mask = root / "sunrgbd_train_test_labels" / f"img-{first + number - 1:06d}.png"
            write(mask, filled(range(38)))
    return root


def make_bdd100k(root: Path, *, as_first_released: bool = False) -> Path:
    images = "seg/images" if as_first_released else "images/10k"
    masks = "seg/labels" if as_first_released else "labels/sem_seg/masks"
    suffix = "_train_id" if as_first_released else ""
    for split in ("train", "val"):
        for name in ("0004a4c0-d4dff0ad", "00054602-3bf57337"):
            write_frame(root / images / split / f"{name}.jpg")
            write(root / masks / split / f"{name}{suffix}.png", filled([*range(19), 255]))
    write_frame(root / images / "test" / "0035afff-85b0dd0c.jpg")
    return root


def make_mapillary(root: Path) -> Path:
    for folder in ("training", "validation"):
        for name in ("_4Fa-Ci1JgTZQ4-uBQAmng", "0035fkbjWljhaftpVM37-g"):
            write_frame(root / folder / "images" / f"{name}.jpg")
            path = root / folder / "labels" / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            mask = Image.fromarray(filled(range(66)))
            mask.putpalette([value % 256 for value in range(768)])
            mask.save(path)
            write(root / folder / "instances" / f"{name}.png", filled(range(66), np.uint16))
    write_frame(root / "testing" / "images" / "x.jpg")
    return root


def make_synthia(root: Path) -> Path:
    for name in (f"{index:07d}" for index in range(6)):
        write_frame(root / "RGB" / f"{name}.png")
        mask = np.zeros((*SIZE_HW, 3), np.uint16)
        mask[..., 0] = filled(range(23))
        mask[..., 1] = 257 * (1 + filled(range(200)).astype(np.uint16))  # instances
        path = root / "GT" / "LABELS" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_wide_png(path, mask)
    return root


# As the readme of SYNTHIA_RAND_CVPR16 lists them, from void to lane marking.
SYNTHIA_RAND_COLORS = """
0 0 0/128 128 128/128 0 0/128 64 128/0 0 192/64 64 128/128 128 0/192 192 128/64 0 128/192 128 128
64 64 0/0 128 192/0 172 0
"""


def make_synthia_rand(root: Path) -> Path:
    rows = SYNTHIA_RAND_COLORS.replace("/", "\n").strip().splitlines()
    colors = filled([[int(channel) for channel in row.split()] for row in rows])
    for index in range(6):
        name = f"ap_000_01-11-2015_19-20-57_{index:06d}_0_Rand_{index}"
        write_frame(root / "RGB" / f"{name}.png")
        write(root / "GT" / f"{name}.png", colors)
    return root


def make_folder(root: Path) -> Path:
    for split in ("train", "val"):
        write_frame(root / "images" / split / "a.jpg")
        write(root / "masks" / split / "a.png", filled([0, 1, 255]))
    write_lines(root / "dataset.yaml", ["names: [soil, crop]"])
    return root


# By the names of DATASETS.
def make_annotations(root: Path) -> Path:
    """COCO's JSON of instances; each frame has two classes, the background and the void."""
    categories = [{"id": 1, "name": "car"}, {"id": 2, "name": "dog"}, {"id": 9, "name": "ignore"}]
    images: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    for index in range(6):
        name = f"frame_{index}.png"
        write_frame(root / "photos" / name)
        height, width = SIZE_HW
        images.append({"id": index, "file_name": name, "height": height, "width": width})
        for category, left in ((1, 0), (2, 4), (9, 8)):
            box = [left, 0, left + 3, 0, left + 3, 6, left, 6]
            annotation = {"image_id": index, "category_id": category, "segmentation": [box]}
            annotations.append({"id": len(annotations), **annotation})
    content = {"images": images, "categories": categories, "annotations": annotations}
    path = root / "annotations" / "annotations.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(content))
    return root


def make_idd_lite(root: Path) -> Path:
    for split in ("train", "val"):
        for drive, name in (("0", "024541"), ("0", "024560"), ("112", "frame0419")):
            write_frame(root / "leftImg8bit" / split / drive / f"{name}_image.jpg")
            write(root / "gtFine" / split / drive / f"{name}_label.png", filled([*range(7), 255]))
    return root


def make_labelmefacade(root: Path) -> Path:
    for name in ("paris_static_street__a1", "static_outdoor_madrid__img_0830"):
        write_frame(root / "images" / f"{name}.jpg")
        write(root / "masks" / f"{name}.png", filled([*range(8), 255]))
    return root


TREES = {
    "folder": make_folder,
    "annotations": make_annotations,
    "camvid": make_camvid,
    "camvid_rgb": make_camvid_rgb,
    "camvid_rgb_32": make_camvid_rgb,
    "cityscapes": make_cityscapes,
    "cityscapes_categories": make_cityscapes,
    "cityscapes_coarse": make_cityscapes,
    "idd_lite": make_idd_lite,
    "labelmefacade": make_labelmefacade,
    "voc": make_voc,
    "pascal_context": make_pascal_context,
    "pascal_context_59": make_pascal_context,
    "coco_stuff": make_coco,
    "coco_voc": make_coco,
    "sun_rgbd": make_sun_rgbd,
    "bdd100k": make_bdd100k,
    "bdd100k_20": make_bdd100k,
    "mapillary": make_mapillary,
    "mapillary_66": make_mapillary,
    "synthia": make_synthia,
    "synthia_16": make_synthia,
    "synthia_rand": make_synthia_rand,
}
