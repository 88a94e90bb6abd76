"""Fonts for class names in any script, found among those that the machine has.

Pillow's own font knows Latin letters. For other names the system's fonts are looked through, once;
where none has the letters, the caller is told and can write something else.
"""

import os
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

MAX_FONTS = 600  # that are looked through, for a machine with thousands
_NOWHERE = "\U0010fffe"  # a code that no font has a letter for
_SUFFIXES = (".ttf", ".otf", ".ttc")
# What has many scripts comes first, then plain upright faces.
_PREFERRED = ("unifont", "unicode", "cjk", "notosans-", "dejavusans.", "arial.", "msyh", "pingfang")


def font_for(text: str, size: int) -> Font | None:
    """Return a font that has all letters of a text, or None where there is none on this machine."""
    if text.isascii() or has_letters(own_font(size), text):
        return own_font(size)
    path = _path_for(frozenset(text))
    return None if path is None else ImageFont.truetype(path, size)


def without_font(texts: tuple[str, ...]) -> list[str]:
    """Return the texts that cannot be written with any font of this machine."""
    return [text for text in texts if font_for(text, 12) is None]


@lru_cache(maxsize=8)
def own_font(size: int) -> Font:
    """Return Pillow's own font."""
    return ImageFont.load_default(size)


def has_letters(font: Font, text: str) -> bool:
    """Whether a font has all letters of a text: another picture than for a code without one."""
    try:
        missing = _picture(font, _NOWHERE)
        return all(letter.isspace() or _picture(font, letter) != missing for letter in set(text))
    except UnicodeEncodeError:  # the font of a Pillow without FreeType, which has Latin letters
        return False


def _picture(font: Font, letter: str) -> tuple[tuple[int, int], bytes]:
    mask: Any = font.getmask(letter)
    return mask.size, bytes(mask)


@lru_cache(maxsize=64)
def _path_for(letters: frozenset[str]) -> str | None:
    for path in _font_files():
        try:
            if has_letters(ImageFont.truetype(path, 12), "".join(letters)):
                return path
        except (OSError, ValueError):
            continue  # damaged, or of a kind that FreeType does not read
    return None


@lru_cache(maxsize=1)
def _font_files() -> tuple[str, ...]:
    """List the machine's fonts, those first that are likely to have many letters."""
    found = [path for folder in _folders() for path in _below(folder)]

    def rank(path: str) -> tuple[int, str]:
        name = Path(path).name.lower()
        return next((n for n, part in enumerate(_PREFERRED) if part in name), len(_PREFERRED)), name

    return tuple(sorted(found, key=rank)[:MAX_FONTS])


def _folders() -> Iterator[Path]:
    home = os.environ.get("HOME") or os.environ.get("USERPROFILE")
    if sys.platform == "win32":
        yield Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts"
    elif sys.platform == "darwin":
        yield from (Path("/System/Library/Fonts"), Path("/Library/Fonts"))
    else:
        yield from (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
    if home:
        yield from (Path(home) / ".fonts", Path(home) / ".local/share/fonts")
        yield Path(home) / "Library/Fonts"


def _below(folder: Path) -> Iterator[str]:
    for at, _, names in os.walk(folder):
        yield from (str(Path(at, name)) for name in names if name.lower().endswith(_SUFFIXES))
