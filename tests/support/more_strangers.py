"""More data sets as strangers publish them: folders that name one another, and copies."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

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
    to_rgb,
)


def centers(root: Path) -> None:
    """The folders within a folder end in its number, and some images lie there with boxes."""
    for center in (1, 2, 3):
        folder = root / f"data_C{center}"
        for number in range(4):
            seed, name = 4 * center + number, f"{100 + number}H{center}"
            save(folder / f"images_C{center}/{name}.jpg", picture(seed))
            save(folder / f"masks_C{center}/{name}_mask.jpg", binary(seed))
            if number % 2:
                save(folder / f"bbox_image_C{center}/{name}.jpg", picture(seed))


def flights(root: Path) -> None:
    """A mask's name begins with its folder's, and images lie there for each channel."""
    for flight in ("000", "001"):
        for number in range(6):
            seed, name = number + 10 * int(flight), f"frame{number:04}"
            for channel in ("NIR", "RGB"):
                shown = picture(seed).convert("L" if channel == "NIR" else "RGB")
                save(root / f"{flight}/tile/{channel}/{name}.png", shown)
            for kind, change in (("color", to_rgb), ("iMap", np.copy)):
                path = f"{flight}/groundtruth/{flight}_{name}_GroundTruth_{kind}.png"
                save(root / path, change(mask(seed)))


def drives(root: Path) -> None:
    """Drives with images of the same names, masks in two forms, and lists of pairs."""
    rows: dict[str, list[str]] = {"train": [], "val": []}
    for drive in ("00000", "00004"):
        for number in range(5):
            seed, name = number + 10 * int(drive), f"frame{number:06}-15_{700 + number}"
            camera = f"{drive}/camera_node"
            save(root / f"Drives/{camera}/{name}.jpg", picture(seed))
            save(root / f"Drives/{camera}_label_color/{name}.png", to_rgb(mask(seed)))
            save(root / f"Drives/{camera}_label_id/{name}.png", mask(seed))
            row = f"{camera}/{name}.jpg {camera}_label_id/{name}.png"
            rows["train" if number < 3 else "val"].append(row)
    for split, texts in rows.items():
        lines(root / f"Drives/{split}.lst", texts)


def words_within(root: Path) -> None:
    """What tells an image from its mask is a word in the middle of the name."""
    for day in ("20180807_145028", "20181107_132730"):
        for number in range(4):
            seed, stem = number + int(day[-1]), day.replace("_", "")
            for kind, shown in (("camera", picture(seed)), ("label", to_rgb(mask(seed)))):
                name = f"{stem}_{kind}_frontcenter_{13 * number:09}.png"
                save(root / f"{day}/{kind}/front_center/{name}", shown)


def roads_with_edges(root: Path) -> None:
    """A folder an image, with edges and center lines that are no classes."""
    for number in range(1, 9):
        road = mask(number, 2) > 0
        edges = road ^ np.roll(road, 1, axis=1)
        save(root / f"{number}/Road-{number}.tif", picture(number))
        for name, shown in (("segmentation", road), ("edge", edges), ("centerline", edges)):
            save(root / f"{number}/{name}.png", to_255(shown))


def val_elsewhere(root: Path) -> None:
    """Validation came later, and lies and is named otherwise."""
    for number in range(8):
        kind = ("ill", "well")[number % 2]
        name = f"{kind[0]}{number:04}"
        save(root / f"Training400/{kind}/{name}.jpg", picture(number))
        save(root / f"Annotation-Training400/Masks/{kind}/{name}.bmp", mask(number) * 100)
    for number in range(4):
        save(root / f"EYE-Validation400/V{number:04}.jpg", picture(number + 20))
        save(root / f"EYE-Validation400-GT/Masks/V{number:04}.bmp", mask(number + 20) * 100)


def valid_and_empty(root: Path) -> None:
    """What lies in `valid` is valid, and no validation."""
    for number in range(8):
        kind = ("valid", "empty")[number % 2]
        save(root / f"images/{kind}/{number}_f{10 * number}.jpg", picture(number))
        shown = binary(number) if kind == "valid" else 0 * binary(number)
        save(root / f"masks/{kind}/{number}_f{10 * number}.png", shown)


def short_splits(root: Path) -> None:
    for split, numbers in (("TR", range(6)), ("TE", range(6, 9))):
        for number in numbers:
            save(root / f"SAL-{split}/SAL-{split}-Image/{number}_sun.jpg", picture(number))
            save(root / f"SAL-{split}/SAL-{split}-Mask/{number}_sun.png", binary(number))


def of_16_bits(root: Path) -> None:
    for number in range(8):
        save(root / f"images/{number}a.png", picture(number))
        wide = np.where(mask(number) > 0, 65535, 0).astype(np.uint16)
        save(root / f"masks/{number}a.png", wide)


def in_two_ways(root: Path) -> None:
    """Some masks are of 1 bit, others of 0 and 255."""
    for number in range(8):
        save(root / f"kind ({number}).png", picture(number))
        shown = binary(number)
        save(root / f"kind ({number})_mask.png", shown > 0 if number % 2 else shown)


def in_two_formats(root: Path) -> None:
    """All images are there twice, each time with masks."""
    for number in range(8):
        for folder, suffix in (("PNG", "png"), ("TIF", "tif")):
            save(root / f"{folder}/Original/{number}.{suffix}", picture(number))
            save(root / f"{folder}/Ground Truth/{number}.{suffix}", binary(number))


def as_text(root: Path) -> None:
    """Labels are lines of numbers, -1 where there is none."""
    for number in range(6):
        name = f"{47 + 13 * number:07}"
        save(root / f"images/{name}.jpg", picture(number, 4))
        regions = mask(number, 4).astype(int) - 1
        for kind, values in (("regions", regions), ("surfaces", np.minimum(regions, 1))):
            rows = [" ".join(map(str, row)) for row in values.tolist()]
            lines(root / f"labels/{name}.{kind}.txt", rows)
    lines(root / "horizons.txt", [f"{47 + 13 * number:07} 64 48 20" for number in range(6)])


def two_views(root: Path) -> None:
    """Sequences that two cameras film, with masks for the left one."""
    for sequence in (1, 2):
        for number in range(5):
            seed, name = number + 10 * sequence, f"frame{number:03}.png"
            save(root / f"seq_{sequence}/left_frames/{name}", picture(seed))
            save(root / f"seq_{sequence}/right_frames/{name}", picture(seed + 50))
            save(root / f"seq_{sequence}/labels/{name}", to_rgb(mask(seed)))


def named_in_a_table(root: Path) -> None:
    """A table with more columns than names, from 1; 0 is what it leaves out."""
    for number in range(8):
        save(root / f"images/training/T_{number:08}.jpg", picture(number))
        save(root / f"annotations/training/T_{number:08}.png", mask(number))
    rows = ["Idx\tRatio\tTrain\tStuff\tName", "1\t0.15\t11\t1\twall", "2\t0.1\t9\t0\tbed, cot"]
    lines(root / "objectInfo150.txt", rows)


MAKERS: dict[str, tuple[Callable[[Path], None], Right]] = {
    "centers": (centers, Right(all_of(12), 2, BINARY)),
    "flights": (flights, Right(all_of(12), 3)),
    "drives with lists": (drives, Right({"train": 6, "val": 4}, 3)),
    "a word within names": (words_within, Right(all_of(8), 3)),
    "roads with edges": (roads_with_edges, Right(all_of(8), 2, BINARY)),
    "val lies elsewhere": (val_elsewhere, Right({"train": 8, "val": 4}, 3)),
    "valid and empty": (valid_and_empty, Right(all_of(8), 2, BINARY)),
    "TR and TE": (short_splits, Right({"train": 6, "test": 3}, 2, BINARY)),
    "0 and 65535": (of_16_bits, Right(all_of(8), 2, BINARY)),
    "1 bit and 8 bits": (in_two_ways, Right(all_of(8), 2, BINARY)),
    "all in two formats": (in_two_formats, Right(all_of(8), 2, BINARY)),
    "masks as text": (as_text, Right(all_of(6), 3)),
    "two views": (two_views, Right(all_of(10), 3)),
    "a table of objects": (
        named_in_a_table,
        Right({"train": 8}, 3, ("background", "wall", "bed, cot")),
    ),
}
MORE_CASES = {name: Case(make, right) for name, (make, right) in MAKERS.items()}
