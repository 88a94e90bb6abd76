"""Data that are broken in one way each, and the diagnosis each should get."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter

SIZE_HW = (48, 64)
COLORS = np.array([(0, 0, 0), (200, 30, 30), (30, 60, 220)], np.uint8)


class Case(NamedTuple):
    """A generator, which gives what to examine, and the finding it should lead to."""

    make: Callable[[Path], Path]
    severity: str
    code: str


def class_mask(seed: int, num_classes: int = 3) -> np.ndarray:
    """Return a mask uint8 of rectangles and a disk of all classes."""
    rng = np.random.default_rng(seed)
    mask = np.zeros(SIZE_HW, np.uint8)
    rows, columns = np.mgrid[: SIZE_HW[0], : SIZE_HW[1]]
    for value in range(1, num_classes):
        top, left = rng.integers(2, 12), rng.integers(2, 20) + 14 * (value - 1)
        mask[top : top + 22, left : left + 16] = value
    center = rng.integers(30, 38), rng.integers(20, 44)
    mask[(rows - center[0]) ** 2 + (columns - center[1]) ** 2 < 60] = num_classes - 1
    return mask


def picture_of(mask: np.ndarray, seed: int) -> np.ndarray:
    """Return an image uint8 (H, W, 3) that shows the classes by noisy colors."""
    rng = np.random.default_rng(seed)
    base = np.array([(90, 120, 60), (180, 80, 60), (60, 80, 190)])[mask % 3]
    return np.clip(base + rng.integers(-25, 25, (*mask.shape, 3)), 0, 255).astype(np.uint8)


def make_good(root: Path, *, num_classes: int = 3) -> Path:
    """Writes `images/{train,val}/*.jpg` and `masks/{train,val}/*.png`: 6 and 2 pairs."""
    seed = 0
    for split, count in (("train", 6), ("val", 2)):
        for folder in ("images", "masks"):
            (root / folder / split).mkdir(parents=True)
        for index in range(count):
            mask = class_mask(seed, num_classes)
            save_image(root, split, index, picture_of(mask, seed))
            save_mask(root, split, index, mask)
            seed += 1
    return root


def save_image(root: Path, split: str, index: int, image: np.ndarray) -> None:
    Image.fromarray(image).save(root / "images" / split / f"frame_{index}.jpg")


def save_mask(root: Path, split: str, index: int, mask: np.ndarray, suffix: str = ".png") -> None:
    Image.fromarray(mask).save(root / "masks" / split / f"frame_{index}{suffix}")


def all_masks(root: Path) -> list[Path]:
    return sorted((root / "masks").rglob("frame_*"))


def rewrite_masks(
    root: Path, change: Callable[[np.ndarray], np.ndarray | Image.Image], suffix: str = ".png"
) -> Path:
    """Replaces every mask by what `change` makes of its classes; a JPEG is of quality 75."""
    for path in all_masks(root):
        changed = change(np.array(Image.open(path)))
        path.unlink()
        image = changed if isinstance(changed, Image.Image) else Image.fromarray(changed)
        image.save(path.with_suffix(suffix))
    return root


def describe(root: Path, text: str) -> Path:
    (root / "dataset.yaml").write_text(text)
    return root


def good(change: Callable[[Path], object]) -> Callable[[Path], Path]:
    """Makes a generator that breaks a good dataset in place."""

    def make(root: Path) -> Path:
        change(make_good(root))
        return root

    return make


def first(root: Path, what: str, split: str = "train") -> Path:
    return sorted((root / what / split).iterdir())[0]


def with_alpha(root: Path) -> None:
    """Put a fourth band where PNGs have their opacity."""
    path = first(root, "images")
    image = Image.open(path).convert("RGB")
    image.putalpha(image.convert("L"))
    image.save(path.with_suffix(".png"))
    path.unlink()


def objects_in_masks(root: Path) -> None:
    """Number 20 objects in each mask, of which some are gone in some."""
    for at, path in enumerate(sorted((root / "masks").rglob("*.png"))):
        pixels = np.zeros(SIZE_HW, np.uint8)
        for number in range(20):
            row, column = divmod(number, 5)
            if (number + at) % 5:
                pixels[11 * row : 11 * row + 8, 12 * column : 12 * column + 9] = 7 + number
        Image.fromarray(pixels).save(path)


def soft_masks(root: Path) -> None:
    """Masks whose values are shares of raters, in a folder that says so."""
    levels = np.array([0, 128, 255], np.uint8)
    for path in sorted((root / "masks").rglob("*.png")):
        Image.fromarray(levels[np.asarray(Image.open(path))]).save(path)
    (root / "masks").rename(root / "soft masks")


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def blended(mask: np.ndarray) -> Image.Image:
    """Draws a mask at four times its size in color, blurs it, and shrinks it: smooth edges."""
    image = Image.fromarray(COLORS[mask]).resize((256, 192), Image.Resampling.NEAREST)
    return image.filter(ImageFilter.GaussianBlur(2)).resize((64, 48), Image.Resampling.BILINEAR)


def with_palette(mask: np.ndarray, colors: np.ndarray) -> Image.Image:
    image = Image.fromarray(mask)
    image.putpalette(colors.tobytes())
    return image


def copy_image(root: Path, source: str, split: str, name: str) -> None:
    """Copies a frame's image as PNG under another name, with a mask of its own."""
    with Image.open(first(root, "images", source)) as image:
        image.save(root / "images" / split / f"{name}.png")
    Image.fromarray(class_mask(99)).save(root / "masks" / split / f"{name}.png")


def shuffle_palettes(root: Path) -> None:
    orders = ([0, 1, 2], [2, 0, 1])
    for number, path in enumerate(all_masks(root)):
        order = np.array(orders[number % 2])
        indices = np.argsort(order)[np.array(Image.open(path))].astype(np.uint8)
        with_palette(indices, COLORS[order]).save(path)


def write_pairs(root: Path, *lines: str) -> Path:
    path = root / "pairs.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


def pair_line(index: int) -> str:
    return f"images/train/frame_{index}.jpg masks/train/frame_{index}.png"


def one_pair(root: Path) -> Path:
    make_good(root)
    return write_pairs(root, pair_line(0))


def list_with_a_lost_file(root: Path) -> Path:
    make_good(root)
    return write_pairs(root, pair_line(0), pair_line(1), pair_line(77))


def list_with_a_bad_line(root: Path) -> Path:
    make_good(root)
    return write_pairs(root, pair_line(0), pair_line(1), "images/train/frame_2.jpg")


def rare_class(root: Path) -> None:
    for path in all_masks(root):
        mask = np.array(Image.open(path))
        mask[mask == 2] = 0
        if path.stem == "frame_0":
            mask[0, :2] = 2
        Image.fromarray(mask).save(path)


def turn(path: Path, orientation: int) -> None:
    """Has an image shown otherwise than it is stored, by EXIF's number."""
    with Image.open(path) as image:
        exif = image.getexif()
        exif[0x0112] = orientation
        image.save(path, exif=exif)


def sideways(root: Path) -> None:
    """A phone's picture: stored lying, shown standing; its mask was drawn lying."""
    turn(first(root, "images"), 6)


def sixteen_bit_mask(root: Path) -> None:
    describe(root, "names: [soil, crop, weed]\n")
    mask = class_mask(0).astype(np.uint16) * 1000
    Image.fromarray(mask).save(first(root, "masks"))


def half_the_size_described(root: Path) -> None:
    describe(root, "names: [soil, crop, weed]\n")
    Image.new("L", (32, 24)).save(first(root, "masks"))


def sixteen_bit_image(root: Path) -> None:
    path = first(root, "images")
    path.unlink()
    Image.fromarray(class_mask(0).astype(np.uint16) * 9000).save(path.with_suffix(".png"))


def empty_tree(root: Path) -> Path:
    (root / "pictures").mkdir(parents=True)
    return root


def no_images(root: Path) -> None:
    for path in (root / "images" / "val").iterdir():
        path.unlink()


def lost_mask_folder(root: Path) -> None:
    for path in (root / "masks" / "val").iterdir():
        path.unlink()
    (root / "masks" / "val").rmdir()


def half_in_color(root: Path) -> None:
    for path in all_masks(root)[::2]:
        Image.fromarray(COLORS[np.array(Image.open(path))]).save(path)


def stray_value(root: Path) -> None:
    describe(root, "names: [soil, crop, weed]\n")
    mask = class_mask(0)
    mask[5:9, 5:9] = 77
    save_mask(root, "train", 0, mask)


def stray_color(root: Path) -> None:
    rewrite_masks(root, lambda mask: COLORS[mask])
    describe(
        root,
        "names: [a, b, c]\nmask_encoding: rgb\n"
        "palette: [[0, 0, 0], [200, 30, 30], [30, 60, 230]]\n",
    )


def color_where_index_is_said(root: Path) -> None:
    rewrite_masks(root, lambda mask: COLORS[mask])
    describe(root, "names: [a, b, c]\n")


def only_in_val(root: Path) -> None:
    for path in (root / "masks" / "train").iterdir():
        mask = np.array(Image.open(path))
        Image.fromarray(np.where(mask == 2, np.uint8(0), mask)).save(path)


def masks_and_images_swapped(root: Path) -> None:
    """Smooth photographs as JPEG, whose colors lie near few main ones."""
    for path in all_masks(root):
        picture = Image.fromarray(picture_of(np.array(Image.open(path)), len(str(path))))
        path.unlink()
        picture.filter(ImageFilter.GaussianBlur(3)).save(path.with_suffix(".jpg"))


def beside_the_splits(root: Path) -> None:
    for kind in ("images", "masks"):
        source = first(root, kind)
        shutil.copy(source, root / kind / f"late{source.suffix}")


def described_val_is_train(root: Path) -> None:
    describe(root, "names: [a, b, c]\ntrain: images/train\nval: images/train\nmasks: masks/train\n")


def upside_down(root: Path) -> None:
    """A phone's picture, stored upside down; a mask drawn on it has the same size either way."""
    turn(first(root, "images"), 3)


def list_of_bytes(root: Path) -> Path:
    make_good(root)
    path = root / "pairs.txt"
    path.write_bytes(bytes(range(256)))
    return path


def renamed(root: Path, behind_images: str, behind_masks: str) -> None:
    for kind, behind in (("images", behind_images), ("masks", behind_masks)):
        for path in (root / kind).rglob("frame_*"):
            path.rename(path.with_stem(path.stem + behind))


def photographs_as_masks(root: Path) -> None:
    for path in all_masks(root):
        noise = np.random.default_rng(len(str(path))).integers(0, 256, (*SIZE_HW, 3))
        Image.fromarray(noise.astype(np.uint8)).save(path)


CASES: dict[str, Case] = {
    "no such path": Case(lambda root: root / "nowhere", "broken", "missing_path"),
    "an unknown tree": Case(empty_tree, "broken", "unknown_tree"),
    "a folder without images": Case(good(no_images), "warning", "mask_without_image"),
    "a lost folder of masks": Case(good(lost_mask_folder), "warning", "image_without_mask"),
    "a lost mask": Case(
        good(lambda root: first(root, "masks").unlink()), "warning", "image_without_mask"
    ),
    "a lost image": Case(
        good(lambda root: first(root, "images").unlink()), "warning", "mask_without_image"
    ),
    "two images of one name": Case(
        good(lambda root: Image.new("RGB", (64, 48)).save(root / "images/train/frame_0.png")),
        "broken",
        "same_name",
    ),
    "a truncated image": Case(
        good(lambda root: truncate(first(root, "images"))), "broken", "unreadable_image"
    ),
    "an empty image": Case(
        good(lambda root: first(root, "images").write_bytes(b"")), "broken", "unreadable_image"
    ),
    "values that are shares": Case(good(soft_masks), "warning", "soft_values"),
    "an alpha channel that varies": Case(good(with_alpha), "warning", "alpha_left_out"),
    "objects that keep their numbers": Case(good(objects_in_masks), "warning", "numbered_objects"),
    "a 16-bit image among others": Case(good(sixteen_bit_image), "broken", "mixed_bands"),
    "a truncated mask": Case(
        good(lambda root: truncate(first(root, "masks"))), "broken", "unreadable_mask"
    ),
    "text for a mask": Case(
        good(lambda root: first(root, "masks").write_text("mask")), "broken", "unreadable_mask"
    ),
    "a 16-bit mask among others": Case(good(sixteen_bit_mask), "broken", "unknown_values"),
    "a mask of other proportions": Case(
        good(lambda root: Image.new("L", (32, 20)).save(first(root, "masks"))),
        "broken",
        "size_mismatch",
    ),
    "a mask of half the size": Case(
        good(lambda root: Image.new("L", (32, 24)).save(first(root, "masks"))),
        "warning",
        "resized_masks",
    ),
    "a mask of half the size where none is said": Case(
        good(half_the_size_described), "broken", "size_mismatch"
    ),
    "a picture on its side": Case(good(sideways), "warning", "turned_masks"),
    "a value that is no class": Case(good(stray_value), "broken", "unknown_values"),
    "a color that is no class": Case(good(stray_color), "broken", "unknown_colors"),
    "colors where indices are said": Case(
        good(color_where_index_is_said), "broken", "wrong_encoding"
    ),
    "indices and colors": Case(good(half_in_color), "broken", "mixed_encodings"),
    "indices saved as JPEG": Case(
        good(lambda root: rewrite_masks(root, lambda mask: mask * 3, ".jpg")),
        "broken",
        "lossy_index_masks",
    ),
    "photographs for masks": Case(good(photographs_as_masks), "broken", "not_masks"),
    "images for masks": Case(good(masks_and_images_swapped), "broken", "not_masks"),
    "a list that is no text": Case(list_of_bytes, "broken", "bad_list"),
    "images beside the splits": Case(good(beside_the_splits), "warning", "unused_images"),
    "a val that is train": Case(good(described_val_is_train), "warning", "same_image_in_splits"),
    "a picture upside down": Case(good(upside_down), "note", "turned_images"),
    "masks of one value": Case(
        good(lambda root: rewrite_masks(root, np.zeros_like)), "broken", "one_class"
    ),
    "one pair": Case(one_pair, "broken", "too_few"),
    "a list with a lost file": Case(list_with_a_lost_file, "broken", "missing_file"),
    "a list with a bad line": Case(list_with_a_bad_line, "broken", "bad_line"),
    "a YAML with an unknown key": Case(
        good(lambda root: describe(root, "nmaes: [a, b]\n")), "broken", "bad_dataset_file"
    ),
    "a YAML that contradicts itself": Case(
        good(lambda root: describe(root, "names: [a, b, c]\nmask_encoding: binary\n")),
        "broken",
        "bad_dataset_file",
    ),
    "a YAML that names no folder": Case(
        good(lambda root: describe(root, "names: [a, b, c]\ntrain: images/trian\n")),
        "broken",
        "missing_folder",
    ),
    "the same image twice": Case(
        good(lambda root: copy_image(root, "train", "train", "again")),
        "warning",
        "duplicate_images",
    ),
    "the same image in train and val": Case(
        good(lambda root: copy_image(root, "train", "val", "seen")),
        "warning",
        "same_image_in_splits",
    ),
    "palettes in another order": Case(good(shuffle_palettes), "warning", "palettes_differ"),
    "blended edges": Case(
        good(lambda root: rewrite_masks(root, blended)), "warning", "blended_masks"
    ),
    "colors saved as JPEG": Case(
        good(lambda root: rewrite_masks(root, lambda mask: COLORS[mask], ".jpg")),
        "warning",
        "lossy_masks",
    ),
    "0 and 255 saved as JPEG": Case(
        good(
            lambda root: rewrite_masks(root, lambda m: np.where(m > 0, 255, 0).astype("u1"), ".jpg")
        ),
        "warning",
        "lossy_masks",
    ),
    "a class that never occurs": Case(
        good(lambda root: describe(root, "names: [soil, crop, weed, stone]\n")),
        "warning",
        "class_never_occurs",
    ),
    "a class that only val has": Case(good(only_in_val), "warning", "class_not_in_train"),
    "a class of a few pixels": Case(good(rare_class), "warning", "imbalance"),
    "a mask of nothing but void": Case(
        good(lambda root: save_mask(root, "train", 0, np.full(SIZE_HW, 255, np.uint8))),
        "warning",
        "empty_masks",
    ),
}
