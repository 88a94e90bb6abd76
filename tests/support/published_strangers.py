"""Data sets as their authors publish them: many bands, 16 bits, ids as colors, files beside."""

import csv
import json
import struct
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import scipy.io
import tifffile

from tests.support.broken_datasets import SIZE_HW
from tests.support.strangers import (
    BINARY,
    RGB,
    Case,
    Right,
    all_of,
    binary,
    lines,
    mask,
    picture,
    save,
    to_255,
    to_palette,
    to_rgb,
)


def of_16_bits(colors: np.ndarray) -> bytes:
    """Return a PNG of three 16-bit channels, which Pillow cannot write."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    height, width, _ = colors.shape
    rows = b"".join(b"\0" + row.tobytes() for row in colors.astype(">u2"))
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def write(path: Path, content: bytes | str = b"") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def array(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, values)


def tiff(path: Path, values: np.ndarray, **options: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if values.ndim == 3:
        options = {"photometric": "minisblack", "planarconfig": "contig"} | options
    tifffile.imwrite(path, values, **options)


def table(path: Path, rows: Iterable[Iterable[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def band(seed: int, at: int = 0) -> np.ndarray:
    return np.asarray(picture(seed))[..., at % 3].astype(np.uint16) * 200


def bands(seed: int, count: int) -> np.ndarray:
    return np.stack([band(seed, at) for at in range(count)], axis=-1)


def masks_by(make: Callable[[Path, np.ndarray], None], suffix: str) -> Callable[[Path], None]:
    """Return what writes pictures in `images` and has `make` write masks in `masks`."""

    def tree(root: Path) -> None:
        for number in range(8):
            save(root / f"images/{number}a.png", picture(number))
            make(root / f"masks/{number}a.{suffix}", mask(number))

    return tree


ONE_HOT = np.eye(5, dtype=np.uint8)  # two channels of classes that do not occur
SMALL = np.array([(0, 0, 0), (1, 0, 0), (2, 0, 0)])
WIDE = np.array([(0, 0, 0), (1000, 20, 0), (1001, 20, 0)])


def vistas(root: Path) -> None:
    """Two versions of the classes, each with a file that lists them, and masks of the second."""
    first = [("animal--bird", "Bird", (165, 42, 42)), ("flat--road", "Road", (128, 64, 128))]
    second = [("flat--curb", "Curb", RGB[0]), ("animal--bird", "Bird", RGB[1]), *first[1:]]
    first.append(("void--unlabeled", "Unlabeled", (0, 0, 0)))
    second[2] = ("flat--road", "Road", RGB[2])
    for version, classes in (("v1.2", first), ("v2.0", second)):
        listed = [
            {"color": [int(c) for c in color], "instances": True, "name": name, "readable": shown}
            for name, shown, color in classes
        ]
        write(root / f"config_{version}.json", json.dumps({"labels": listed, "version": 2}))
    for split, count in (("training", 8), ("validation", 3)):
        for number in range(count):
            seed = number + 20 * (split == "validation")
            name = f"{seed:02}aBcD_efGh-ijKlmnOpqr"
            save(root / f"{split}/images/{name}.jpg", picture(seed))
            folder = root / f"{split}/v2.0"
            save(folder / f"labels/{name}.png", to_palette(mask(seed)))
            save(folder / f"instances/{name}.png", mask(seed).astype(np.uint16) * 256)
            ids = np.random.default_rng(seed).integers(1, 255, (3, 3), np.uint8)
            save(folder / f"panoptic/{name}.png", ids[mask(seed)])
            write(folder / f"polygons/{name}.json", "{}")


def rails(root: Path) -> None:
    """Settings name the classes."""
    for number in range(8):
        save(root / f"jpgs/rs_train/rs{number:05}.jpg", picture(number))
        save(root / f"uint8/rs_train/rs{number:05}.png", mask(number))
        write(root / f"jsons/rs_train/rs{number:05}.json", "{}")
    classes = [{"name": f"rail-{n}", "readable": n, "color": [n == "a", 2, 3]} for n in "abc"]
    write(root / "rs-config.json", json.dumps({"labels": classes, "version": 1.0}))


def bands_in_folders(root: Path) -> None:
    for number in range(6):
        name = f"patch_{number + 1}_by_{number + 2}_LC08"
        for at, color in enumerate(("red", "green", "blue", "nir")):
            tiff(root / f"train_{color}/{color}_{name}.TIF", band(number, at))
        tiff(root / f"train_gt/gt_{name}.TIF", binary(number))


def bands_behind_names(root: Path) -> None:
    for number in range(6):
        name = f"2023-05-25_{109 + number:04}"
        for at, letter in enumerate(("R", "G", "B", "NIR")):
            save(root / f"images/{name}_{letter}.png", band(number, at).astype(np.uint8))
        save(root / f"semantics/{name}.png", mask(number))


def bands_in_a_folder_a_chip(root: Path) -> None:
    for number in range(6):
        for at, name in enumerate(("B02", "B03", "B04", "B08")):
            tiff(root / f"train_features/ad{'wxyzuv'[number]}p/{name}.tif", band(number, at))
        tiff(
            root / f"train_labels/ad{'wxyzuv'[number]}p.tif", (binary(number) > 0).astype(np.uint8)
        )


def stems_that_begin_with_letters(root: Path) -> None:
    """The first line of a list looks like a column's name, and is an image."""
    names = [f"cju0n{'abcdefghkl'[number]}ikr9tytdrb" for number in range(10)]
    for number, name in enumerate(names):
        save(root / f"images/{name}.jpg", picture(number))
        save(root / f"masks/{name}.png", binary(number))
        save(root / f"bbox_images/{name}.jpg", picture(number))
    lines(root / "train.txt", names[:7])
    lines(root / "test.txt", names[7:])


def nuclei_with_boxes(root: Path) -> None:
    for number in range(8):
        save(root / f"Images/dpath_{number}.png", picture(number))
        path = root / f"Labels/dpath_{number}.mat"
        path.parent.mkdir(exist_ok=True)
        count = np.ones((3, 4))
        scipy.io.savemat(path, {"inst_map": mask(number), "bbox": count, "centroid": count[:, :2]})


def ten_bands(root: Path) -> None:
    """The picture of ten bands, its preview, its labels twice and quality beside each other."""
    for number in range(8):
        name = f"sending/LC8{1081 + number:07}2013365LGN00_{18 + number}"
        tiff(root / f"{name}_data.tif", bands(number, 10))
        tiff(root / f"{name}_labels.tif", mask(number))
        save(root / f"{name}_mask.png", to_palette(mask(number)))
        save(root / f"{name}_photo.png", picture(number))
        tiff(root / f"{name}_qmask.tif", np.where(mask(number) > 0, 53248, 20480).astype(np.uint16))


def radar_and_optics(root: Path) -> None:
    """Pictures of two bands and of thirteen, three kinds of labels, -1 for none, lists of pairs."""
    rows: dict[str, list[tuple[str, str]]] = {"train": [], "valid": [], "test": []}
    for number in range(10):
        name = f"{('Ghana', 'India')[number % 2]}_{103757 + 31 * number}"
        tiff(root / f"S1Hand/{name}_S1Hand.tif", bands(number, 2).astype(np.float32) / 8 - 25.25)
        tiff(root / f"S2Hand/{name}_S2Hand.tif", bands(number, 13))
        flood = (binary(number) > 0).astype(np.int16)
        tiff(root / f"S1OtsuLabelHand/{name}_S1OtsuLabelHand.tif", flood.astype(np.uint8))
        flood[:5] = -1
        tiff(root / f"LabelHand/{name}_LabelHand.tif", flood)
        split = "train" if number < 6 else "valid" if number < 8 else "test"
        rows[split].append((f"{name}_S1Hand.tif", f"{name}_LabelHand.tif"))
    for split, pairs in rows.items():
        table(root / f"splits/flood_{split}_data.csv", pairs)


def with_elevations(root: Path) -> None:
    for number in range(8):
        name = f"{number}f74c_9BF31C7"
        save(root / f"images/{name}-ortho.tif", picture(number))
        tiff(root / f"elevations/{name}-elev.tif", band(number).astype(np.float32) / 3 + 0.25)
        save(root / f"labels/{name}-label.png", to_rgb(mask(number)))


def eroded_labels(root: Path) -> None:
    for number in range(1, 9):
        name, colors = f"top_mosaic_09cm_area{number}", to_rgb(mask(number)) + 20
        save(root / f"labeling/top/{name}.tif", picture(number))
        tiff(
            root / f"labeling/dsm/dsm_09cm_matching_area{number}.tif",
            band(number) * np.float32(0.3),
        )
        save(root / f"ground_truth_COMPLETE/{name}.tif", colors)
        colors[:: SIZE_HW[0] // 3] = 0
        save(root / f"ground_truth_eroded_COMPLETE/{name}_noBoundary.tif", colors)


def before_and_after(root: Path) -> None:
    """Two pictures of one place, each with a mask named after it."""
    for split, count in (("train", 5), ("test", 3)):
        for number in range(count):
            for time in ("pre", "post"):
                seed = number + 10 * count + 50 * (time == "pre")
                name = f"hurricane-michael_{number + 10 * count:08}_{time}_disaster"
                save(root / f"{split}/images/{name}.png", picture(seed))
                save(root / f"{split}/targets/{name}_target.png", mask(seed))
                write(root / f"{split}/labels/{name}.json", "{}")


def changes(root: Path) -> None:
    for split, count in (("train", 6), ("val", 3)):
        for number in range(count):
            seed = number + 10 * count
            for folder, other in (("A", 0), ("B", 90)):
                save(root / f"{split}/{folder}/{split}_{number}.png", picture(seed + other))
            save(root / f"{split}/label/{split}_{number}.png", binary(seed))


def night(root: Path) -> None:
    """Masks in four forms, and pictures of the same places by day."""
    for number in range(6):
        name = f"night/GOPR0356/GOPR0356_frame_{321 + 30 * number:06}"
        save(root / f"rgb_anon/train/{name}_rgb_anon.png", picture(number))
        day = f"day/GOPR0356_ref/GOPR0356_frame_{321 + 30 * number:06}_ref"
        save(root / f"rgb_anon/train_ref/{day}_rgb_anon.png", picture(number + 70))
        begin = f"gt/train/{name}_gt_"
        save(root / f"{begin}labelTrainIds.png", mask(number))
        save(root / f"{begin}labelIds.png", mask(number) + 7)
        save(root / f"{begin}labelColor.png", to_rgb(mask(number)))
        save(root / f"{begin}invGray.png", binary(number))


def slides(root: Path) -> None:
    for slide in (1, 2, 3):
        for number in (1, 2, 3):
            seed = 5 * slide + number
            save(root / f"Slide_{slide:02}/{slide:02}_{number}.png", picture(seed))
            save(root / f"GT_{slide:02}/{slide:02}_{number}.png", binary(seed))


def solar(root: Path) -> None:
    for kind in ("Ground_Cropland", "Rooftop"):
        for number in range(5):
            name = f"PV03_{kind}/PV03_{315023 + number}_{1194642 + number}"
            save(root / f"{name}.bmp", picture(number + len(kind)))
            save(root / f"{name}_label.bmp", binary(number + len(kind)))


def partly_drawn(root: Path) -> None:
    """Two sources, each with more pictures than masks."""
    for source in ("google", "ign"):
        for number in range(8):
            name = f"{number:02}CC{len(source)}A9E3BD"
            save(root / f"{source}/img/{name}.png", picture(number + len(source)))
            if number < 5:
                save(root / f"{source}/mask/{name}.png", binary(number + len(source)))


def sea(root: Path) -> None:
    for number in range(1, 9):
        save(root / f"MaSTr_images_512x384/{number:04}.jpg", picture(number))
        shown = mask(number).copy()
        shown[20:22] = 4
        save(root / f"MaSTr_masks_512x384/{number:04}m.png", shown)


def operations(root: Path) -> None:
    for video in (1, 4, 12):
        for number in range(4):
            name = f"Video{video}_frame{30 * number:06}.png"
            save(root / f"Video{video:02}/Images/{name}", picture(number + video))
            save(root / f"Video{video:02}/Labels/{name}", mask(number + video))


def much_beside(root: Path) -> None:
    """Overlays, small pictures, archives, notes and files that systems leave."""
    for split, count in (("train", 6), ("test", 3)):
        for number in range(count):
            seed, folder = number + 10 * count, root / f"data/{split}"
            save(folder / f"images/{seed:04}.jpg", picture(seed))
            save(folder / f"masks/{seed:04}.png", binary(seed))
            save(folder / f"previews/{seed:04}.jpg", picture(seed + 40))
            save(folder / f"thumbs/{seed:04}.jpg", picture(seed).resize((16, 12)))
        write(root / f"data/{split}/Thumbs.db", b"x")
        write(root / f"data/{split}.zip", b"PK\5\6" + bytes(18))
    for name in ("LICENSE", "README.md", "md5.txt", "__MACOSX/data/._train", "data/.DS_Store"):
        write(root / name, "words\n")
    save(root / "sample.png", picture(3))


def kinds_of_clothes(root: Path) -> None:
    """A table of runs whose classes are numbers, and a file that names these."""
    rows: list[tuple[object, ...]] = [("ImageId", "EncodedPixels", "Height", "Width", "ClassId")]
    for number in range(6):
        save(root / f"train/{number}a.jpg", picture(number))
        start = 5 + number * SIZE_HW[0]
        runs = " ".join(f"{start + column * SIZE_HW[0]} 20" for column in range(12))
        rows.append((f"{number}a.jpg", runs, *SIZE_HW, f"{number % 2}_7,12"))
    table(root / "train.csv", rows)
    named = [{"id": at, "name": name, "level": 2} for at, name in enumerate(("shirt", "top"))]
    listed = {"info": {}, "categories": named, "attributes": [{"id": 9, "name": "long"}]}
    write(root / "label_descriptions.json", json.dumps(listed))


def numbered_by_blue(seed: int) -> np.ndarray:
    """Return colors whose red and green tell the class, and whose blue numbers the objects."""
    half = np.arange(SIZE_HW[1])[None] * 4 // SIZE_HW[1]
    _, objects = np.unique(mask(seed) * 4 + half, return_inverse=True)
    objects = objects.reshape(SIZE_HW)
    blue = (objects + 1) * (20 - seed % 3)
    return np.stack([mask(seed) * 10, mask(seed) * 40 + 3, blue], -1).astype(np.uint8)


def objects_in_blue(root: Path) -> None:
    for split, count in (("training", 10), ("validation", 3)):
        for number in range(count):
            seed = number + 20 * (count < 10)
            begin = root / f"images/{split}/a/abbey/ADE_{seed:08}"
            save(begin.with_name(f"{begin.name}.jpg"), picture(seed))
            save(begin.with_name(f"{begin.name}_seg.png"), numbered_by_blue(seed))
            write(begin.with_name(f"{begin.name}_atr.txt"), "001 # 0 # 0 # sky\n")
    write(root / "index_ade20k.pkl", b"\x80\x03")


def panoptic(root: Path) -> None:
    for split, count in (("train2017", 12), ("val2017", 4)):
        for number in range(count):
            seed = number + 20 * (count < 12)
            colors = np.random.default_rng(seed).integers(1, 255, (3, 3), np.uint8)
            save(root / f"{split}/{seed:012}.jpg", picture(seed))
            save(root / f"annotations/panoptic_{split}/{seed:012}.png", colors[mask(seed)])


def several_channels(root: Path) -> None:
    masks_by(lambda path, values: array(path, np.maximum(ONE_HOT[values], ONE_HOT[0])), "npy")(root)


def volumes(root: Path) -> None:
    for number in range(3):
        write(root / f"Batch 1/volume-{number}.nii", bytes(400))
        write(root / f"Batch 1/segmentation-{number}.nii", bytes(400))


def zipped(root: Path) -> None:
    write(root / "stage1_train.zip", b"PK\5\6" + bytes(18))
    table(root / "stage1_labels.csv", [("ImageId", "EncodedPixels"), ("x", "1 2")])


def outlines(root: Path) -> None:
    for number in range(4):
        tiff(root / f"RGB-PanSharpen/RGB_AOI_2_img{number}.tif", bands(number, 8))
        write(root / f"geojson/buildings_AOI_2_img{number}.geojson", "{}")


def time_series(root: Path) -> None:
    for number in range(4):
        array(root / f"DATA_S2/S2_{number}.npy", np.zeros((5, 4, 32, 32), np.int16))
        array(root / f"ANNOTATIONS/TARGET_{number}.npy", mask(number)[:32, :32])


MAKERS: dict[str, tuple[Callable[[Path], None], Right | str]] = {
    "colors of 16 bits": (
        masks_by(lambda path, v: write(path, of_16_bits(RGB[v].astype(int) * 257)), "png"),
        Right(all_of(8), 3),
    ),
    "small numbers in 16 bits": (
        masks_by(lambda path, v: write(path, of_16_bits(SMALL[v])), "png"),
        Right(all_of(8), 3),
    ),
    "numbers that 8 bits do not hold": (
        masks_by(lambda path, v: write(path, of_16_bits(WIDE[v])), "png"),
        "got 16 bits with values up to 1001",
    ),
    "colors of 16 bits, TIFF": (
        masks_by(lambda path, v: tiff(path, RGB[v].astype(np.uint16), photometric="rgb"), "tif"),
        Right(all_of(8), 3),
    ),
    "one-hot arrays": (
        masks_by(lambda path, v: array(path, ONE_HOT[v]), "npy"),
        Right(all_of(8), 3),
    ),
    "one-hot, channels first": (
        masks_by(lambda path, v: array(path, np.moveaxis(ONE_HOT[v], -1, 0) > 0), "npy"),
        Right(all_of(8), 3),
    ),
    "one-hot TIFFs": (
        masks_by(lambda path, v: tiff(path, ONE_HOT[v]), "tif"),
        Right(all_of(8), 3),
    ),
    "one-hot TIFFs of 255": (
        masks_by(lambda path, v: tiff(path, ONE_HOT[v][..., :4] * 255), "tif"),
        Right(all_of(8), 3),
    ),
    "one channel": (
        masks_by(lambda path, v: array(path, to_255(v)[..., None]), "npy"),
        Right(all_of(8), 2, BINARY),
    ),
    "several channels a pixel": (several_channels, "one channel a class with one 1 at each pixel"),
    "vistas": (vistas, Right({"train": 8, "val": 3}, 3, ("Curb", "Bird", "Road"))),
    "rails": (rails, Right({"train": 8}, 3, ("a", "b", "c"))),
    "bands in folders": (bands_in_folders, Right({"train": 6}, 2, BINARY)),
    "bands behind names": (bands_behind_names, Right(all_of(6), 3)),
    "bands, a folder a chip": (bands_in_a_folder_a_chip, Right({"train": 6}, 2, BINARY)),
    "stems that begin with letters": (
        stems_that_begin_with_letters,
        Right({"train": 7, "test": 3}, 2, BINARY),
    ),
    "nuclei with boxes": (nuclei_with_boxes, Right(all_of(8), 3)),
    "ten bands and a preview": (ten_bands, Right(all_of(8), 3)),
    "radar and optics": (radar_and_optics, Right({"train": 6, "val": 2, "test": 2}, 2)),
    "pictures and elevations": (with_elevations, Right(all_of(8), 3)),
    "labels and eroded ones": (eroded_labels, Right(all_of(8), 3)),
    "before and after": (before_and_after, Right({"train": 10, "test": 6}, 3)),
    "changes": (changes, Right({"train": 6, "val": 3}, 2, BINARY)),
    "night": (night, Right({"train": 6}, 3)),
    "slides": (slides, Right(all_of(9), 2, BINARY)),
    "solar panels": (solar, Right(all_of(10), 2, BINARY)),
    "partly drawn": (partly_drawn, Right(all_of(10), 2, BINARY)),
    "a sea with an ignored value": (sea, Right(all_of(8), 5)),
    "operations": (operations, Right(all_of(12), 3)),
    "much beside": (much_beside, Right({"train": 6, "test": 3}, 2, BINARY)),
    "kinds of clothes": (
        kinds_of_clothes,
        Right({"train": 5, "val": 1}, 3, ("background", "shirt", "top")),
    ),
    "objects in blue": (objects_in_blue, "blue channel numbers the objects"),
    "panoptic masks": (panoptic, "occur in one mask alone, so they number objects"),
    "volumes": (volumes, "6 .nii files are not read: save each slice"),
    "archives": (zipped, "1 .zip files are not read: unpack them first"),
    "outlines": (outlines, "4 .geojson files are not read: draw their outlines"),
    "time series": (time_series, "got an array of 5 x 4 x 32 x 32"),
}
PUBLISHED_CASES = {name: Case(make, right) for name, (make, right) in MAKERS.items()}
