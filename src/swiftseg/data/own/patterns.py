"""Patterns of paths, such as `images/{split}/{name}.jpg`: what a reading of a folder comes to.

| in a pattern | stands for |
| --- | --- |
| `{name}`, `{path}` | any text, also with `/` in it |
| `{file}` | a file's name with its suffix |
| `{folder}`, `{folder2}` | the name of a folder |
| `{end}` | what follows a word within a name |
| `{number}` | digits; 7 and 007 are the same |
| `{instance}`, `{instance2}` | digits that count the masks of an image |
| `{split}` | a word for train, val or test |
| `{class}` | the name of the class that a mask of its own shows |
| `{class:hair|skin}` | one of these words, with any field |
| `{band:red|green|nir}` | the bands of one image, which are files of their own, in this order |
| `*` | anything within a name; behind the last dot, any suffix |
| `**/` | any folders, or none |

An image and a mask belong together when all the fields agree that both patterns have. Where there
are as many patterns of images as of masks, apart from suffixes, those at one place belong together:
two sets may use the same numbers.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from swiftseg.core import SwiftsegError
from swiftseg.data.own.file_tree import TreeFile
from swiftseg.data.own.words import SPLIT_OF_WORD

_SPLIT_WORDS = "train[_ -]val|" + "|".join(sorted(SPLIT_OF_WORD, key=len, reverse=True))
_TEXT_OF_FIELD = {
    "name": ".+?",
    "path": ".+",
    "file": ".+?",
    "number": r"\d+",
    **dict.fromkeys(("instance", "instance2", "instance3"), r"\d+"),
    "split": f"(?i:{_SPLIT_WORDS})",
}
_PART = re.compile(r"\{(\w+)(?::([^{}]+))?\}|(\*\*/)|(\*)|([^{}*]+)")
BAND = "band"
Key = tuple[str, ...]
Parts = Literal["one", "instances", "classes"]


class Pattern:
    """A pattern of paths.

    Attributes:
        fields: The names of its fields, each once.
        weight: How many signs it fixes: of two patterns that fit a file the heavier one has it.
        bands: The bands that are files of their own, in their order and in lower case.
        without_suffix: The text before a suffix.

    Raises:
        SwiftsegError: The text is no pattern.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._names: list[str] = []
        self.bands: tuple[str, ...] = ()
        body, _, suffix = text.rpartition(".")
        has_suffix = bool(body) and "/" not in suffix and "{" not in suffix
        expression = self._compile(body if has_suffix else text)
        if has_suffix:
            expression += r"\.[^/.]+" if suffix == "*" else rf"\.(?i:{re.escape(suffix)})"
        elif not text.endswith("{file}"):
            expression += r"(?<!\.)"
        self._regex = re.compile(expression)
        self.without_suffix = body if has_suffix else text
        self.fields = tuple(dict.fromkeys(self._names))
        self.weight = len(re.sub(r"\{[^{}]*\}|\*", "", text))

    def _compile(self, text: str) -> str:
        parts: list[str] = []
        end = 0
        for match in _PART.finditer(text):
            name, words, deep, star, literal = match.groups()
            if name:
                # The longest first: of l_eye and eye, the first is meant.
                known = "|".join(map(re.escape, sorted((words or "").split("|"), key=len)[::-1]))
                if name == BAND and known:
                    self.bands = tuple(word.lower() for word in words.split("|"))
                    known = f"(?i:{known})"
                parts.append(f"({known or _TEXT_OF_FIELD.get(name, '[^/]+?')})")
                self._names.append(name)
            else:
                parts.append("(?:.*/)?" if deep else "[^/]*?" if star else re.escape(literal))
            end = match.end()
        if end != len(text) or not self._names:
            raise SwiftsegError(
                f"expected a path with fields such as images/{{name}}.jpg, got {text!r}"
            )
        return "".join(parts)

    def match(self, path: str) -> dict[str, str] | None:
        """Return the fields of a path, or None where it does not fit."""
        found = self._regex.fullmatch(path)
        if found is None:
            return None
        fields: dict[str, str] = {}
        for name, text in zip(self._names, found.groups(), strict=True):
            value = _value(name, text)
            if fields.setdefault(name, value) != value:
                return None
        return fields


def _value(name: str, text: str) -> str:
    if name == "split":
        return SPLIT_OF_WORD.get(text.lower(), "train")
    if name == BAND:
        return text.lower()
    return str(int(text)) if name == "number" else text


@dataclass(frozen=True)
class Matched:
    """A file that fits a pattern, and its fields; an image's bands where these are files."""

    path: str
    fields: dict[str, str]
    bands: tuple[str, ...] = ()

    def key(self, names: Sequence[str]) -> Key:
        return tuple(self.fields[name] for name in names)


@dataclass
class Match:
    """What patterns make of a tree's files.

    Attributes:
        pairs: An image and its masks, more than one where each shows an instance or a class.
        same_key: Images that cannot be told apart by the fields.
        images_alone: Images without a mask.
        masks_alone: Masks without an image.
        unmatched: Files that fit no pattern.
        lacking_bands: Bands of images of which other bands are missing.
    """

    pairs: list[tuple[Matched, list[Matched]]] = field(
        default_factory=list[tuple[Matched, list[Matched]]]
    )
    same_key: list[list[Matched]] = field(default_factory=list[list[Matched]])
    images_alone: list[Matched] = field(default_factory=list[Matched])
    masks_alone: list[Matched] = field(default_factory=list[Matched])
    unmatched: list[str] = field(default_factory=list[str])
    lacking_bands: list[str] = field(default_factory=list[str])


def match_files(
    images: Sequence[Pattern], masks: Sequence[Pattern], files: Iterable[TreeFile]
) -> Match:
    """Pair the files of a tree by patterns; a file is an image or a mask, never both.

    Raises:
        SwiftsegError: A pattern has no field in common with any of the other side.
    """
    partners = _partners(images, masks)
    shared = {one: {other: _shared(one, other) for other in partners[one]} for one in images}
    if not all(any(set(names) - {"split"} for names in of.values()) for of in shared.values()):
        raise SwiftsegError(
            f"the patterns {images[0].text} and {masks[0].text} have no field in common, "
            "such as {name}"
        )
    found = Match()
    image_files: list[tuple[Pattern, Matched]] = []
    masks_of: defaultdict[tuple[Pattern, Key], defaultdict[Key, list[Matched]]] = defaultdict(
        lambda: defaultdict(list)
    )
    all_masks: list[Matched] = []
    for file in files:
        image, mask = _best(images, file.path), _best(masks, file.path)
        if mask is None or (image is not None and image[0].weight > mask[0].weight):
            if image is None:
                found.unmatched.append(file.path)
            else:
                image_files.append((image[0], Matched(file.path, image[1])))
            continue
        pattern, matched = mask[0], Matched(file.path, mask[1])
        all_masks.append(matched)
        for names in {of[pattern] for of in shared.values() if pattern in of}:
            masks_of[pattern, names][matched.key(names)].append(matched)
    alike: defaultdict[Key, list[tuple[Matched, list[Matched]]]] = defaultdict(list)
    for pattern, image in _with_bands_joined(image_files, found):
        of_image = _masks_of(image, shared[pattern], masks_of)
        if of_image:
            alike[tuple(mask.path for mask in of_image)].append((image, of_image))
        else:
            found.images_alone.append(image)
    for pairs in alike.values():
        if len(pairs) > 1:
            found.same_key.append([image for image, _ in pairs])
        else:
            found.pairs += pairs
    paired = {path for paths in alike for path in paths}
    found.masks_alone = [mask for mask in all_masks if mask.path not in paired]
    return found


def _with_bands_joined(
    files: Iterable[tuple[Pattern, Matched]], found: Match
) -> Iterator[tuple[Pattern, Matched]]:
    """Yield images, those of several files as one; what lacks bands is noted in `found`."""
    apart: defaultdict[tuple[Pattern, Key], list[Matched]] = defaultdict(list)
    for pattern, file in files:
        if pattern.bands:
            names = [name for name in pattern.fields if name != BAND]
            apart[pattern, file.key(names)].append(file)
        else:
            yield pattern, file
    for (pattern, _), group in apart.items():
        paths = {file.fields[BAND]: file.path for file in group}
        if len(paths) < len(group):
            found.same_key.append(group)
        elif len(paths) < len(pattern.bands):
            found.lacking_bands += sorted(paths.values())
        else:
            fields = {name: text for name, text in group[0].fields.items() if name != BAND}
            bands = tuple(paths[band] for band in pattern.bands)
            yield pattern, Matched(bands[0], fields, bands)


def _partners(
    images: Sequence[Pattern], masks: Sequence[Pattern]
) -> dict[Pattern, Sequence[Pattern]]:
    """Return the patterns of masks that those of images go with."""
    texts = [[*dict.fromkeys(one.without_suffix for one in side)] for side in (images, masks)]
    if len(texts[0]) != len(texts[1]):
        return dict.fromkeys(images, masks)
    place = dict(zip(*texts, strict=True))
    return {
        one: [other for other in masks if other.without_suffix == place[one.without_suffix]]
        for one in images
    }


def _shared(one: Pattern, other: Pattern) -> Key:
    names = (name for name in one.fields if name in other.fields)
    return tuple(name for name in names if not (one.bands and name == BAND))


def _masks_of(
    image: Matched,
    shared: Mapping[Pattern, Key],
    masks_of: Mapping[tuple[Pattern, Key], Mapping[Key, list[Matched]]],
) -> list[Matched]:
    """Return the masks that agree with an image, by the patterns that share most fields with it."""
    of_image: list[Matched] = []
    most = 0
    for pattern, names in sorted(shared.items(), key=lambda entry: -len(entry[1])):
        if len(names) < most or not set(names) - {"split"}:
            break
        found = masks_of[pattern, names].get(image.key(names), [])
        of_image += found
        most = len(names) if found else most
    return of_image


def _best(patterns: Sequence[Pattern], path: str) -> tuple[Pattern, dict[str, str]] | None:
    best: tuple[Pattern, dict[str, str]] | None = None
    for pattern in patterns:
        fields = pattern.match(path)
        if fields is not None and (best is None or pattern.weight > best[0].weight):
            best = (pattern, fields)
    return best
