"""Data sets as strangers publish them: 60 and more small trees, each with its right reading.

The folders, names and encodings are those that data sets of medicine, agriculture, factories,
faces, aerial pictures and streets have; the content is made up.
"""

import csv
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.io
from PIL import Image, ImageFilter

from tests.support.broken_datasets import SIZE_HW, class_mask, picture_of

BINARY = ("background", "foreground")
RGB = np.array([(0, 0, 0), (200, 30, 30), (30, 60, 220), (20, 200, 40)], np.uint8)
Change = Callable[[np.ndarray], object]


class Right(NamedTuple):
    """The right reading: pairs of each split, how many classes, and their names where told."""

    splits: dict[str, int]
    num_classes: int
    names: tuple[str, ...] | None = None


class Case(NamedTuple):
    """A tree and what should become of it: it is read, or refused with these words."""

    make: Callable[[Path], None]
    right: Right | str


def picture(seed: int, num_classes: int = 3) -> Image.Image:
    return Image.fromarray(picture_of(class_mask(seed, num_classes), seed))


def mask(seed: int, num_classes: int = 3) -> np.ndarray:
    return class_mask(seed, num_classes)


def binary(seed: int) -> np.ndarray:
    return np.where(mask(seed, 2) > 0, 255, 0).astype(np.uint8)


def save(path: Path, pixels: object, **options: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(np.asarray(pixels))
    image.save(path, **options)


def two(
    root: Path,
    image: str,
    of_mask: str,
    numbers: Iterable[int] = range(8),
    *,
    change: Change = lambda values: values,
    num_classes: int = 3,
    **names: str,
) -> None:
    """Write pairs: `{}` in the two paths is the number."""
    for number in numbers:
        save(root / image.format(number, **names), picture(number, num_classes))
        save(root / of_mask.format(number, **names), change(mask(number, num_classes)))


def to_255(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0, 255, 0).astype(np.uint8)


def to_rgb(values: np.ndarray) -> np.ndarray:
    return RGB[values]


def to_palette(values: np.ndarray) -> Image.Image:
    image = Image.fromarray(values)
    image.putpalette(RGB.tobytes())
    return image


def lines(path: Path, texts: Iterable[str], **options: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{text}\n" for text in texts), encoding=options.get("encoding"))


# Medicine


def polyps(root: Path) -> None:
    two(root, "images/cju{}q.jpg", "masks/cju{}q.jpg", change=to_255)
    (root / "kavsir_bboxes.json").write_text("{}")


def polyps_by_prefix(root: Path) -> None:
    two(root, "ETIS/images/{}.jpg", "ETIS/masks/p{}.jpg", change=to_255)


def polyps_tif(root: Path) -> None:
    two(root, "CVC/Original/{}.tif", "CVC/Ground Truth/{}.tif", change=to_255)


def field_of_view() -> np.ndarray:
    rows, columns = np.mgrid[: SIZE_HW[0], : SIZE_HW[1]]
    return np.where((rows - 24) ** 2 + (columns - 32) ** 2 < 500, 255, 0).astype(np.uint8)


def drive(root: Path) -> None:
    for split, first, manual in (("training", 21, True), ("test", 1, False)):
        for number in range(first, first + 6):
            stem = f"{split}/images/{number:02d}_{split}"
            save(root / f"{stem}.tif", picture(number))
            save(
                root / f"{split}/mask/{number:02d}_{split}_mask.gif",
                Image.fromarray(field_of_view()),
            )
            if manual:
                path = root / f"{split}/1st_manual/{number:02d}_manual1.gif"
                save(path, Image.fromarray(binary(number)))


def drive_two_experts(root: Path) -> None:
    drive(root)
    for number in range(1, 7):
        for expert, folder in ((1, "1st_manual"), (2, "2nd_manual")):
            path = root / f"test/{folder}/{number:02d}_manual{expert}.gif"
            save(path, Image.fromarray(binary(number)))


def chase(root: Path) -> None:
    for number in range(1, 5):
        for side in "LR":
            seed = 2 * number + (side == "L")
            save(root / f"Image_{number:02d}{side}.jpg", picture(seed))
            save(root / f"Image_{number:02d}{side}_1stHO.png", binary(seed) > 0)
            save(root / f"Image_{number:02d}{side}_2ndHO.png", binary(seed) > 0)


def stare(root: Path) -> None:
    two(root, "stare-images/im{:04d}.ppm", "labels-ah/im{:04d}.ah.ppm", change=to_255)


def lesions(root: Path) -> None:
    """Numbered folders for splits and classes, and an ending of its own for each class."""
    kinds = (("1. Microaneurysms", "MA", 1), ("3. Hard Exudates", "EX", 2), ("5. Disc", "OD", 3))
    for folder, numbers in (("a. Training Set", range(1, 9)), ("b. Testing Set", range(9, 13))):
        for number in numbers:
            save(root / f"1. Images/{folder}/IDRiD_{number:02}.jpg", picture(number, 4))
            for kind, ending, value in kinds:
                if number % 4 == 0 and ending == "MA":
                    continue  # an image without this lesion has no such file
                part = np.where(mask(number, 4) == value, 255, 0).astype(np.uint8)
                save(root / f"2. Truth/{folder}/{kind}/IDRiD_{number:02}_{ending}.tif", part)


def lesions_in_one_folder(root: Path) -> None:
    """The class is what a name ends with, behind more words."""
    for number in range(8):
        save(root / f"images/eye_of_{number}_left.jpg", picture(number, 4))
        for ending, value in (("hard_exudates", 1), ("haemorrhages", 2), ("optic_disc", 3)):
            part = np.where(mask(number, 4) == value, 255, 0).astype(np.uint8)
            save(root / f"truth/eye_of_{number}_left_{ending}.png", part)


def ultrasound(root: Path) -> None:
    """Numbers in brackets, and some images with a second mask."""
    for number in range(8):
        name = f"{'benign' if number < 4 else 'malignant'} ({number % 4 + 1})"
        truth, folder = mask(number, 3), root / name.partition(" ")[0]
        save(folder / f"{name}.png", picture(number))
        save(folder / f"{name}_mask.png", to_255(truth == 1))
        if number % 3 == 0:
            save(folder / f"{name}_mask_1.png", to_255(truth == 2))


def numbered_objects(root: Path) -> None:
    """Each mask counts its objects from 1."""
    for number in range(8):
        values = np.zeros(SIZE_HW, np.uint8)
        for value in range(1, 3 + number % 5):
            values[2 : SIZE_HW[0] - 2, 5 * value : 5 * value + 4] = value
        save(root / f"train_{number}.bmp", picture(number))
        save(root / f"train_{number}_anno.bmp", values)


def void_of_255(root: Path) -> None:
    """Few classes with small numbers, and most pixels void: no soft edges of two peaks."""
    for number in range(8):
        values = mask(number, 4)
        save(root / f"images/{number}.jpg", picture(number, 4))
        save(root / f"labels/{number}.png", np.where(values == 0, 255, values + 2).astype(np.uint8))


def train_val(root: Path) -> None:
    """The split's name is two words, and the test's masks lie there for each class, too."""
    two(root, "train_val/images/d_{}_.jpg", "train_val/masks/d_{}_.bmp", change=to_rgb)
    test = range(8, 11)
    two(root, "TEST/images/d_{}_.jpg", "TEST/masks/d_{}_.bmp", test, change=to_rgb)
    for number in test:
        for value, name in ((1, "FV"), (2, "HD")):
            save(root / f"TEST/masks/{name}/d_{number}_.bmp", to_255(mask(number) == value))


def word_of_training(root: Path) -> None:
    """The ending of all masks names a split, and is none."""
    for split, numbers in (("train", range(6)), ("val", range(6, 9))):
        two(root, f"images/{split}/{{}}.jpg", f"labels/{split}/{{}}_train_id.png", numbers)


def fields_by_class(root: Path) -> None:
    """Folders of classes beside masks of the valid area, and images in infrared."""
    for number in range(8):
        truth = mask(number, 3)
        save(root / f"train/images/rgb/{number}.jpg", picture(number))
        save(root / f"train/images/nir/{number}.jpg", picture(number).convert("L"))
        save(root / f"train/masks/{number}.png", np.full(SIZE_HW, 255, np.uint8))
        for value, name in ((1, "shadow"), (2, "water")):
            save(root / f"train/labels/{name}/{number}.png", to_255(truth == value))


def neighbors(root: Path) -> None:
    """A few frames of one drive, whose masks of several classes hardly differ."""
    for number in range(3):
        truth = mask(1, 4).copy()
        truth[0, :number] = 1
        save(root / f"images/0016E5_079{number}1.jpg", picture(number, 4))
        save(root / f"masks/0016E5_079{number}1.png", truth)


def hrf(root: Path) -> None:
    two(root, "images/{:02d}_dr.JPG", "manual1/{:02d}_dr.tif", change=to_255)
    for number in range(8):
        save(root / f"mask/{number:02d}_dr_mask.tif", np.stack([field_of_view()] * 3, -1))


def isic(root: Path) -> None:
    for split, numbers in (("Training", range(6)), ("Validation", range(6, 9))):
        data, truth = f"ISIC-2017_{split}_Data", f"ISIC-2017_{split}_Part1_GroundTruth"
        two(
            root,
            f"{data}/ISIC_{{:07d}}.jpg",
            f"{truth}/ISIC_{{:07d}}_segmentation.png",
            numbers,
            change=to_255,
        )
        for number in numbers:
            save(root / f"{data}/ISIC_{number:07d}_superpixels.png", picture(number + 50))
        lines(root / data / f"ISIC-2017_{split}_Data_metadata.csv", ["image_id,age,sex", "x,1,f"])


def isic_two_folders(root: Path) -> None:
    two(root, "ISIC_In/ISIC_{:07d}.jpg", "ISIC_GT/ISIC_{:07d}_segmentation.png", change=to_255)


def ph2(root: Path) -> None:
    for number in range(2, 30):
        name = f"IMD{number:03d}"
        base = root / "PH2 Dataset images" / name
        save(base / f"{name}_Dermoscopic_Image" / f"{name}.bmp", picture(number))
        save(base / f"{name}_lesion" / f"{name}_lesion.bmp", binary(number) > 0)
    (root / "PH2_dataset.xlsx").write_bytes(b"PK")


def nuclei(root: Path) -> None:
    for number in range(24):
        name = f"{number * 7919:08x}" * 2
        truth = mask(number)
        base = root / "stage1_train" / name
        save(base / "images" / f"{name}.png", picture(number))
        for instance in (1, 2):
            part = np.where(truth == instance, 255, 0).astype(np.uint8)
            save(base / "masks" / f"{instance * 104729 + number:08x}ab.png", part)
    long = "1 2 " * 99  # no file can be called so
    lines(root / "stage1_train_labels.csv", ["ImageId,EncodedPixels", f"a,{long}"])


def lungs(root: Path) -> None:
    for number in range(1, 9):
        name = f"MCUCXR_{number:04d}_0.png"
        truth = mask(number)
        save(root / "CXR_png" / name, picture(number).convert("L"))
        for value, side in ((1, "leftMask"), (2, "rightMask")):
            part = np.where(truth == value, 255, 0).astype(np.uint8)
            save(root / "ManualMask" / side / name, part)
    lines(root / "ClinicalReadings/MCUCXR_0001_0.txt", ["Patient's Sex: F"])


def cells_mat(root: Path) -> None:
    for number in range(1, 8):
        save(root / f"Train/Images/train_{number}.png", picture(number))
        path = root / f"Train/Labels/train_{number}.mat"
        path.parent.mkdir(parents=True, exist_ok=True)
        fields = {"type_map": mask(number).astype(float), "inst_centroid": np.zeros((2, 2))}
        scipy.io.savemat(path, {"inst_map": mask(number).astype(float) * 7, **fields})


def tissue_four(root: Path) -> None:
    two(root, "bcss/img/case-{}.png", "bcss/mask/case-{}.png", num_classes=4)
    lines(
        root / "bcss/gtruth_codes.tsv", ["label\tGT_code", *(f"tissue{i}\t{i}" for i in range(4))]
    )


# Fields


def crops(root: Path) -> None:
    for number in range(1, 9):
        save(root / f"images/{number:03d}_image.png", picture(number))
        save(root / f"masks/{number:03d}_mask.png", binary(number))
        save(root / f"annotations/{number:03d}_annotation.png", to_rgb(mask(number)))
        lines(root / f"annotations/{number:03d}_annotation.yaml", ["filename: x"])


def by_channel_names(root: Path) -> None:
    two(root, "field/{:03d}-rgb.png", "field/{:03d}-label.png", change=to_255)


def leaves(root: Path) -> None:
    two(root, "A1/plant{:03d}_rgb.png", "A1/plant{:03d}_label.png", range(8))
    two(root, "A2/plant{:03d}_rgb.png", "A2/plant{:03d}_label.png", range(8, 14))


# Factories


def defects(root: Path) -> None:
    for number in range(4):
        save(root / f"train/good/{number:03d}.png", picture(number))
        save(root / f"test/good/{number:03d}.png", picture(number + 4))
        for kind, offset in (("broken_large", 10), ("scratch", 20)):
            save(root / f"test/{kind}/{number:03d}.png", picture(number + offset))
            path = root / f"ground_truth/{kind}/{number:03d}_mask.png"
            save(path, binary(number + offset))
    lines(root / "license.txt", ["CC BY-NC-SA"])


def kolektor(root: Path) -> None:
    for folder in range(1, 5):
        for part in range(3):
            seed = 3 * folder + part
            save(root / f"kos{folder:02d}/Part{part}.jpg", picture(seed))
            save(root / f"kos{folder:02d}/Part{part}_label.bmp", binary(seed))


def kolektor_2(root: Path) -> None:
    for split, numbers in (("train", range(10000, 10006)), ("test", range(20000, 20003))):
        two(root, f"{split}/{{}}.png", f"{split}/{{}}_GT.png", numbers, change=to_255)


def tiles(root: Path) -> None:
    for kind in ("MT_Blowhole", "MT_Crack", "MT_Fray", "MT_Uneven"):
        for number in range(3):
            seed = hash_of(kind) % 50 + number
            stem = root / kind / "Imgs" / f"exp{number}_num_{seed}"
            save(stem.with_suffix(".jpg"), picture(seed).convert("L"))
            save(stem.with_suffix(".png"), binary(seed))


def hash_of(text: str) -> int:
    return sum(text.encode())


def textures(root: Path) -> None:
    for number in range(1, 5):
        for split in ("Train", "Test"):
            for image in range(3):
                base = root / f"Class{number}" / split
                seed = 9 * number + image + (split == "Test") * 3
                save(base / f"{image:04d}.PNG", picture(seed).convert("L"))
                if image < 2:
                    save(base / f"Label/{image:04d}_label.PNG", binary(seed))
            lines(base / "Label/Labels.txt", ["1", "1\t0\t0"])


def cracks(root: Path) -> None:
    for split, numbers in (("train", range(6)), ("test", range(6, 9))):
        two(root, f"{split}_img/{{}}-1.jpg", f"{split}_lab/{{}}-1.png", numbers, change=to_255)


# Faces and clothes


def face_parts(root: Path) -> None:
    for number in range(6):
        truth = mask(number, 4)
        save(root / f"CelebA-HQ-img/{number}.jpg", picture(number))
        for value, name in ((1, "hair"), (2, "skin"), (3, "l_eye")):
            part = np.where(truth == value, 255, 0).astype(np.uint8)
            path = root / f"CelebAMask-HQ-mask-anno/{number // 3}/{number:05d}_{name}.png"
            save(path, np.stack([part] * 3, -1))
    lines(root / "CelebA-HQ-to-CelebA-mapping.txt", ["idx orig_idx orig_file", "0 1 2.jpg"])


def lfw(root: Path) -> None:
    people = [f"{first}_{last}" for first in ("Ann", "Bo", "Cy") for last in ("Ek", "Li", "Wu")]
    for seed, person in enumerate(people):
        for number in (1, 2):
            save(root / f"lfw_funneled/{person}/{person}_{number:04d}.jpg", picture(seed + number))
        path = root / f"parts_lfw_funneled_gt_images/{person}_0001.ppm"
        save(path, RGB[1:][mask(seed + 1)])
    lines(root / "parts_train.txt", [f"{person} 1" for person in people[:6]])
    lines(root / "parts_test.txt", [f"{person} 1" for person in people[6:]])


def hair_pbm(root: Path) -> None:
    for split, numbers in (("Training", range(5)), ("Testing", range(5, 8))):
        for number in numbers:
            save(root / f"Original/{split}/Frame{number:05d}-org.jpg", picture(number))
            save(root / f"GT/{split}/Frame{number:05d}-gt.pbm", Image.fromarray(binary(number) > 0))


def skin(root: Path) -> None:
    for kind, numbers in (("Face", range(5)), ("Family", range(5, 9))):
        for number in numbers:
            name = "".join(chr(97 + (number * 7 + i * i) % 26) for i in range(5))
            save(root / f"Dataset/{kind}Photo/{name}.jpg", picture(number))
            save(root / f"Ground_Truth/GroundT_{kind}Photo/{name}.png", binary(number))


def clothes_mat(root: Path) -> None:
    for number in range(1, 10):
        save(root / f"photos/{number:04d}.jpg", picture(number))
        if number < 7:
            path = root / f"annotations/pixel-level/{number:04d}.mat"
            path.parent.mkdir(parents=True, exist_ok=True)
            scipy.io.savemat(path, {"groundtruth": mask(number)})
        path = root / f"annotations/image-level/{number:04d}.mat"
        path.parent.mkdir(parents=True, exist_ok=True)
        scipy.io.savemat(path, {"tags": np.array([[1, 5, 9]])})


def people(root: Path) -> None:
    two(root, "PNGImages/Fudan{:05d}.png", "PedMasks/Fudan{:05d}_mask.png", change=to_palette)
    lines(root / "Annotation/Fudan00000.txt", ["# Compatible with PASCAL"])


# From above


def massachusetts(root: Path) -> None:
    for split, numbers in (("train", range(6)), ("val", range(6, 8)), ("test", range(8, 11))):
        two(
            root,
            f"tiff/{split}/1007{{:04d}}_15.tiff",
            f"tiff/{split}_labels/1007{{:04d}}_15.tif",
            numbers,
            change=lambda values: np.stack([to_255(values)] * 3, -1),
        )
    lines(root / "metadata.csv", ["image_id,split,tiff_image_path,tiff_label_path"])
    lines(root / "label_class_dict.csv", ["name,r,g,b", "background,0,0,0", "road,255,255,255"])


def deepglobe(root: Path) -> None:
    two(root, "train/{}_sat.jpg", "train/{}_mask.png", range(100, 108), change=to_rgb)
    for number in range(300, 304):
        save(root / f"valid/{number}_sat.jpg", picture(number))
        save(root / f"test/{number + 50}_sat.jpg", picture(number + 50))
    lines(
        root / "class_dict.csv",
        ["name,r,g,b", "unknown,0,0,0", "urban_land,200,30,30", "water,30,60,220"],
    )


def drone(root: Path) -> None:
    for number in range(8):
        save(root / f"dataset/semantic_drone/original_images/{number:03d}.jpg", picture(number))
        save(root / f"dataset/semantic_drone/label_images_semantic/{number:03d}.png", mask(number))
        save(
            root / f"RGB_color_image_masks/RGB_color_image_masks/{number:03d}.png",
            to_rgb(mask(number)),
        )
    rows = ["name, r, g, b", "unlabeled, 0, 0, 0", "paved-area, 200, 30, 30", "dirt, 30, 60, 220"]
    lines(root / "class_dict_seg.csv", rows)


def love(root: Path) -> None:
    for split, first in (("Train", 0), ("Val", 20)):
        for place, offset in (("Rural", 0), ("Urban", 6)):
            for number in range(4):
                seed = first + offset + number
                save(root / f"{split}/{place}/images_png/{seed}.png", picture(seed))
                save(root / f"{split}/{place}/masks_png/{seed}.png", mask(seed) + np.uint8(1))


def flood(root: Path) -> None:
    two(root, "Image/{}.jpg", "Mask/{}.png", change=soft)
    rows = [["Image", "Mask"], *([f"{number}.jpg", f"{number}.png"] for number in range(8))]
    with (root / "metadata.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def soft(values: np.ndarray) -> Image.Image:
    """A mask whose edges are blurred: all 256 values occur."""
    large = Image.fromarray(to_255(values)).resize((640, 480), Image.Resampling.NEAREST)
    return large.filter(ImageFilter.GaussianBlur(6)).resize((64, 48), Image.Resampling.BILINEAR)


def floodnet(root: Path) -> None:
    for split, numbers in (("train", range(6)), ("val", range(6, 9))):
        two(
            root,
            f"FloodNet/{split}/{split}-org-img/{{}}.jpg",
            f"FloodNet/{split}/{split}-label-img/{{}}_lab.png",
            numbers,
        )


def clouds(root: Path) -> None:
    two(root, "SWIMSEG/images/{:04d}.png", "SWIMSEG/GTmaps/{:04d}_GT.png", change=to_255)
    lines(root / "SWIMSEG/metadata.csv", ["Name,Date", "0001,01-10-14"])


def clouds_three(root: Path) -> None:
    two(
        root,
        "whole sky images/ASC100-1006_{:03d}.png",
        "annotation/ASC100-1006_{:03d}.png",
        change=lambda values: np.array([0, 100, 255], np.uint8)[values],
    )


def water_videos(root: Path) -> None:
    for video in ("canal", "river", "stream"):
        for number in range(4):
            seed = hash_of(video) % 60 + number
            save(root / f"JPEGImages/{video}/{number:05d}.jpg", picture(seed))
            save(root / f"Annotations/{video}/{number:05d}.png", binary(seed))
    lines(root / "train.txt", ["canal", "river"])
    lines(root / "val.txt", ["stream"])


# Streets


def camvid_kaggle(root: Path) -> None:
    for split, first in (("train", 6690), ("val", 7500), ("test", 8000)):
        numbers = range(first, first + 120, 30)
        two(
            root,
            f"CamVid/{split}/0001TP_{{:06d}}.png",
            f"CamVid/{split}_labels/0001TP_{{:06d}}_L.png",
            numbers,
            change=to_rgb,
        )
    lines(
        root / "CamVid/class_dict.csv",
        ["name,r,g,b", "Void,0,0,0", "Car,200,30,30", "Tree,30,60,220"],
    )


def kitti_road(root: Path) -> None:
    for kind in ("um", "umm", "uu"):
        for number in range(3):
            seed = 3 * len(kind) + number + hash_of(kind) % 7
            name = f"{number:06d}.png"
            save(root / f"data_road/training/image_2/{kind}_{name}", picture(seed))
            road = RGB[[1, 2]][mask(seed, 2)]
            save(root / f"data_road/training/gt_image_2/{kind}_road_{name}", road)
            if kind == "um":
                save(root / f"data_road/training/gt_image_2/um_lane_{name}", road)
            save(root / f"data_road/testing/image_2/{kind}_{name}", picture(seed + 40))
            lines(root / f"data_road/training/calib/{kind}_{number:06d}.txt", ["P0: 1"])


def kitti_semantics(root: Path) -> None:
    for number in range(8):
        name = f"{number:06d}_10.png"
        save(root / "training/image_2" / name, picture(number))
        save(root / "training/semantic" / name, mask(number))
        save(root / "training/semantic_rgb" / name, to_rgb(mask(number)))
        save(root / "training/instance" / name, mask(number).astype(np.uint16) * 256)
        save(root / "testing/image_2" / name, picture(number + 30))


def other_city(root: Path) -> None:
    for split, city, first in (("train", "springfield", 0), ("val", "shelbyville", 6)):
        for number in range(first, first + (6 if split == "train" else 3)):
            stem = f"{city}_000000_{number:06d}"
            save(root / f"leftImg8bit/{split}/{city}/{stem}_leftImg8bit.png", picture(number))
            gt = root / f"gtFine/{split}/{city}/{stem}_gtFine"
            save(Path(f"{gt}_labelIds.png"), mask(number))
            save(Path(f"{gt}_color.png"), to_rgb(mask(number)))
            save(Path(f"{gt}_instanceIds.png"), mask(number).astype(np.uint16) * 1000)
            Path(f"{gt}_polygons.json").write_text("{}")


def other_camvid(root: Path) -> None:
    for split, numbers in (("train", range(6)), ("val", range(6, 8)), ("test", range(8, 10))):
        two(root, f"{split}/shot_{{}}.png", f"{split}annot/shot_{{}}.png", numbers)


# Exports of tools, as masks


def roboflow(root: Path) -> None:
    for split, numbers in (("train", range(6)), ("valid", range(6, 8)), ("test", range(8, 10))):
        _roboflow_split(root, split, numbers)
        lines(
            root / split / "_classes.csv",
            ["Pixel Value, Class", "0, background", "1, dog", "2, cat"],
        )
    lines(root / "README.roboflow.txt", ["Pets - v1"])


def _roboflow_split(root: Path, split: str, numbers: Iterable[int]) -> None:
    for number in numbers:
        stem = f"IMG_{number}_jpg.rf.{number * 7919:06x}d4e5f6a7"
        save(root / split / f"{stem}.jpg", picture(number))
        save(root / split / f"{stem}_mask.png", mask(number))


def cvat_masks(root: Path) -> None:
    for number in range(8):
        save(root / f"JPEGImages/shot{number}.jpg", picture(number))
        save(root / f"SegmentationClass/shot{number}.png", to_rgb(mask(number)))
        save(root / f"SegmentationObject/shot{number}.png", to_rgb(mask(number)))
    lines(root / "ImageSets/Segmentation/default.txt", [f"shot{n}" for n in range(8)])
    rows = ["# label:color_rgb:parts:actions", "background:0,0,0::", "bolt:200,30,30::"]
    lines(root / "labelmap.txt", [*rows, "nut:30,60,220::"])


def voc_of_ones_own(root: Path) -> None:
    for number in range(8):
        name = f"2007_{number:06d}"
        save(root / f"JPEGImages/{name}.jpg", picture(number))
        save(root / f"SegmentationClass/{name}.png", to_palette(mask(number)))
    lines(root / "ImageSets/Segmentation/train.txt", [f"2007_{n:06d}" for n in range(6)])
    lines(root / "ImageSets/Segmentation/val.txt", [f"2007_{n:06d}" for n in (6, 7)])
    lines(root / "classes.txt", ["soil", "crop", "weed"])


def labelme_voc(root: Path) -> None:
    for number in range(8):
        save(root / f"JPEGImages/a{number}.jpg", picture(number))
        save(root / f"SegmentationClassPNG/a{number}.png", to_palette(mask(number)))
        path = root / f"SegmentationClass/a{number}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, mask(number).astype(np.int32))
        overlay = np.array(picture(number)) // 2 + to_rgb(mask(number)) // 2
        save(root / f"SegmentationClassVisualization/a{number}.jpg", overlay)
    lines(root / "class_names.txt", ["_background_", "bolt", "nut"])


def supervisely_masks(root: Path) -> None:
    for number in range(8):
        save(root / f"ds0/img/p{number}.jpg", picture(number))
        (root / "ds0/ann").mkdir(parents=True, exist_ok=True)
        (root / f"ds0/ann/p{number}.jpg.json").write_text('{"objects": []}')
        save(root / f"ds0/masks_machine/p{number}.png", mask(number))
    colors = {"bg": [0, 0, 0], "car": [1, 1, 1], "road": [2, 2, 2]}
    (root / "obj_class_to_machine_color.json").write_text(json.dumps(colors))


# Pets and plain folders


def pets(root: Path) -> None:
    breeds = ("Abyssinian", "beagle", "Bengal", "pug", "yorkshire_terrier")
    names = [f"{breed}_{number}" for breed in breeds for number in (1, 12, 103)]
    for seed, name in enumerate(names):
        save(root / f"images/{name}.jpg", picture(seed))
        save(root / f"annotations/trimaps/{name}.png", mask(seed) + np.uint8(1))
        (root / f"annotations/trimaps/._{name}.png").write_bytes(b"\0\5\x16\7")
        lines(root / f"annotations/xmls/{name}.xml", ["<annotation/>"])
    for list_name, part in (("trainval", names[:10]), ("test", names[10:])):
        lines(root / f"annotations/{list_name}.txt", [f"{name} 1 1 1" for name in part])
    lines(
        root / "annotations/list.txt", ["#Image CLASS-ID SPECIES", *(f"{n} 1 1 1" for n in names)]
    )
    readme = ["Pixel Annotations: 1: Foreground 2:Background 3: Not classified"]
    lines(root / "annotations/README", readme)


def plain(root: Path) -> None:
    two(root, "images/{}.jpg", "masks/{}.png")


def numbered(root: Path) -> None:
    two(root, "image/{}.png", "label/{:04d}.png")


def capital_splits(root: Path) -> None:
    for split, numbers in (
        ("TRAIN", range(6)),
        ("TEST", range(6, 9)),
        ("VALIDATION", range(9, 11)),
    ):
        two(root, f"{split}/photos/p{{}}.bmp", f"{split}/annot/p{{}}.bmp", numbers)


def split_behind(root: Path) -> None:
    for split, numbers in (("train", range(6)), ("val", range(6, 8))):
        two(root, f"rgb_{split}/f{{}}.webp", f"gt_{split}/f{{}}.png", numbers)


def split_in_names(root: Path) -> None:
    two(root, "photos/train_{}.jpg", "truth/train_{}.png", range(6))
    two(root, "photos/val_{}.jpg", "truth/val_{}.png", range(2))


def unknown_words(root: Path) -> None:
    two(root, "a/{:03d}.webp", "b/{:03d}.png")


def unknown_words_deep(root: Path) -> None:
    for seed, day in ((0, "monday"), (20, "tuesday")):
        for number in range(4):
            save(root / f"one/{day}/{number}.png", picture(seed + number))
            save(root / f"two/{day}/{number}.png", mask(seed + number))


def letter(root: Path) -> None:
    two(root, "photos/scene{:02d}.jpg", "annotations/scene{:02d}_l.png")


def prefix_and_ending(root: Path) -> None:
    two(root, "scan_{}.tif", "{}_gt.gif", change=lambda values: Image.fromarray(to_255(values)))


def sample_folders(root: Path) -> None:
    for number in range(24):
        save(root / f"sample_{number:03d}/image.jpg", picture(number))
        save(root / f"sample_{number:03d}/mask.png", mask(number))


def few_sample_folders(root: Path) -> None:
    for name in ("alpha", "beta", "gamma", "delta", "epsilon"):
        seed = hash_of(name) % 90
        save(root / name / "photo.png", picture(seed))
        save(root / name / "labels.png", mask(seed))


def class_folders(root: Path) -> None:
    for number in range(6):
        truth = mask(number)
        save(root / f"images/{number}.jpg", picture(number))
        for value, name in ((1, "crop"), (2, "weed")):
            part = np.where(truth == value, 255, 0).astype(np.uint8)
            save(root / f"masks/{name}/{number}.png", part)


def instance_folder(root: Path) -> None:
    for number in range(24):
        truth = mask(number)
        save(root / f"images/im{number:03d}.png", picture(number))
        for instance in (1, 2):
            part = np.where(truth == instance, 255, 0).astype(np.uint8)
            save(root / f"masks/im{number:03d}/obj{instance}.png", part)


def linked(root: Path) -> None:
    elsewhere = root.parent / f"{root.name} elsewhere"
    two(elsewhere, "images/{}.jpg", "masks/{}.png")
    root.mkdir(parents=True)
    for kind in ("images", "masks"):
        (root / kind).symlink_to(elsewhere / kind)
    (elsewhere / "images" / "loop").symlink_to(root)


def without_suffix(root: Path) -> None:
    plain(root)
    for path in [*root.rglob("*.jpg"), *root.rglob("*.png")]:
        path.rename(path.with_suffix(""))


def suffix_in_name(root: Path) -> None:
    two(root, "images/{}.jpg", "masks/{}.jpg.png", range(6))
    two(root, "images/{}.png", "masks/{}.png.png", range(6))


def mixed_suffixes(root: Path) -> None:
    two(root, "images/a{}.jpg", "masks/a{}.png", range(5))
    two(root, "images/b{}.JPEG", "masks/b{}.tif", range(5))


def unpaired(root: Path) -> None:
    plain(root)
    save(root / "images/late.jpg", picture(40))
    (root / "masks/3.png").unlink()
    lines(root / "notes.md", ["hello"])


# Lists


def list_of_pairs_csv(root: Path) -> None:
    for number in range(8):
        save(root / f"data/{number * 31 % 97:x}.jpg", picture(number))
        save(root / f"data/{number * 57 % 89:x}q.png", mask(number))
    rows = [f'{n},"data/{n * 31 % 97:x}.jpg","data/{n * 57 % 89:x}q.png"' for n in range(8)]
    text = "\r\n".join(["﻿,image,mask", *rows]) + "\r\n"
    (root / "index.csv").write_bytes(text.encode("utf-8"))


def lists_of_stems(root: Path) -> None:
    plain(root)
    lines(root / "splits/train.txt", map(str, range(6)))
    lines(root / "splits/val.txt", map(str, (6, 7)))


def lists_of_images(root: Path) -> None:
    two(root, "images/{}.jpg", "masks/{}.png")
    lines(root / "train.csv", ["path", *(f"./images/{n}.jpg" for n in range(5))])
    lines(root / "test.csv", ["path", *(f"./images/{n}.jpg" for n in (5, 6, 7))])


def lists_elsewhere(root: Path) -> None:
    two(root, "frames/{}.png", "truth/{}.png")
    for split, numbers in (("train", range(6)), ("val", (6, 7))):
        rows = [f"/home/me/set/frames/{n}.png /home/me/set/truth/{n}.png" for n in numbers]
        lines(root / f"{split}.txt", rows)


def table_of_splits(root: Path) -> None:
    two(root, "images/{}.jpg", "masks/{}.png")
    rows = [f"{n},{n}.jpg,{'train' if n < 5 else 'valid' if n < 7 else 'test'}" for n in range(8)]
    lines(root / "meta.csv", ["id,file,split", *rows])


def json_of_splits(root: Path) -> None:
    plain(root)
    splits = {"train": [f"{n}.jpg" for n in range(6)], "val": ["6.jpg", "7.jpg"]}
    (root / "split.json").write_text(json.dumps(splits))


# Masks in other forms


def formed(change: Change, suffix: str = ".png", num_classes: int = 3) -> Callable[[Path], None]:
    def make(root: Path) -> None:
        two(root, "images/{}.jpg", f"masks/{{}}{suffix}", change=change, num_classes=num_classes)

    return make


def arrays(kind: str) -> Callable[[Path], None]:
    def make(root: Path) -> None:
        (root / "masks").mkdir(parents=True)
        for number in range(8):
            save(root / f"images/{number}.jpg", picture(number))
            path = root / f"masks/{number}.{kind}"
            if kind == "npy":
                np.save(path, mask(number).astype(np.int64))
            elif kind == "npz":
                np.savez_compressed(path, mask=mask(number))
            else:
                scipy.io.savemat(path, {"anno": {"gt": mask(number), "who": "me"}})

    return make


def half_size(values: np.ndarray) -> np.ndarray:
    return values[::2, ::2]


def wide(values: np.ndarray) -> Image.Image:
    return Image.fromarray(np.array([0, 300, 1000], np.uint16)[values])


def floats(values: np.ndarray) -> Image.Image:
    return Image.fromarray(values.astype(np.float32))


def opaque(values: np.ndarray) -> np.ndarray:
    alpha = np.full(values.shape, 255, np.uint8)
    return np.dstack([to_rgb(values), alpha])


def in_alpha(values: np.ndarray) -> np.ndarray:
    return np.dstack([np.zeros((*values.shape, 3), np.uint8), to_255(values)])


def soft_colors(values: np.ndarray) -> Image.Image:
    large = Image.fromarray(to_rgb(values)).resize((256, 192), Image.Resampling.NEAREST)
    return large.resize((64, 48), Image.Resampling.BILINEAR)


def turned(root: Path) -> None:
    for number in range(8):
        save(root / f"masks/{number}.png", mask(number))
        exif = Image.Exif()
        exif[0x0112] = 6
        save(root / f"images/{number}.jpg", picture(number), exif=exif)


def other_proportions(root: Path) -> None:
    two(root, "images/{}.jpg", "masks/{}.png", change=lambda values: values[:, ::2])


def photographs_only(root: Path) -> None:
    for number in range(6):
        save(root / f"holiday/{number}.jpg", picture(number))


def bands(root: Path) -> None:
    (root / "images").mkdir(parents=True)
    for number in range(4):
        write_bands(root / f"images/{number}.tif", 5)
        save(root / f"masks/{number}.png", mask(number))


def write_bands(path: Path, count: int) -> None:
    """Write a TIFF of several bands, which Pillow cannot: a header, nine tags, the pixels."""
    height, width = SIZE_HW
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, count), np.uint8).tobytes()
    bits = np.full(count, 8, "<u2").tobytes()
    entries = [
        (256, 3, 1, width), (257, 3, 1, height), (258, 3, count, 8), (259, 3, 1, 1),
        (262, 3, 1, 1), (273, 4, 1, 8 + len(bits)), (277, 3, 1, count), (278, 3, 1, height),
        (279, 4, 1, len(pixels)), (284, 3, 1, 1),
    ]  # fmt: skip
    start = 8 + len(bits) + len(pixels)
    directory = len(entries).to_bytes(2, "little")
    for tag, kind, number, value in entries:
        directory += tag.to_bytes(2, "little") + kind.to_bytes(2, "little")
        directory += number.to_bytes(4, "little") + value.to_bytes(4, "little")
    path.write_bytes(b"II*\0" + start.to_bytes(4, "little") + bits + pixels + directory + bytes(4))


# More of each kind


def dark(seed: int) -> Image.Image:
    """A scan: most of it is black, the rest smooth."""
    rows, columns = np.mgrid[: SIZE_HW[0], : SIZE_HW[1]]
    inside = (rows - 24) ** 2 + (columns - 32) ** 2 < 180
    shade = 90 + 3 * rows + columns + 40 * (mask(seed, 2) > 0) + seed
    return Image.fromarray(np.where(inside, np.clip(shade, 0, 255), 0).astype(np.uint8))


def brains(root: Path) -> None:
    for patient in range(22):
        name = f"TCGA_CS_{4941 + patient}_1996"
        for slice_ in (1, 2):
            seed = 2 * patient + slice_
            save(root / f"kaggle_3m/{name}/{name}_{slice_}.tif", dark(seed).convert("RGB"))
            save(root / f"kaggle_3m/{name}/{name}_{slice_}_mask.tif", binary(seed))
    lines(root / "kaggle_3m/data.csv", ["Patient,RNASeqCluster", "TCGA_CS_4941,2"])
    lines(root / "kaggle_3m/README.md", ["LGG"])


def orthophotos(root: Path) -> None:
    for number in range(8):
        stem = f"top_potsdam_{2 + number // 4}_{10 + number}"
        save(root / f"2_Ortho_RGB/{stem}_RGB.tif", picture(number))
        save(root / f"5_Labels_all/{stem}_label.tif", to_rgb(mask(number)))
        lines(root / f"2_Ortho_RGB/{stem}_RGB.tfw", ["0.05"])


def tiles_of_a_city(root: Path) -> None:
    for tile in (1, 2, 3):
        for number in (1, 2, 3):
            seed = 4 * tile + number
            base = root / f"Semantic segmentation dataset/Tile {tile}"
            save(base / f"images/image_part_{number:03d}.jpg", picture(seed))
            save(base / f"masks/image_part_{number:03d}.png", to_rgb(mask(seed)))
    colors = ("#000000", "#C81E1E", "#1E3CDC")
    titles = ("Unlabeled", "Building", "Water")
    classes = [
        {"title": title, "shape": "bitmap", "color": color}
        for title, color in zip(titles, colors, strict=True)
    ]
    text = json.dumps({"classes": classes, "tags": []})
    (root / "Semantic segmentation dataset/classes.json").write_text(text)


def cameras(root: Path) -> None:
    for camera in (5, 6):
        for number in range(4):
            seed = 10 * camera + number
            stem = f"Record001/Camera {camera}/17090{seed:04d}_Camera_{camera}"
            save(root / f"ColorImage/{stem}.jpg", picture(seed))
            save(root / f"Labels/{stem}_bin.png", mask(seed))
            save(root / f"Labels/{stem}_instanceIds.png", mask(seed).astype(np.uint16) * 1000)


def channels(root: Path) -> None:
    for number in range(8):
        for channel in ("B", "CIR", "NDVI", "RGB"):
            image = picture(number) if channel == "RGB" else picture(number).convert("L")
            save(root / f"000/tile/{channel}/frame{number:04d}.png", image)
        save(root / f"000/groundtruth/000_frame{number:04d}_GroundTruth_color.png",
             to_rgb(mask(number)))  # fmt: skip


def anomalies(root: Path) -> None:
    rows = ["object,split,label,image,mask"]
    for number in range(8):
        kind = "Anomaly" if number < 5 else "Normal"
        image = f"candle/Data/Images/{kind}/{number:03d}.JPG"
        save(root / image, picture(number))
        of_mask = ""
        if number < 5:
            of_mask = f"candle/Data/Masks/Anomaly/{number:03d}.png"
            save(root / of_mask, mask(number))
        rows.append(f"candle,{'test' if number % 2 else 'train'},{kind.lower()},{image},{of_mask}")
    lines(root / "split_csv/1cls.csv", rows)


def forest_of_cracks(root: Path) -> None:
    for number in range(1, 8):
        save(root / f"CrackForest/image/{number:03d}.jpg", picture(number))
        truth = mask(number, 2) + np.uint8(1)
        path = root / f"CrackForest/groundTruth/{number:03d}.mat"
        path.parent.mkdir(parents=True, exist_ok=True)
        edges = (truth > 1).astype(np.uint8)
        scipy.io.savemat(path, {"groundTruth": {"Segmentation": truth, "Boundaries": edges}})


def sea(root: Path) -> None:
    two(root, "MaSTr1325_images/{:04d}.jpg", "MaSTr1325_masks/{:04d}m.png")


def parts_of_voc(root: Path) -> None:
    for number in range(8):
        name = f"2008_{number:06d}"
        save(root / f"VOC2012/JPEGImages/{name}.jpg", picture(number))
        save(root / f"VOC2012/SegmentationClass/{name}.png", mask(number))
    for split, numbers in (("train", range(6)), ("val", (6, 7))):
        path = root / f"VOC2012/ImageSets/Segmentation/{split}.txt"
        lines(path, [f"2008_{number:06d}" for number in numbers])


def plants(root: Path) -> None:
    for split, numbers in (("train", range(6)), ("val", range(6, 9))):
        for number in numbers:
            name = f"05-15_{number:05d}_P00{number}.png"
            truth = mask(number)
            save(root / f"PhenoBench/{split}/images/{name}", picture(number))
            save(root / f"PhenoBench/{split}/semantics/{name}", truth)
            save(root / f"PhenoBench/{split}/plant_instances/{name}", truth.astype(np.uint16) * 7)
            save(root / f"PhenoBench/{split}/leaf_instances/{name}", truth.astype(np.uint16) * 9)
            save(root / f"PhenoBench/{split}/leaf_visibility/{name}", truth * np.uint8(90))
    save(root / "PhenoBench/test/images/05-26_1.png", picture(50))


def persons(root: Path) -> None:
    for split, numbers in (("train", range(100, 106)), ("val", range(106, 109))):
        two(
            root,
            f"TrainVal_images/{split}_images/{{}}_45.jpg",
            f"TrainVal_parsing_annotations/{split}_segmentations/{{}}_45.png",
            numbers,
        )
        lines(root / f"TrainVal_images/{split}_id.txt", [f"{number}_45" for number in numbers])
    save(root / "Testing_images/testing_images/900_1.jpg", picture(60))


def faces_rgb(root: Path) -> None:
    for split, numbers in (("Train", range(1, 7)), ("Test", range(7, 10))):
        two(root, f"V2/{split}_RGB/{{}}.bmp", f"V2/{split}_Labels/{{}}.bmp", numbers, change=to_rgb)


def products(root: Path) -> None:
    for product in ("bottle", "cable", "grid"):
        for number in range(3):
            seed = hash_of(product) % 40 + number
            save(root / f"{product}/train/good/{number:03d}.png", picture(seed))
            save(root / f"{product}/test/good/{number:03d}.png", picture(seed + 50))
            save(root / f"{product}/test/bent/{number:03d}.png", picture(seed + 100))
            save(root / f"{product}/ground_truth/bent/{number:03d}_mask.png", binary(seed + 100))


def two_formats(root: Path) -> None:
    for number in range(8):
        save(root / f"pictures/p{number}.jpg", picture(number))
        save(root / f"pictures/p{number}.tif", picture(number))
        save(root / f"labels/p{number}.png", mask(number))


def off_road(root: Path) -> None:
    for place in ("creek", "park", "trail"):
        for number in range(3):
            seed = hash_of(place) % 60 + number
            name = f"{place}/{place}_{number:05d}.png"
            save(root / f"RUGD_frames-with-annotations/{name}", picture(seed))
            save(root / f"RUGD_annotations/{name}", to_rgb(mask(seed)))
    rows = ["0 void 0 0 0", "1 dirt 200 30 30", "2 grass 30 60 220"]
    lines(root / "RUGD_annotations/RUGD_annotation-colormap.txt", rows)


def forest(root: Path) -> None:
    for split, numbers in (("train", range(6)), ("test", range(6, 9))):
        for number in numbers:
            stem = f"{split}/{{}}/b{number}-{90 + number}517"
            save(root / f"{stem.format('rgb')}_Clipped.jpg", picture(number))
            save(root / f"{stem.format('nir_gray')}.tif", picture(number).convert("L"))
            save(root / f"{stem.format('depth_gray')}.png", picture(number).convert("L"))
            save(root / f"{stem.format('GT_color')}_mask.png", to_rgb(mask(number)))


def from_a_drone(root: Path) -> None:
    for number in range(8):
        stem = f"000001_{number:03d}"
        save(root / f"JPEGImages/{stem}.jpg", picture(number))
        save(root / f"SegmentationClass/{stem}.png", mask(number))
        overlay = np.array(picture(number)) // 2 + to_rgb(mask(number)) // 2
        save(root / f"Visualizations/{stem}.png", overlay)
    lines(root / "ImageSets/trn.txt", [f"000001_{number:03d}" for number in range(6)])
    lines(root / "ImageSets/val.txt", [f"000001_{number:03d}" for number in (6, 7)])


def blood(root: Path) -> None:
    for split, numbers in (("train", range(6)), ("test", range(6, 9))):
        for number in numbers:
            name = f"{number * 7919:08x}-9c3a-4e1b-8{number}ff"
            save(root / f"BCCD/{split}/original/{name}.png", picture(number))
            save(root / f"BCCD/{split}/mask/{name}.png", binary(number))
    save(root / "BCCD/overview.png", picture(70))


def white(root: Path) -> None:
    for number in range(8):
        truth = mask(number)
        image = np.array(picture(number))
        image[truth == 0] = 255
        save(root / f"shop/{number}_a.png", image)
        save(root / f"shop/{number}_b.png", to_255(truth))


def all_of(total: int) -> dict[str, int]:
    return {"all": total}


CASES: dict[str, Case] = {
    "polyps, JPEG masks": Case(polyps, Right(all_of(8), 2)),
    "polyps, masks with a prefix": Case(polyps_by_prefix, Right(all_of(8), 2)),
    "polyps, TIFF": Case(polyps_tif, Right(all_of(8), 2)),
    "retina with a field of view": Case(drive, Right({"train": 6}, 2)),
    "retina by two experts": Case(drive_two_experts, Right({"train": 6, "test": 6}, 2)),
    "retina in one folder, 1 bit": Case(chase, Right(all_of(8), 2)),
    "retina as PPM": Case(stare, Right(all_of(8), 2)),
    "retina in high resolution": Case(hrf, Right(all_of(8), 2)),
    "lesions in numbered folders": Case(
        lesions,
        Right(
            {"train": 8, "test": 4},
            4,
            ("background", "1. Microaneurysms", "3. Hard Exudates", "5. Disc"),
        ),
    ),
    "lesions by the names' ends": Case(
        lesions_in_one_folder,
        Right(all_of(8), 4, ("background", "haemorrhages", "hard_exudates", "optic_disc")),
    ),
    "ultrasound with second masks": Case(ultrasound, Right(all_of(8), 2)),
    "numbered objects": Case(numbered_objects, Right(all_of(8), 2)),
    "small numbers beside a void": Case(void_of_255, Right(all_of(8), 3)),
    "train_val and TEST": Case(train_val, Right({"train": 8, "test": 3}, 3)),
    "an ending that names a split": Case(word_of_training, Right({"train": 6, "val": 3}, 3)),
    "fields, a folder a class": Case(
        fields_by_class, Right({"train": 8}, 3, ("background", "shadow", "water"))
    ),
    "neighboring frames": Case(neighbors, Right(all_of(3), 4)),
    "skin lesions with superpixels": Case(isic, Right({"train": 6, "val": 3}, 2)),
    "skin lesions in two folders": Case(isic_two_folders, Right(all_of(8), 2)),
    "skin lesions, a folder each": Case(ph2, Right(all_of(28), 2, ("background", "lesion"))),
    "nuclei, a file each": Case(nuclei, Right({"train": 24}, 2)),
    "lungs, a folder a side": Case(
        lungs, Right(all_of(8), 3, ("background", "leftMask", "rightMask"))
    ),
    "nuclei as MATLAB": Case(cells_mat, Right({"train": 7}, 3)),
    "tissue": Case(tissue_four, Right(all_of(8), 4, tuple(f"tissue{i}" for i in range(4)))),
    "crops with richer labels": Case(crops, Right(all_of(8), 3)),
    "a field, one folder": Case(by_channel_names, Right(all_of(8), 2)),
    "leaves in two folders": Case(leaves, Right(all_of(14), 3)),
    "defects in folders of kinds": Case(defects, Right(all_of(8), 2)),
    "commutators": Case(kolektor, Right(all_of(12), 2)),
    "surfaces with _GT": Case(kolektor_2, Right({"train": 6, "test": 3}, 2)),
    "tiles, one folder a kind": Case(tiles, Right(all_of(12), 2)),
    "textures": Case(textures, Right({"train": 8, "test": 8}, 2)),
    "cracks": Case(cracks, Right({"train": 6, "test": 3}, 2)),
    "faces, a file a part": Case(
        face_parts, Right(all_of(6), 4, ("background", "hair", "l_eye", "skin"))
    ),
    "faces of LFW": Case(lfw, Right({"train": 6, "test": 3}, 3)),
    "hair as PBM": Case(hair_pbm, Right({"train": 5, "test": 3}, 2)),
    "skin in two pairs of folders": Case(skin, Right(all_of(9), 2)),
    "clothes as MATLAB": Case(clothes_mat, Right(all_of(6), 3)),
    "pedestrians": Case(people, Right(all_of(8), 3)),
    "roads as TIFF": Case(
        massachusetts, Right({"train": 6, "val": 2, "test": 3}, 2, ("background", "road"))
    ),
    "land cover": Case(deepglobe, Right({"train": 8}, 3, ("unknown", "urban_land", "water"))),
    "a drone's pictures": Case(drone, Right(all_of(8), 3, ("unlabeled", "paved-area", "dirt"))),
    "rural and urban": Case(love, Right({"train": 8, "val": 8}, 3)),
    "a flood, soft edges": Case(flood, Right(all_of(8), 2)),
    "a flood by _lab": Case(floodnet, Right({"train": 6, "val": 3}, 3)),
    "clouds": Case(clouds, Right(all_of(8), 2)),
    "clouds of 0, 100, 255": Case(clouds_three, Right(all_of(8), 3)),
    "water in videos": Case(water_videos, Right({"train": 8, "val": 4}, 2)),
    "CamVid's frames, other masks": Case(
        camvid_kaggle, Right({"train": 4, "val": 4, "test": 4}, 3, ("Void", "Car", "Tree"))
    ),
    "a road": Case(kitti_road, Right({"train": 9}, 2)),
    "streets with instances": Case(kitti_semantics, Right({"train": 8}, 3)),
    "one's own cities": Case(other_city, Right({"train": 6, "val": 3}, 3)),
    "one's own shots in CamVid's tree": Case(
        other_camvid, Right({"train": 6, "val": 2, "test": 2}, 3)
    ),
    "a Roboflow export": Case(
        roboflow, Right({"train": 6, "val": 2, "test": 2}, 3, ("background", "dog", "cat"))
    ),
    "a CVAT export": Case(
        cvat_masks, Right({"train": 6, "val": 2}, 3, ("background", "bolt", "nut"))
    ),
    "VOC's tree, one's own classes": Case(
        voc_of_ones_own, Right({"train": 6, "val": 2}, 3, ("soil", "crop", "weed"))
    ),
    "a Labelme export": Case(labelme_voc, Right(all_of(8), 3, ("_background_", "bolt", "nut"))),
    "Supervisely's masks": Case(supervisely_masks, Right(all_of(8), 3, ("bg", "car", "road"))),
    "pets": Case(
        pets, Right({"train": 10, "test": 5}, 3, ("Foreground", "Background", "Not classified"))
    ),
    "images and masks": Case(plain, Right(all_of(8), 3)),
    "numbered, with other zeros": Case(numbered, Right(all_of(8), 3)),
    "splits in capitals": Case(capital_splits, Right({"train": 6, "val": 2, "test": 3}, 3)),
    "splits behind": Case(split_behind, Right({"train": 6, "val": 2}, 3)),
    "splits in names": Case(split_in_names, Right({"train": 6, "val": 2}, 3)),
    "folders of unknown words": Case(unknown_words, Right(all_of(8), 3)),
    "folders of unknown words and days": Case(unknown_words_deep, Right(all_of(8), 3)),
    "masks with a letter behind": Case(letter, Right(all_of(8), 3)),
    "a prefix here, an ending there": Case(prefix_and_ending, Right(all_of(8), 2)),
    "a folder a sample": Case(sample_folders, Right(all_of(24), 3)),
    "few folders, one a sample": Case(few_sample_folders, Right(all_of(5), 3)),
    "a folder a class": Case(class_folders, Right(all_of(6), 3, ("background", "crop", "weed"))),
    "a folder of instances an image": Case(instance_folder, Right(all_of(24), 2)),
    "links to folders, and a loop": Case(linked, Right(all_of(8), 3)),
    "no suffixes": Case(without_suffix, Right(all_of(8), 3)),
    "suffixes within names": Case(suffix_in_name, Right(all_of(12), 3)),
    "several suffixes": Case(mixed_suffixes, Right(all_of(10), 3)),
    "files without partner": Case(unpaired, Right(all_of(7), 3)),
    "a CSV of pairs, of pandas": Case(list_of_pairs_csv, Right(all_of(8), 3)),
    "lists of stems": Case(lists_of_stems, Right({"train": 6, "val": 2}, 3)),
    "lists of images": Case(lists_of_images, Right({"train": 5, "test": 3}, 3)),
    "lists with others' paths": Case(lists_elsewhere, Right({"train": 6, "val": 2}, 3)),
    "a table of splits": Case(table_of_splits, Right({"train": 5, "val": 2, "test": 1}, 3)),
    "a JSON of splits": Case(json_of_splits, Right({"train": 6, "val": 2}, 3)),
    "colors": Case(formed(to_rgb), Right(all_of(8), 3)),
    "a palette": Case(formed(to_palette), Right(all_of(8), 3)),
    "colors with alpha": Case(formed(opaque), Right(all_of(8), 3)),
    "the mask in alpha": Case(formed(in_alpha), Right(all_of(8), 2)),
    "0 and 1": Case(formed(lambda v: v, num_classes=2), Right(all_of(8), 2, BINARY)),
    "0 and 255": Case(formed(to_255), Right(all_of(8), 2, BINARY)),
    "0, 128, 255": Case(
        formed(lambda v: np.array([0, 128, 255], np.uint8)[v]), Right(all_of(8), 3)
    ),
    "1 bit": Case(formed(lambda v: Image.fromarray(v > 0)), Right(all_of(8), 2, BINARY)),
    "16-bit ids": Case(formed(wide), Right(all_of(8), 3)),
    "floats": Case(formed(floats, ".tif"), Right(all_of(8), 3)),
    "soft edges": Case(formed(soft), Right(all_of(8), 2, BINARY)),
    "soft edges of colors": Case(formed(soft_colors), Right(all_of(8), 3)),
    "npy": Case(arrays("npy"), Right(all_of(8), 3)),
    "npz": Case(arrays("npz"), Right(all_of(8), 3)),
    "mat with a struct": Case(arrays("mat"), Right(all_of(8), 3)),
    "masks of half the size": Case(formed(half_size), Right(all_of(8), 3)),
    "photos turned by EXIF": Case(turned, Right(all_of(8), 3)),
    "masks of other proportions": Case(other_proportions, "48x32"),
    "brains": Case(brains, Right(all_of(44), 2)),
    "orthophotos": Case(orthophotos, Right(all_of(8), 3)),
    "a city in tiles": Case(
        tiles_of_a_city, Right(all_of(9), 3, ("Unlabeled", "Building", "Water"))
    ),
    "two cameras": Case(cameras, Right(all_of(8), 3)),
    "a folder a channel": Case(channels, Right(all_of(8), 3)),
    "anomalies": Case(anomalies, Right({"train": 3, "test": 2}, 3)),
    "cracks as MATLAB": Case(forest_of_cracks, Right(all_of(7), 2)),
    "a sea": Case(sea, Right(all_of(8), 3)),
    "VOC's pictures, one's own parts": Case(parts_of_voc, Right({"train": 6, "val": 2}, 3)),
    "plants and leaves": Case(plants, Right({"train": 6, "val": 3}, 3)),
    "persons in deep folders": Case(persons, Right({"train": 6, "val": 3}, 3)),
    "faces as BMP": Case(faces_rgb, Right({"train": 6, "test": 3}, 3)),
    "three products": Case(products, Right(all_of(9), 2)),
    "each image in two formats": Case(two_formats, Right(all_of(8), 3)),
    "off the road": Case(off_road, Right(all_of(9), 3, ("void", "dirt", "grass"))),
    "a forest": Case(forest, Right({"train": 6, "test": 3}, 3)),
    "from a drone, with overlays": Case(from_a_drone, Right({"train": 6, "val": 2}, 3)),
    "blood": Case(blood, Right({"train": 6, "test": 3}, 2)),
    "goods on white": Case(white, Right(all_of(8), 2)),
    "photographs alone": Case(photographs_only, "no masks"),
    "five bands": Case(bands, Right(all_of(4), 3)),
}
