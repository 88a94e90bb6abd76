"""What the names of folders and files say: splits, and what is a picture and what a mask."""

import re
from functools import lru_cache
from itertools import pairwise

SPLIT_WORDS = {
    "train": ("train", "training", "trn", "trainset", "trainval", "learn", "learning", "tr"),
    "val": ("val", "valid", "validation", "valset", "dev", "validate", "vd"),
    "test": ("test", "testing", "tst", "testset", "eval", "evaluation", "holdout", "te"),
}
SHORT_SPLIT_WORDS = frozenset({"tr", "vd", "te"})  # splits only where others stand beside them
SPLIT_OF_WORD = {word: split for split, words in SPLIT_WORDS.items() for word in words}
# What may be glued to a split's word without a sign between: trainannot, testmasks.
_GLUED = (
    "annot|annots|annotations|images|image|imgs|img|masks|mask|labels|label|gt|rgb|x|y|data|set"
)

MASK_WORDS = frozenset(
    (  # noqa: SIM905 words are easier to read without quotes
        "mask masks label labels labelled labeled labelids labeltrainids lbl lab gt gts "
        "gtmaps groundtruth groundtruths truth truths ground annotation annotations annot annots "
        "anno annos ann seg segm segs segmentation segmentations segmentationclass "
        "segmentationclasspng segmap segmaps semantic semantics semseg target targets manual "
        "trimap trimaps matte mattes matting parsing parse pixellevel class classes "
        "lesion lesions roadmask stuffthingmaps expert ho fg"
    ).split()
)
IMAGE_WORDS = frozenset(
    (  # noqa: SIM905 words are easier to read without quotes
        "image images img imgs photo photos picture pictures pic pics rgb jpegimages jpeg "
        "jpegs jpg frame frames raw original originals orig org input inputs sat satellite "
        "scan scans ct cxr stills fundus dermoscopic leftimg8bit visible color_image"
    ).split()
)
# Pictures made from a mask or beside it, which are not what a network learns.
SIDE_WORDS = frozenset(
    (  # noqa: SIM905 words are easier to read without quotes
        "depth disparity disp edge edges border borders boundary boundaries contour contours "
        "overlay overlays blend visualization visualizations visualisation vis viz preview "
        "previews thumb thumbs thumbnail thumbnails heatmap weight weights pred preds "
        "prediction predictions result results output outputs superpixel superpixels fov "
        "skeleton normal normals flow uncertainty instance instances instanceids inst "
        "segmentationobject box boxes bbox bboxes detection roi visibility landmarks centers "
        "centres centerline centerlines watershed distance distances track tracks tracking tra "
        "confidence densepose agnostic layer layers panoptic elevation elevations elev dsm ndsm "
        "dem dtm height heights scribble scribbles"
    ).split()
)
_TOKEN = re.compile(r"\{split\}|\{=\}|[^\W\d_]+|\d+|[)\]]|(?:(?!\{split\}|\{=\})[^\w)\]]|_)+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_ACRONYM = re.compile(r"(?<=[A-Z])(?=[A-Z][a-z])")  # SBU|Train


@lru_cache(maxsize=1 << 15)
def tokens_of(text: str) -> tuple[str, ...]:
    """Return the runs of letters, of digits and of other signs that a name is made of."""
    return tuple(_TOKEN.findall(text))


def whole_number(text: str) -> int | None:
    """Return the number that a text holds in up to 18 digits; None for any other text.

    `int` refuses digits such as "²", which `isdigit` takes, and numbers of thousands of digits.
    """
    digits = text.strip()
    return int(digits) if digits.isdecimal() and len(digits) <= 18 else None


@lru_cache(maxsize=1 << 15)
def words_of(text: str) -> frozenset[str]:
    """Return the words of a name in lower case: single ones, and neighbors as one."""
    runs = [token for token in tokens_of(text) if token[0].isalpha()]
    parts = _parts(text)
    joined = ["".join(pair) for pair in pairwise(parts)]
    return frozenset((*parts, *joined, *(run.lower() for run in runs)))


def single_words(text: str) -> frozenset[str]:
    """Return the words of a name in lower case, CamelCase taken apart."""
    return frozenset(_parts(text))


def _parts(text: str) -> list[str]:
    runs = [token for token in tokens_of(text) if token[0].isalpha()]
    return [part.lower() for run in runs for part in _CAMEL.split(run)]


def mask_evidence(text: str) -> float:
    """Return how much a path without its suffix speaks for a mask (above 0) or a picture (below).

    The file's own name and the nearest folder that says something count most.
    """
    *folders, stem = text.split("/")
    last = stem.rpartition("_")[2].lower()
    evidence = {"mask": 1.0, "picture": -0.5, "": 0.0}[
        "mask" if last in ("l", "m") else _kind(stem)
    ]
    weight = 1.0
    for folder in reversed(folders):
        kind = _kind(folder)
        if kind:
            evidence += weight if kind == "mask" else -weight
            weight *= 0.4
    return evidence


def _kind(part: str) -> str:
    words = words_of(part) - SPLIT_OF_WORD.keys()
    return "mask" if words & MASK_WORDS else "picture" if words & IMAGE_WORDS else ""


def side_share(text: str) -> float:
    """Return what a path loses as a mask for being an overlay, depth, an instance map: 0.3 to 1.

    What is called semantic gains, since masks beside it show something else.
    """
    words = {word for part in text.split("/") for word in words_of(part)}
    is_semantic = bool(words & {"semantic", "semantics"})
    if words & SIDE_WORDS and not is_semantic:
        return 0.3
    share = 1.1 if is_semantic else 1.0
    if words & {"color", "colors", "colour", "colored", "rgb", "human", "2nd", "nd", "second"}:
        share *= 0.9
    return share


def picture_share(text: str) -> float:
    """Return what a path loses as a picture for being depth, infrared, an overlay: 0.3 to 1.

    A picture that is called a mask is most likely drawn from one.
    """
    *_, stem = text.split("/")
    words = {word for part in text.split("/") for word in words_of(part)}
    if words & SIDE_WORDS:
        return 0.3
    if words_of(stem) & MASK_WORDS:
        return 0.8
    return 0.8 if words & {"nir", "ir", "gray", "grey", "ndvi", "evi", "thermal", "right"} else 1.0


@lru_cache(maxsize=1 << 15)
def find_split(component: str, *, short: bool = False) -> tuple[str, str] | None:
    """Find the split that a folder is named by.

    Args:
        component: The folder's name.
        short: Whether words of two letters are splits, too.

    Returns:
        The split, train, val or test, and the name with `{split}` in its place; None without one,
        or with several.
    """
    lower = component.lower()
    glued = re.fullmatch(rf"(training|train|validation|valid|val|testing|test)({_GLUED})", lower)
    if glued:
        word = glued.group(1)
        return SPLIT_OF_WORD[word], "{split}" + component[len(word) :]
    both = re.search(r"(?i)train[_ -]val(?![a-z])", component)
    if both:  # all that may be learned from, where the other is the test
        return "train", component[: both.start()] + "{split}" + component[both.end() :]
    parts = [part for token in tokens_of(component) for part in _CAMEL.split(token)]
    pieces = [piece for part in parts for piece in _ACRONYM.split(part)]
    known = SPLIT_OF_WORD.keys() - (frozenset() if short else SHORT_SPLIT_WORDS)
    at = [index for index, piece in enumerate(pieces) if piece.lower() in known]
    if len(at) != 1:
        return None
    split = SPLIT_OF_WORD[pieces[at[0]].lower()]
    return split, "".join([*pieces[: at[0]], "{split}", *pieces[at[0] + 1 :]])
