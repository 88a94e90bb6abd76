"""More data sets as strangers publish them: folders that name one another, and copies."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.io

from tests.support.broken_datasets import SIZE_HW
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


def one_object(number: int, at: int, count: int) -> np.ndarray:
    """Return where the objects of an image are, uint8 0 and 255: one of a few that lie apart."""
    shown = np.zeros(SIZE_HW, np.uint8)
    shown[4 + number : 30, 2 + 60 * at // count : 60 * (at + 1) // count] = 255
    return shown


def cells(root: Path) -> None:
    """Each cell has a mask, with its inner part of another value; numbers count them."""
    for number in range(8):
        save(root / f"x/{100 + number}.bmp", picture(number))
        for at in range(1 + number % 3):
            cell = np.where(one_object(number, at, 3) > 0, 20, 0).astype(np.uint8)
            cell[12 + number : 26][cell[12 + number : 26] > 0] = 40
            save(root / f"y/{100 + number}_{at + 1}.bmp", cell)


def people(root: Path) -> None:
    """The masks' names tell how many people there are, and which one each shows."""
    for number in range(8):
        save(root / f"images/{number}.jpg", picture(number))
        count = 1 + number % 3
        for at in range(count):
            save(
                root / f"parsing_annos/{number}_{count:02}_{at + 1:02}.png",
                one_object(number, at, 3),
            )


def bands_as_arrays(root: Path) -> None:
    for number in range(6):
        bands = np.stack([np.asarray(picture(number))[..., 0] / np.float32(255)] * 5)
        for folder, array in (("scenes", bands), ("labels", mask(number).astype(np.int64))):
            (root / folder).mkdir(parents=True, exist_ok=True)
            np.save(root / folder / f"s{number}.npy", array)


def full_masks(root: Path) -> None:
    """Beside a folder for each class lies one that says where there is a picture at all."""
    for number in range(8):
        save(root / f"images/{number}a.jpg", picture(number))
        save(root / f"masks/{number}a.png", np.full(SIZE_HW, 255, np.uint8))
        for at, name in enumerate(("endrow", "water", "weed")):
            shown = one_object(number, at, 3) if (number + at) % 3 else np.zeros(SIZE_HW, np.uint8)
            save(root / f"labels/{name}/{number}a.png", shown)


def same_scenes(root: Path) -> None:
    """Two scenes have the same pictures; each has its own masks."""
    for scene in ("Scene01", "Scene02"):
        for number in range(8):
            save(root / f"{scene}/rgb/rgb_{number:05}.jpg", picture(number))
            shown = mask(number) if scene == "Scene01" else mask(number + 50)
            save(root / f"{scene}/classes/class_{number:05}.png", to_rgb(shown))


def colored_objects(root: Path) -> None:
    """Colors number the leaves of a plant."""
    colors = np.random.default_rng(0).integers(1, 255, (12, 3), np.uint8)
    for number in range(10):
        count = 2 + number
        shown = np.zeros((*SIZE_HW, 3), np.uint8)
        for at in range(count):
            shown[10:40, 5 * at : 5 * at + 4] = colors[at]
        save(root / f"plants/rgb_{number:02}.png", picture(number))
        save(root / f"leaves/label_{number:02}.png", shown)


def cut_out(root: Path) -> None:
    """Photographs on plain blue are no masks."""
    noise = np.random.default_rng(0)
    for number in range(6):
        photograph = noise.integers(0, 255, (*SIZE_HW, 3), np.uint8)
        save(root / f"jpg/image_{number:05}.jpg", photograph)
        photograph[binary(number) == 0] = (0, 0, 254)
        save(root / f"segmim/segmim_{number:05}.jpg", photograph)


def cut_out_by_alpha(root: Path) -> None:
    """The masks are the photographs, with what is cut out in the alpha channel."""
    for number in range(8):
        save(root / f"clip/{number}a.jpg", picture(number))
        noise = np.random.default_rng(number).integers(0, 255, (*SIZE_HW, 3), np.uint8)
        save(root / f"matting/{number}a.png", np.dstack([noise, binary(number)]))


def anomalies_of_parts(root: Path) -> None:
    """A folder of masks an image, in a folder a kind; the images have the same names in each."""
    for at, kind in enumerate(("logical", "structural")):
        for number in range(4):
            save(root / f"test/{kind}/{number:03}.png", picture(number + 10 * at))
            for part in range(1 + number % 2):
                shown = np.zeros(SIZE_HW, np.uint8)
                shown[20 * part : 20 * part + 12, 9 * at : 30] = 255 - at
                save(root / f"ground_truth/{kind}/{number:03}/{part:03}.png", shown)


def samples_without_masks(root: Path) -> None:
    """Few folders of a sample each, named by hashes; those of the test have no masks."""
    for number in range(9):
        name = f"{7919 * (number + 3) ** 7 % 16**12:012x}"
        split = "train" if number < 6 else "test"
        save(root / f"stage1_{split}/{name}/images/{name}.png", picture(number))
        for part in range(1 + number % 3) if split == "train" else ():
            shown = np.zeros(SIZE_HW, np.uint8)
            shown[5:20, 20 * part : 20 * part + 12] = 255
            mask_name = f"{6101 * (9 * number + part + 2) ** 7 % 16**12:012x}"
            save(root / f"stage1_{split}/{name}/masks/{mask_name}.png", shown)


def only_valid_is_listed(root: Path) -> None:
    """Names of colors or values in codes.txt, semantic masks beside numbered objects."""
    names = [f"0001TP_{6690 + 30 * number:06}" for number in range(12)]
    for number, name in enumerate(names):
        save(root / f"images/{name}.png", picture(number))
        save(root / f"labels/{name}_label.png", one_object(number, 9, 2 + number))
        save(root / f"labels/{name}_label_semantic.png", mask(number))
    lines(root / "codes.txt", ["Sky", "Road", "Tree"])
    lines(root / "valid.txt", [f"{name}.png" for name in names[9:]])


def fused(root: Path) -> None:
    """Masks named as their images with the suffix, whose background no file names."""
    colors = np.array([(0, 0, 0), (0, 255, 34), (255, 40, 3)], np.uint8)
    for number in range(8):
        save(root / f"IMG_{number}.jpg", picture(number))
        save(root / f"IMG_{number}.jpg___fuse.png", colors[mask(number)])
    classes = [{"id": 1, "name": "Plant", "color": "#00ff22"}]
    classes += [{"id": 2, "name": "Pot", "color": "#ff2803"}]
    lines(root / "classes/classes.json", [json.dumps(classes)])


def hashes(root: Path) -> None:
    """Names that say nothing."""
    for number in range(16):
        save(root / f"a/{hash_name(number)}.jpg", picture(number))
        save(root / f"b/{hash_name(number + 99)}.png", mask(number))


def hash_name(number: int) -> str:
    return hashlib.md5(str(number).encode()).hexdigest()[:8]


def hashes_in_a_table(root: Path) -> None:
    """The table has the paths of another machine, a column of numbers and one of splits."""
    hashes(root)
    rows = [
        f"/input/x/a/{hash_name(n)}.jpg,/input/x/b/{hash_name(n + 99)}.png,{n % 5},"
        f"{'train' if n < 12 else 'valid'}"
        for n in range(16)
    ]
    lines(root / "data.csv", ["image_path,mask_path,fold,split", *rows])


def lists_without_the_beginning(root: Path) -> None:
    names = [f"S2_{1 + number // 4}-12-19_48MYU_{number % 4}" for number in range(12)]
    for number, name in enumerate(names):
        save(root / f"patches/{name[:-2]}/{name}.png", picture(number))
        save(root / f"patches/{name[:-2]}/{name}_cl.png", mask(number))
    for split, part in (("train", names[:8]), ("val", names[8:])):
        lines(root / f"splits/{split}_X.txt", [name.removeprefix("S2_") for name in part])


def arrays_beside_s(root: Path) -> None:
    for number in range(6):
        save(root / f"images/{number}a.jpg", picture(number))
        path = root / f"annotations/{number}a.mat"
        path.parent.mkdir(exist_ok=True)
        other = np.arange(np.prod(SIZE_HW)).reshape(SIZE_HW)
        arrays = {"regionMapStuff": other, "S": mask(number), "names": [["a"], ["b"]]}
        scipy.io.savemat(path, arrays)


MAKERS: dict[str, tuple[Callable[[Path], None], Right | str]] = {
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
    "numbered cells of two values": (cells, Right(all_of(8), 3)),
    "a mask a person": (people, Right(all_of(8), 2, BINARY)),
    "bands as arrays": (bands_as_arrays, Right(all_of(6), 3)),
    "masks that are full": (
        full_masks,
        Right(all_of(8), 4, ("background", "endrow", "water", "weed")),
    ),
    "two scenes of one content": (same_scenes, Right(all_of(8), 3)),
    "colored leaves": (colored_objects, Right(all_of(10), 2, BINARY)),
    "cut out by alpha": (cut_out_by_alpha, Right(all_of(8), 2, BINARY)),
    "photographs cut out": (cut_out, "no mask"),
    "only valid is listed": (
        only_valid_is_listed,
        Right({"train": 9, "val": 3}, 3, ("Sky", "Road", "Tree")),
    ),
    "fused": (fused, Right(all_of(8), 3, ("Plant", "Pot", "background"))),
    "hashes": (hashes, "no mask belongs to an image by its name"),
    "hashes in a table": (hashes_in_a_table, Right({"train": 12, "val": 4}, 3)),
    "samples without masks": (samples_without_masks, Right({"train": 6}, 2, BINARY)),
    "a folder of masks an anomaly": (anomalies_of_parts, Right(all_of(8), 3)),
    "lists without the beginning": (
        lists_without_the_beginning,
        Right({"train": 8, "val": 4}, 3),
    ),
    "several arrays beside S": (arrays_beside_s, Right(all_of(6), 3)),
}
MORE_CASES = {name: Case(make, right) for name, (make, right) in MAKERS.items()}
