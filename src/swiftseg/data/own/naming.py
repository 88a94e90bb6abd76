"""The names of classes: from a file that lists them, from a README, or from the masks' path."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from swiftseg.core.labels import RGB
from swiftseg.data.images.header import IMAGE_SUFFIXES
from swiftseg.data.own.class_files import ClassTable, find_class_files, find_readme_names
from swiftseg.data.own.finding import Finding
from swiftseg.data.own.words import (
    IMAGE_WORDS,
    MASK_WORDS,
    SIDE_WORDS,
    SPLIT_OF_WORD,
    single_words,
    words_of,
)

NEAR = 8  # colors that differ less than this in each channel are the same class
# What masks' folders and endings are called that says how the masks were made, not what they show.
_NO_CLASS = frozenset(
    (  # noqa: SIM905 words are easier to read without quotes
        "folder name number path file split class binary data dataset part set all png tif bmp "
        "reference man object half end final new old clean cleaned corrected fixed refined "
        "resized resize rescaled scaled crop crops cropped patch patches tile tiles chip chips "
        "small large big full whole hd low high res resolution size aug augmented copy backup "
        "index indexed ids gray grey grayscale bw black white mono single merged combined joined "
        "union fine coarse pixel pixels pixelwise level human machine observer annotator reader "
        "rater bin bit bits first one two three public private official version processed "
        "filtered converted est estimated"
    ).split()
)
BACKGROUND = "background"  # of black where a file names other colors alone
_NO_THING = {"background", "bg", "back", "other", "others", "none", "nothing", "unlabeled", "rest"}
_INSTANCES = {"instance", "instances", "inst", "instanceids", "instancemasks"}
_SOFT = {
    "soft",
    "softmap",
    "softmaps",
    "prob",
    "probs",
    "probability",
    "probabilities",
    "agreement",
}
_INITIALS = re.compile(r"[b-df-hj-np-tv-xz]+")  # no vowel: of those who drew the masks


@dataclass(frozen=True)
class Hints:
    """What a folder tells of its classes.

    Attributes:
        tables: Files that list them, those believed first.
        by_value: Names by value, from a README.
        word: What a binary mask shows, from its path; None where nothing tells.
        part_names: The classes of masks that are one file a class.
        says_instances: Whether the masks' path says that they tell instances apart.
        says_soft: Whether it says that their values are shares, as of those who agree.
    """

    tables: tuple[ClassTable, ...] = ()
    by_value: Mapping[int, str] = field(default_factory=dict[int, str])
    word: str | None = None
    part_names: tuple[str, ...] = ()
    says_instances: bool = False
    says_soft: bool = False


def find_hints(
    root: Path,
    images: Sequence[str],
    masks: Sequence[str],
    part_names: Sequence[str] = (),
    stems: Collection[str] = (),
) -> Hints:
    """Find what a folder tells of its classes, by the patterns of its images and masks, too.

    Files that list images, by their `stems` or with a suffix, or their folders name no classes.
    """
    word = shown_word(images, masks)
    tables = (t for t in find_class_files(root) if not _lists_images(t.names, stems))
    of_instances = any(words_of(text) & _INSTANCES for text in masks)
    is_soft = any(words_of(text) & _SOFT or "softmap" in text.lower() for text in masks)
    names = tuple(part_names)
    return Hints(tuple(tables), find_readme_names(root), word, names, of_instances, is_soft)


def _lists_images(names: Sequence[str], stems: Collection[str]) -> bool:
    """Whether most names are those of images or of their folders, as in a table of scenes."""
    words = [name.split() for name in names]
    firsts = [PurePath(first).stem for first, *_ in words]
    found = [
        first in stems
        or any(not word.isdecimal() and word in stems for word in of_name)
        or any(word.endswith(IMAGE_SUFFIXES) for word in of_name)
        for first, of_name in zip(firsts, words, strict=True)
    ]
    return 2 * sum(found) > len(found)


def shown_word(images: Sequence[str], masks: Sequence[str]) -> str | None:
    """Return the one word of the masks' last folder or ending that may be what they show.

    Words that the images' paths have, too, name the data.
    """
    shared = {word for text in images for word in single_words(text)}
    for part in reversed(masks[0].rpartition(".")[0].split("/") if masks else []):
        words = single_words(re.sub(r"\{\w+\}", " ", part))
        if not words & MASK_WORDS and "{name}" not in part:
            continue
        plain = (
            words
            - shared
            - MASK_WORDS
            - IMAGE_WORDS
            - SIDE_WORDS
            - SPLIT_OF_WORD.keys()
            - _NO_CLASS
        )
        plain = {word for word in plain if len(word) > 2 and not _INITIALS.fullmatch(word)}
        lesions = words & {"lesion", "lesions"}
        if len(plain | lesions) == 1:
            return next(iter(plain | lesions))
    return None


@dataclass(frozen=True)
class Named:
    """Classes with the values or colors that masks show them by.

    Attributes:
        class_of: The class's name by value or color.
        palette: Colors of the classes, where the file gives them.
        findings: Where the names are from, and what they leave open.
    """

    names: tuple[str, ...]
    class_of: Mapping[int | RGB, str]
    palette: tuple[RGB, ...] | None
    findings: tuple[Finding, ...]


def name_colors(colors: Sequence[RGB], tables: Sequence[ClassTable]) -> Named | None:
    """Name the colors of masks by the first table that knows more than half of them."""
    for table in tables:
        if table.colors is None:
            continue
        known = {color: _nearest(color, table) for color in colors}
        if 2 * sum(name is not None for name in known.values()) <= len(colors):
            continue
        strange = [color for color, name in known.items() if name is None]
        numbered = (f"unnamed_{number}" for number in range(1, len(strange) + 1))
        extra = tuple(
            BACKGROUND if not any(color) and BACKGROUND not in table.names else name
            for color, name in zip(strange, numbered, strict=True)
        )
        class_of: dict[int | RGB, str] = dict(zip(table.colors, table.names, strict=True))
        class_of |= {color: name for color, name in known.items() if name is not None}
        class_of |= dict(zip(strange, extra, strict=True))
        palette = (*table.colors, *strange)
        return Named((*table.names, *extra), class_of, palette, _findings(table, strange))
    return None


def _nearest(color: RGB, table: ClassTable) -> str | None:
    for known, name in zip(table.colors or (), table.names, strict=True):
        if max(abs(a - b) for a, b in zip(color, known, strict=True)) < NEAR:
            return name
    return None


def name_values(values: Sequence[int], hints: Hints) -> Named | None:
    """Name the values of masks by the first table that names all, or by a README.

    A table names values, or the gray levels that its colors are, or the classes in order: from 0,
    or from 1 where 0 is the background that it leaves out.
    """
    for table in hints.tables:
        for class_of in _ways_to_name(table, values):
            is_named = set(values) <= class_of.keys()
            if is_named and (table.is_certain or len(class_of) == len(values)):
                names = tuple(dict.fromkeys(class_of.values()))
                palette = table.colors if names == table.names else None
                return Named(names, {**class_of}, palette, _findings(table, []))
    by_value = {0: "background", **hints.by_value}
    if len(set(values) & hints.by_value.keys()) > 1 and set(values) <= by_value.keys():
        class_of = {value: by_value[value] for value in values}
        if len(set(class_of.values())) == len(class_of):
            message = f"classes are named as the README says: {', '.join(class_of.values())}"
            note = Finding("note", "class_names", message)
            return Named(tuple(class_of.values()), {**class_of}, None, (note,))
    return None


def _ways_to_name(table: ClassTable, values: Sequence[int]) -> list[dict[int, str]]:
    ways: list[dict[int, str]] = []
    if table.values is not None and len(set(table.values)) == len(table.names):
        ways.append(dict(zip(table.values, table.names, strict=True)))
        ways.append({0: "background"} | ways[0])
    if table.colors is not None:
        grays = [color[0] if len(set(color)) == 1 else None for color in table.colors]
        if None not in grays and len(set(grays)) == len(grays):
            ways.append({g: n for g, n in zip(grays, table.names, strict=True) if g is not None})
    if table.values is None:
        ways.append(dict(enumerate(table.names)))
        if max(values, default=0) == len(table.names):
            ways.append({0: "background"} | dict(enumerate(table.names, 1)))
    if table.values in (None, (1,), (0, 1), (1, 0)) and (shown := _shown_by_white(table.names)):
        ways.append(dict(zip((0, 255), shown, strict=True)))
    return ways


def _shown_by_white(names: Sequence[str]) -> tuple[str, str] | None:
    """Return what black and white mean in a binary mask; None where names leave that open.

    Two names tell if one says that nothing is there, such as `background` or `no crack`.
    """
    if len(names) == 1 and names[0].lower() not in _NO_THING:
        return BACKGROUND, names[0]
    for nothing, thing in (names, names[::-1]) if len(names) == 2 else ():
        if nothing.lower() in _NO_THING or thing.lower() in nothing.lower():
            return nothing, thing
    return None


def _findings(table: ClassTable, strange: Sequence[RGB]) -> tuple[Finding, ...]:
    note = Finding("note", "class_names", f"classes are named as {table.source} says")
    strange = [color for color in strange if any(color) or BACKGROUND in table.names]
    if not strange:
        return (note,)
    listed = ", ".join(map(str, strange[:5]))
    message = f"{table.source}: does not name the color {listed}; named unnamed_1 and so on"
    return note, Finding("warning", "unnamed_colors", message, len(strange))
