"""Patterns of paths, such as `images/{split}/{name}.jpg`: what a reading of a folder comes to.

| in a pattern | stands for |
| --- | --- |
| `{name}`, `{path}` | any text, also with `/` in it |
| `{file}` | a file's name with its suffix |
| `{folder}`, `{folder2}` | the name of a folder |
| `{number}` | digits; 7 and 007 are the same |
| `{split}` | a word for train, val or test |
| `{class}` | the name of the class that a mask of its own shows |
| `{class:hair|skin}` | one of these words, with any field |
| `*` | anything within a name; behind the last dot, any suffix |
| `**/` | any folders, or none |

An image and a mask belong together when all the fields agree that both patterns have.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
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
    "split": f"(?i:{_SPLIT_WORDS})",
}
_PART = re.compile(r"\{(\w+)(?::([^{}]+))?\}|(\*\*/)|(\*)|([^{}*]+)")
Key = tuple[str, ...]
Parts = Literal["one", "instances", "classes"]


class Pattern:
    """A pattern of paths.

    Attributes:
        text: As written.
        fields: The names of its fields, each once.
        weight: How many signs it fixes: of two patterns that fit a file the heavier one has it.

    Raises:
        SwiftsegError: The text is no pattern.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._names: list[str] = []
        body, _, suffix = text.rpartition(".")
        has_suffix = bool(body) and "/" not in suffix and "{" not in suffix
        expression = self._compile(body if has_suffix else text)
        if has_suffix:
            expression += r"\.[^/.]+" if suffix == "*" else rf"\.(?i:{re.escape(suffix)})"
        elif not text.endswith("{file}"):
            expression += r"(?<!\.)"
        self._regex = re.compile(expression)
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
    return str(int(text)) if name == "number" else text


@dataclass(frozen=True)
class Matched:
    """A file that fits a pattern, and its fields."""

    path: str
    fields: dict[str, str]


@dataclass
class Match:
    """What patterns make of a tree's files.

    Attributes:
        pairs: An image and its masks, more than one where each shows an instance or a class.
        same_key: Images that cannot be told apart by the fields.
        images_alone: Images without a mask.
        masks_alone: Masks without an image.
        unmatched: Files that fit no pattern.
    """

    pairs: list[tuple[Matched, list[Matched]]] = field(
        default_factory=list[tuple[Matched, list[Matched]]]
    )
    same_key: list[list[Matched]] = field(default_factory=list[list[Matched]])
    images_alone: list[Matched] = field(default_factory=list[Matched])
    masks_alone: list[Matched] = field(default_factory=list[Matched])
    unmatched: list[str] = field(default_factory=list[str])


def match_files(
    images: Sequence[Pattern], masks: Sequence[Pattern], files: Iterable[TreeFile]
) -> Match:
    """Pair the files of a tree by patterns; a file is an image or a mask, never both.

    Raises:
        SwiftsegError: The patterns of images and masks have no field in common.
    """
    shared = [
        name
        for name in images[0].fields
        if all(name in pattern.fields for pattern in (*images, *masks))
    ]
    if not set(shared) - {"split"}:
        raise SwiftsegError(
            f"the patterns {images[0].text} and {masks[0].text} have no field in common, "
            "such as {name}"
        )
    found = Match()
    image_of: defaultdict[Key, list[Matched]] = defaultdict(list)
    masks_of: defaultdict[Key, list[Matched]] = defaultdict(list)
    for file in files:
        image, mask = _best(images, file.path), _best(masks, file.path)
        if image is None and mask is None:
            found.unmatched.append(file.path)
            continue
        is_image = mask is None or (image is not None and image[0] > mask[0])
        chosen = image if is_image else mask
        if chosen is None:
            continue
        matched = Matched(file.path, chosen[1])
        key = tuple(matched.fields[name] for name in shared)
        (image_of if is_image else masks_of)[key].append(matched)
    for key, of_key in image_of.items():
        if key not in masks_of:
            found.images_alone += of_key
        elif len(of_key) > 1:
            found.same_key.append(of_key)
        else:
            found.pairs.append((of_key[0], masks_of[key]))
    found.masks_alone = [
        m for key, of_key in masks_of.items() if key not in image_of for m in of_key
    ]
    return found


def _best(patterns: Sequence[Pattern], path: str) -> tuple[int, dict[str, str]] | None:
    best: tuple[int, dict[str, str]] | None = None
    for pattern in patterns:
        fields = pattern.match(path)
        if fields is not None and (best is None or pattern.weight > best[0]):
            best = (pattern.weight, fields)
    return best
