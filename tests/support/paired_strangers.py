"""Data sets with further files of the same names: other cameras, clothes, objects, soft masks."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

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


def objects(seed: int, *, hidden: bool = True) -> np.ndarray:
    """Return disks numbered from 1, uint8; later ones hide some of those before."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: SIZE_HW[0], : SIZE_HW[1]]
    shown = np.zeros(SIZE_HW, np.uint8)
    for number in range(1, 4 + 2 * (seed % 7)):
        row, column = rng.integers(4, SIZE_HW[0] - 4), rng.integers(4, SIZE_HW[1] - 4)
        disk = (rows - row) ** 2 + (columns - column) ** 2 < 16
        if hidden and number % 4 == 2 and seed % 3:
            continue
        shown[disk] = number
    return shown


def two_cameras(root: Path) -> None:
    """Only the left camera's pictures have masks of classes; a map of objects is no right one."""
    for number in range(8):
        save(root / f"left/{number:06}_10.png", picture(number, 4))
        save(root / f"right/{number:06}_10.png", picture(number + 50, 4))
        save(root / f"left_labels/{number:06}_10.png", mask(number, 4))
        save(root / f"obj_map/{number:06}_10.png", np.roll(mask(number + 20, 4), 9, axis=1))


def clothes_on_people(root: Path) -> None:
    """Clothes lie beside those who wear them, and have masks of their own."""
    for split, numbers in (("train", range(6)), ("test", range(6, 9))):
        folder = root / split
        for number in numbers:
            name = f"{13 * number:05}_00"
            save(folder / f"image/{name}.jpg", picture(number, 4))
            save(folder / f"image-parse-v3/{name}.png", to_palette(mask(number, 4)))
            save(folder / f"cloth/{name}.jpg", picture(number + 40, 2))
            save(folder / f"cloth-mask/{name}.jpg", binary(number + 40), quality=20)
        lines(folder / f"{split}_pairs.txt", [f"{13 * n:05}_00.jpg 00000_00.jpg" for n in numbers])


def frames_before(root: Path) -> None:
    """Beside each picture lies the one before, and beside each mask its colors."""
    for number in range(8):
        name = f"{number:05}_{('FV', 'RV', 'MVL', 'MVR')[number % 4]}"
        save(root / f"rgb_images/{name}.png", picture(number, 4))
        save(root / f"previous_images/{name}_prev.png", picture(number + 50, 4))
        save(root / f"annotations/gtLabels/{name}.png", mask(number, 4))
        save(root / f"annotations/rgbLabels/{name}.png", to_rgb(mask(number, 4)))


def numbers_without_a_sign(root: Path) -> None:
    """Some images have two masks, and then both are numbered."""
    for number in range(8):
        name, shown = f"{number:04}_00{number % 3}", binary(number)
        save(root / f"Defect_images/{name}.png", picture(number, 2).convert("L"))
        left = np.arange(SIZE_HW[1]) < SIZE_HW[1] // 2
        parts = [left, ~left] if number % 4 == 3 else [left | True]
        for at, part in enumerate(parts, 1):
            ending = "mask" if len(parts) == 1 else f"mask{at}"
            save(root / f"Mask_images/{name}_{ending}.png", np.where(part, shown, 0))


def objects_with_gaps(root: Path) -> None:
    for number in range(14):
        save(root / f"slides/train_{number}.bmp", picture(number, 2))
        save(root / f"slides/train_{number}_anno.bmp", objects(number))


def soft_files_of_classes(root: Path) -> None:
    """A file a class, the background included, whose edges are soft."""
    for number in range(8):
        name = f"{100032540 + 999 * number}_{1 + number % 2}"
        save(root / f"images/{name}.jpg", picture(number, 4))
        for value in range(4):
            large = Image.fromarray(to_255(mask(number, 4) == value)).resize((640, 480))
            soft = large.resize(SIZE_HW[::-1], Image.Resampling.BILINEAR)
            save(root / f"labels/{name}/{name}_lbl{value:02}.png", soft)


def the_first_class_is_large(root: Path) -> None:
    """What lies first is most of the pictures, so that its masks alone are mostly white."""
    for number in range(8):
        save(root / f"photos/{number}a.jpg", picture(number, 3))
        for value, name in enumerate(("asphalt", "cone", "van")):
            save(root / f"truth/{name}/{number}a.png", to_255(mask(number, 3) == value))


def splits_in_a_long_column(root: Path) -> None:
    """Columns of splits are called more than that, and small pictures lie about."""
    rows = ["Name;System;TVT-split1;TVT-split2"]
    for number in range(12):
        name = f"VegAnn_{number}.png"
        save(root / f"images/{name}", picture(number, 2))
        save(root / f"annotations/{name}", binary(number))
        save(root / f"images/@eaDir/{name}/SYNOPHOTO_THUMB_M.jpg", picture(number).resize((16, 12)))
        splits = ["Training"] * 8 + ["Validation"] * 2 + ["Test"] * 2
        rows.append(f"{name};Handheld;{splits[number]};{splits[number - 5]}")
    lines(root / "VegAnn_dataset.csv", rows)


def a_list_of_classes(root: Path) -> None:
    for number in range(8):
        save(root / f"frames/{number}a.png", picture(number))
        save(root / f"labels/{number}a.png", to_rgb(mask(number)))
    names = ("asphalt", "gravel", "soil")
    colors = (",".join(map(str, color)) for color in RGB.tolist())
    rows = (
        f"{name},{at},{color}" for at, (name, color) in enumerate(zip(names, colors, strict=False))
    )
    lines(root / "tas500_class_list.csv", ["name,id,r,g,b", *rows])


MAKERS: dict[str, tuple[Callable[[Path], None], Right | str]] = {
    "two cameras": (two_cameras, Right(all_of(8), 4)),
    "clothes on people": (clothes_on_people, Right({"train": 6, "test": 3}, 4)),
    "the frames before": (frames_before, Right(all_of(8), 4)),
    "numbers without a sign": (numbers_without_a_sign, Right(all_of(8), 2, BINARY)),
    "objects with gaps": (objects_with_gaps, Right(all_of(14), 2, BINARY)),
    "soft files of classes": (
        soft_files_of_classes,
        Right(all_of(8), 5, ("background", "lbl00", "lbl01", "lbl02", "lbl03")),
    ),
    "the first class is large": (
        the_first_class_is_large,
        Right(all_of(8), 4, ("background", "asphalt", "cone", "van")),
    ),
    "splits in a long column": (
        splits_in_a_long_column,
        Right({"train": 8, "val": 2, "test": 2}, 2, BINARY),
    ),
    "a list of classes": (a_list_of_classes, Right(all_of(8), 3, ("asphalt", "gravel", "soil"))),
}
PAIRED_CASES = {name: Case(make, right) for name, (make, right) in MAKERS.items()}
