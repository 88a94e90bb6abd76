"""Further data sets as strangers publish them, of which a part shows something else."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.io
from PIL import Image

from tests.support.broken_datasets import SIZE_HW
from tests.support.published_strangers import band, bands, tiff
from tests.support.strangers import (
    BINARY,
    Case,
    Right,
    all_of,
    binary,
    lines,
    mask,
    picture,
    save,
    to_255,
)

CELLS = ("ICM", "TE", "ZP")


def quarter(seed: int, at: int) -> np.ndarray:
    """A binary mask of which only a quarter of the width may hold something."""
    columns = np.arange(SIZE_HW[1]) * 4 // SIZE_HW[1]
    return np.where(columns == at, binary(seed), 0).astype(np.uint8)


def classes_in_folders_and_endings(root: Path) -> None:
    for number in range(8):
        save(root / f"Images/Blast_{number:04}a.BMP", picture(number))
        for at, name in enumerate(CELLS):
            save(root / f"GT_{name}/Blast_{number:04}a {name}_Mask.bmp", quarter(number, at))


def classes_before_the_word_mask(root: Path) -> None:
    for number in range(8):
        save(root / f"data/{number:03}.png", picture(number))
        for at, name in enumerate(("liver", "spleen")):
            save(root / f"data/{number:03}_{name}_mask.png", quarter(number, at))


def a_folder_a_road(root: Path) -> None:
    """A picture and a mask a class in one folder, with names of one shape."""
    for number in range(8):
        name = f"{1000052 + number}_DF_{number:03}"
        save(root / f"{name}/{name}_RAW.jpg", picture(number))
        for at, kind in enumerate(("CRACK", "LANE", "POTHOLE")):
            save(root / f"{name}/{name}_{kind}.png", np.stack([quarter(number, at)] * 3, axis=-1))


def nested(root: Path) -> None:
    """A mask within another, and the same pictures sorted into folders in two ways."""
    for number in range(8):
        name = f"r{1 + number % 3}_Im{100 + number}"
        save(root / f"by_hospital/{name}.png", picture(number))
        save(root / f"at_random/{name}.png", picture(number))
        disc = binary(number)
        rows = np.cumsum(disc > 0, axis=0)
        cup = np.where(rows * 2 > rows[-1:], disc, 0).astype(np.uint8)
        save(root / f"truth/{name}-1-Disc-T.png", disc)
        save(root / f"truth/{name}-1-Cup-T.png", cup)


def nested_in_folders(root: Path) -> None:
    for number in range(8):
        save(root / f"images/{number}a.jpg", picture(number))
        disc = binary(number)
        rows = np.cumsum(disc > 0, axis=0)
        save(root / f"truth/Disc/{number}a.png", disc)
        save(root / f"truth/Cup/{number}a.png", np.where(rows * 2 > rows[-1:], disc, 0))


def an_instrument_a_folder(root: Path) -> None:
    """Each class has a folder, and its parts have values of their own."""
    for number in range(8):
        save(root / f"frames/{number}a.png", picture(number))
        for at, name in enumerate(("Forceps_labels", "Scissors_labels")):
            parts = np.where(np.arange(SIZE_HW[0])[:, None] % 2, 10, 20)
            shown = np.where(quarter(number, at) > 0, parts, 0)
            save(root / f"truth/{name}/{number}a.png", shown.astype(np.uint8))


def black_on_white(root: Path) -> None:
    for number in range(8):
        save(root / f"images/{number}a.png", picture(number))
        for at, name in enumerate(("drusen", "scar")):
            save(root / f"lesions/{name}/{number}a.bmp", ~quarter(number, at))


def years_numbered_alike(root: Path) -> None:
    """Two sets of one numbering; all pictures of the other year were those of a test."""
    for number in range(1, 7):
        save(root / f"2016/pages/{number}.bmp", picture(number))
        save(root / f"2016/truth/{number}_gt.bmp", binary(number))
        save(root / f"2018/dataset/{number}.bmp", picture(number + 20))
        save(root / f"2018/gt/{number}_gt.bmp", binary(number + 20))
        save(root / f"2009/Test_pages/H{number:02}.bmp", picture(number + 40))
        save(root / f"2009/GT-Test-pages/H{number:02}.tiff", binary(number + 40))


def rare_classes(root: Path) -> None:
    """One class has a few masks, all in one of the numbered folders."""
    for number in range(8):
        save(root / f"img/{number}.jpg", picture(number))
        names = ("hair", "skin", "hat") if number in (1, 2) else ("hair", "skin")
        for at, name in enumerate(names):
            save(root / f"anno/{number // 4}/{number:05}_{name}.png", quarter(number, at))


def named_after_images(root: Path) -> None:
    """Masks lie in a folder called as the image and more, beside what is drawn from them."""
    for number in range(8):
        base, drawn = root / f"frames/road{number:02}_wet", to_255(mask(number)) // 2
        save(base.with_suffix(".jpg"), picture(number))
        labels = root / f"frames/{base.name}.labels"
        save(labels / "labels_semantic.png", mask(number))
        shown = np.asarray(picture(number)) // 2 + drawn[..., None]
        save(labels / "labels_semantic_color.png", shown.astype(np.uint8))


def round_views(root: Path) -> None:
    """Fields of view of images of several sizes, beside the masks."""
    for number in range(8):
        rows, columns = np.mgrid[: SIZE_HW[0], : SIZE_HW[1] - 2 * number]
        lit = np.hypot(rows - 24, columns - 30) < 22 + number % 3
        pixels = np.asarray(picture(number))[:, : lit.shape[1]] // 2 + 60
        save(root / f"fundus/{number}.png", np.where(lit[..., None], pixels, 0).astype(np.uint8))
        drawn = np.where(lit, binary(number)[:, : lit.shape[1]], 0).astype(np.uint8)
        save(root / f"manual/{number}_manual_orig.png", drawn)
        save(root / f"mask_images/{number}_mask_orig.png", to_255(lit))


def thermal(root: Path) -> None:
    """Pictures of heat, smooth and gray, of the same names as the masks."""
    for number in range(8):
        save(root / f"RGB/{number}.jpg", picture(number))
        rows, columns = np.mgrid[: SIZE_HW[0], : SIZE_HW[1]]
        warm = 120 + 90 * np.sin(rows / 17 + number) * np.cos(columns / 19)
        save(root / f"T/{number}.jpg", warm.astype(np.uint8), quality=95)
        save(root / f"GT/{number}.png", binary(number))


def good_ones_of_the_same_names(root: Path) -> None:
    for at, thing in enumerate(("can", "fabric")):
        for number in range(4):
            seed = 10 * at + number
            if number < 2:
                save(root / f"{thing}/test_public/good/{number:03}.png", picture(seed + 50))
            save(root / f"{thing}/test_public/bad/{number:03}.png", picture(seed))
            truth = root / f"{thing}/test_public/ground_truth/bad/{number:03}_mask.png"
            save(truth, binary(seed))


def products_with_numbers_in_names(root: Path) -> None:
    """A folder a scene, with pictures and masks of several makers."""
    for number in range(8):
        scene = root / f"high/ROI_{number:04}/2020031{number}T10_T32"
        for name, count in (("S2L1C", 13), ("S2L2A", 12)):
            tiff(scene / f"{name}.tif", bands(number, count))
        tiff(scene / "labels/manual_hq.tif", mask(number, 4))
        tiff(scene / "labels/sen2cor.tif", (mask(number) * 3 + 1).astype(np.uint8))


def a_split_within_a_split(root: Path) -> None:
    for folders, count in (
        (("train", "training"), 8),
        (("train", "validation"), 3),
        (("test",) * 2, 3),
    ):
        for number in range(count):
            seed = number + 11 * len(folders[1])
            save(root / f"{folders[0]}/images/{folders[1]}/{seed}.png", picture(seed))
            save(root / f"{folders[0]}/annotations/{folders[1]}/{seed}.png", mask(seed))


def few_instances(root: Path) -> None:
    """Never more than three objects, and sometimes none: the name says what the values are."""
    for number in range(8):
        shown = np.minimum(mask(number, 4), number % 4).astype(np.uint8)
        save(root / f"{number}/raw.png", picture(number))
        save(root / f"{number}/instrument_instances.png", shown)


def bands_and_labels_beside(root: Path) -> None:
    """Names differ in a word amid them: colors, classes, and floats of bands."""
    for number in range(8):
        name = f"Scene_{number // 4}_L2R_{{}}_{number % 4}"
        save(root / f"{name.format('rgb')}.png", picture(number))
        tiff(root / f"{name.format('cl')}.tif", mask(number))
        for wave in (492, 560):
            tiff(root / f"{name.format(f'rho_{wave}')}.tif", band(number).astype(np.float32) / 7)


def a_list_a_kind(root: Path) -> None:
    """Each list names a part of the images as test, and its kind again and again."""
    for at, kind in enumerate(("jack", "usb")):
        rows = [
            {"kind": kind, "image": f"NG/{10 * at + number}.jpg", "mask": None}
            for number in range(4)
        ]
        for number in range(4):
            seed = 10 * at + number
            save(root / f"{kind}/NG/{seed}.jpg", picture(seed))
            save(root / f"{kind}/NG/{seed}.png", binary(seed))
        text = json.dumps({"meta": {}, "train": [{"kind": kind}] * 3, "test": rows})
        lines(root / f"lists/{kind}.json", [text])


def runs_by_folder_and_name(root: Path) -> None:
    """A table calls pictures by a folder and a part of their names."""
    rows = ["id,class,segmentation"]
    for number in range(10):
        place = f"case{number % 2}/case{number % 2}_day{number}/scans"
        save(root / f"train/{place}/slice_0001_48_64_1.50.png", picture(number))
        runs = " ".join(f"{1 + 64 * row} {9 + number}" for row in range(20))
        rows.append(f"case{number % 2}_day{number}_slice_0001,stomach,{runs}")
    lines(root / "train.csv", rows)


def codes_of_classes(root: Path) -> None:
    for number in range(8):
        save(root / f"el_images/{number}a.png", picture(number))
        save(root / f"el_masks/{number}a.png", mask(number) * 3)
    rows = [f"{value},kind {value},{9 * value},5,7" for value in range(8)]
    lines(root / "ListOfClassesAndColorCodes_2022.csv", ["Label,Desc,Red,Green,Blue", *rows])


def zones_and_fronts(root: Path) -> None:
    """Masks of all classes, and beside them the border of two."""
    levels = np.array([0, 64, 127], np.uint8)
    for number in range(8):
        name = f"COL_2011-11-{10 + number}_TDX_7"
        save(root / f"sar/{name}.png", picture(number).convert("L"))
        save(root / f"zones/{name}_zones.png", levels[mask(number)])
        save(root / f"fronts/{name}_front.png", quarter(number, 1))


def scribbles(root: Path) -> None:
    """Strokes of each class, which have one value more than the masks."""
    for number in range(8):
        save(root / f"images/{number}a.jpg", picture(number))
        save(root / f"masks/{number}a.png", mask(number))
        strokes = np.where(np.arange(SIZE_HW[1]) % 8 < 2, mask(number), 255)
        save(root / f"scribbles/{number}a.png", strokes.astype(np.uint8))


def outlines_as_arrays(root: Path) -> None:
    """Pixels beside arrays that hold polygons, and no mask."""
    for number in range(8):
        save(root / f"Images/img{number}.jpg", picture(number))
        save(root / f"Groundtruth/Pixel/img{number}.jpg", binary(number))
        path = root / f"Groundtruth/Polygon/poly_gt_img{number}.mat"
        path.parent.mkdir(exist_ok=True)
        scipy.io.savemat(path, {"polygt": np.zeros((1, 2))})


def labels_of_four_bands(root: Path) -> None:
    """Labels of four sources in one file, beside those of one."""
    for number in range(8):
        name = f"ROIs0000_{{}}_p{number}.tif"
        save(root / "s2_0" / name.format("s2"), picture(number))
        tiff(root / "dfc_0" / name.format("dfc"), mask(number))
        shifted = [np.roll(mask(number), at) + 1 for at in range(4)]
        tiff(root / "lc_0" / name.format("lc"), np.stack(shifted, axis=-1).astype(np.uint16))


def cut_out_as_jpeg(root: Path) -> None:
    for number in range(8):
        pixels = np.asarray(picture(number))
        save(root / f"ORI/img ({number}).jpg", pixels)
        skin = np.random.default_rng(number).normal((190, 150, 120), 12, (6, 8, 3))
        small = Image.fromarray(skin.clip(0, 255).astype(np.uint8))
        shown = np.asarray(small.resize(SIZE_HW[::-1], Image.Resampling.BICUBIC))
        save(root / f"GT/img ({number}).jpg", np.where(binary(number)[..., None] > 0, shown, 0))


def years(root: Path) -> None:
    """Two sets whose images are numbered alike, the one with a letter before the number."""
    for number in range(1, 7):
        save(root / f"2009/pages/H{number:02}.bmp", picture(number))
        save(root / f"2009/truth/H{number:02}.tiff", binary(number))
        save(root / f"2017/pages/{number}.bmp", picture(number + 20))
        save(root / f"2017/GT/{number}_gt.bmp", binary(number + 20))


def lists_of_a_kind_each(root: Path) -> None:
    """The lists of a kind tell nothing of the other kind; the lines name two images."""
    for at, kind in enumerate(("dresses", "tops")):
        pairs = [f"{8 * at + number:06}_0.jpg {8 * at + number:06}_1.jpg" for number in range(6)]
        for number in range(6):
            seed = 8 * at + number
            save(root / f"{kind}/images/{seed:06}_0.jpg", picture(seed))
            save(root / f"{kind}/images/{seed:06}_1.jpg", picture(seed + 30))
            save(root / f"{kind}/label_maps/{seed:06}_4.png", mask(seed))
        lines(root / f"{kind}/train_pairs.txt", pairs[:4])
        lines(root / f"{kind}/test_pairs_paired.txt", pairs[4:])


def list_of_a_few(root: Path) -> None:
    for number in range(12):
        save(root / f"IMG_{number:04}.JPG", picture(number), format="JPEG")
        save(root / f"Labels/{number}.png", to_255(mask(number)))
    lines(root / "train.txt", [f"IMG_{number:04}.JPG" for number in range(4)])


def acronyms(root: Path) -> None:
    for folder, count in (("SBUTrain4KSmall", 8), ("SBU-Test", 3)):
        for number in range(count):
            seed = number + 20 * (count == 3)
            save(root / f"{folder}/ShadowImages/lssd{seed}.jpg", picture(seed))
            save(root / f"{folder}/ShadowMasks/lssd{seed}.png", binary(seed))


MAKERS: dict[str, tuple[Callable[[Path], None], Right | str]] = {
    "classes in folders and endings": (
        classes_in_folders_and_endings,
        Right(all_of(8), 4, ("background", "GT_ICM", "GT_TE", "GT_ZP")),
    ),
    "classes before the word mask": (
        classes_before_the_word_mask,
        Right(all_of(8), 3, ("background", "liver", "spleen")),
    ),
    "a folder a road": (a_folder_a_road, Right(all_of(8), 4)),
    "a cup within a disc": (nested, Right(all_of(8), 3, ("background", "Cup", "Disc"))),
    "a cup within a disc, in folders": (
        nested_in_folders,
        Right(all_of(8), 3, ("background", "Cup", "Disc")),
    ),
    "an instrument a folder": (
        an_instrument_a_folder,
        Right(all_of(8), 3, ("background", "Forceps_labels", "Scissors_labels")),
    ),
    "black on white": (black_on_white, Right(all_of(8), 3, ("background", "drusen", "scar"))),
    "years numbered alike": (years_numbered_alike, Right(all_of(12) | {"test": 6}, 2, BINARY)),
    "rare classes": (rare_classes, Right(all_of(8), 4, ("background", "hair", "hat", "skin"))),
    "named after images": (named_after_images, Right(all_of(8), 3)),
    "round views": (round_views, Right(all_of(8), 2, BINARY)),
    "pictures of heat": (thermal, Right(all_of(8), 2, BINARY)),
    "good ones of the same names": (good_ones_of_the_same_names, Right(all_of(8), 2, BINARY)),
    "numbers in names": (products_with_numbers_in_names, Right(all_of(8), 4)),
    "a split within a split": (
        a_split_within_a_split,
        Right({"train": 8, "val": 3, "test": 3}, 3),
    ),
    "few instances": (few_instances, Right(all_of(8), 2, BINARY)),
    "bands and labels beside": (bands_and_labels_beside, Right(all_of(8), 3)),
    "a list a kind": (a_list_a_kind, Right(all_of(8), 2, BINARY)),
    "runs by folder and name": (
        runs_by_folder_and_name,
        Right({"train": 8, "val": 2}, 2, ("background", "stomach")),
    ),
    "codes of classes": (codes_of_classes, Right(all_of(8), 8)),
    "zones and fronts": (zones_and_fronts, Right(all_of(8), 3)),
    "scribbles": (scribbles, Right(all_of(8), 3, ("class_0", "class_1", "class_2"))),
    "outlines as arrays": (outlines_as_arrays, Right(all_of(8), 2, BINARY)),
    "labels of four bands": (labels_of_four_bands, Right(all_of(8), 3)),
    "photographs cut out, as JPEG": (cut_out_as_jpeg, "are these photographs?"),
    "two years": (years, Right(all_of(12), 2, BINARY)),
    "lists of a kind each": (lists_of_a_kind_each, Right(all_of(12), 3)),
    "a list of a few": (list_of_a_few, Right(all_of(12), 2, BINARY)),
    "an acronym before the split": (acronyms, Right({"train": 8, "test": 3}, 2, BINARY)),
}
FURTHER_CASES = {name: Case(make, right) for name, (make, right) in MAKERS.items()}
