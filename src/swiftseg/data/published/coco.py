"""COCO 2017: things and stuff (171 classes), or the 20 classes of PASCAL VOC for pre-training.

Lin et al., "Microsoft COCO", ECCV 2014; Caesar, Uijlings, Ferrari, "COCO-Stuff", CVPR 2018; names
as in its `labels.txt`.

The tree: `{train,val}2017/*.jpg`, also below `images`, and `stuffthingmaps/{train,val}2017/*.png`,
the pixel maps of things and stuff. A map's value is the class id less one, and 255 where nobody
labeled.
"""

from pathlib import Path
from typing import Literal

from swiftseg.core import LabelSet
from swiftseg.data.mask_values import IndexMasks
from swiftseg.data.paired_files import PairedFiles
from swiftseg.data.paired_folder import pair_by_stem
from swiftseg.data.published.tree import are_named, existing_folder, find_tree
from swiftseg.data.published.voc import VOC_LABELS
from swiftseg.data.voc_colors import voc_colors

ClassSet = Literal["stuff", "voc"]

MAPS = "stuffthingmaps"
UNLABELED = 255

# Ids from 1, things first; `-` where COCO gave an id away and then removed the class.
THINGS = (  # noqa: SIM905 rows are easier to compare with labels.txt
    "person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,-,"
    "stop sign,parking meter,bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,-,"
    "backpack,umbrella,-,-,handbag,tie,suitcase,frisbee,skis,snowboard,sports ball,kite,"
    "baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,-,wine glass,cup,fork,"
    "knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,"
    "couch,potted plant,bed,-,dining table,-,-,toilet,-,tv,laptop,mouse,remote,keyboard,cell phone,"
    "microwave,oven,toaster,sink,refrigerator,-,book,clock,vase,scissors,teddy bear,hair drier,"
    "toothbrush,-"
).split(",")
STUFF = (  # noqa: SIM905
    "banner,blanket,branch,bridge,building-other,bush,cabinet,cage,cardboard,carpet,ceiling-other,"
    "ceiling-tile,cloth,clothes,clouds,counter,cupboard,curtain,desk-stuff,dirt,door-stuff,fence,"
    "floor-marble,floor-other,floor-stone,floor-tile,floor-wood,flower,fog,food-other,fruit,"
    "furniture-other,grass,gravel,ground-other,hill,house,leaves,light,mat,metal,mirror-stuff,moss,"
    "mountain,mud,napkin,net,paper,pavement,pillow,plant-other,plastic,platform,playingfield,"
    "railing,railroad,river,road,rock,roof,rug,salad,sand,sea,shelf,sky-other,skyscraper,snow,"
    "solid-other,stairs,stone,straw,structural-other,table,tent,textile-other,towel,tree,vegetable,"
    "wall-brick,wall-concrete,wall-other,wall-panel,wall-stone,wall-tile,wall-wood,water-other,"
    "waterdrops,window-blind,window-other,wood"
).split(",")
NAME_OF_VALUE = {value: name for value, name in enumerate(THINGS + STUFF) if name != "-"}

# COCO-Stuff has no official RGB palette.
COCO_STUFF_LABELS = LabelSet(
    tuple(NAME_OF_VALUE.values()), voc_colors(len(NAME_OF_VALUE) + 1)[1:], UNLABELED
)

# Where VOC's names are not COCO's.
COCO_NAME_OF_VOC = {
    "aeroplane": "airplane",
    "diningtable": "dining table",
    "motorbike": "motorcycle",
    "pottedplant": "potted plant",
    "sofa": "couch",
    "tvmonitor": "tv",
}


def is_coco(folder: Path) -> bool:
    """Whether a folder has COCO's images and pixel maps."""
    return find_tree(folder, ["."], MAPS) is not None and any(
        are_named(folder / place, r"\d{12}") for place in ("train2017", "val2017", "images")
    )


def open_coco(folder: Path, split: str, *, class_set: ClassSet = "stuff") -> PairedFiles:
    """Open a split of COCO 2017 where it lies.

    Args:
        folder: Holds `stuffthingmaps` and the images.
        split: train or val.
        class_set: The 171 classes of things and stuff; or VOC's 20 as VOC indexes them, all else
            background, for training before VOC.

    Raises:
        SwiftsegError: A folder is missing, or images and maps do not pair up.
    """
    images = existing_folder(
        folder, [f"{split}2017", f"images/{split}2017"], f"images of COCO's {split} split"
    )
    pairs = pair_by_stem(images, folder / MAPS / f"{split}2017")
    if class_set == "voc":
        return PairedFiles(pairs, VOC_LABELS, IndexMasks(_voc_of_value(), VOC_LABELS.ignore_index))
    table = {value: index for index, value in enumerate(NAME_OF_VALUE)}
    masks = IndexMasks(table | {UNLABELED: UNLABELED}, UNLABELED)
    return PairedFiles(pairs, COCO_STUFF_LABELS, masks)


def _voc_of_value() -> dict[int, int]:
    """Return VOC's class by a map's value; stuff, other things and the unlabeled are background."""
    voc_of_name = {
        COCO_NAME_OF_VOC.get(name, name): index for index, name in enumerate(VOC_LABELS.names)
    }
    things = {v: voc_of_name.get(name, 0) for v, name in NAME_OF_VALUE.items() if v < len(THINGS)}
    stuff = {v: 0 for v in NAME_OF_VALUE if v >= len(THINGS)}
    return things | stuff | {UNLABELED: 0}
