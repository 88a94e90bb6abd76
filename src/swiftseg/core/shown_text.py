"""Text from files, names and addresses, made fit for terminals, logs and reports."""

import re
import unicodedata

# Of an address: the scheme, what stands before the host, host and path, and what follows them.
_ADDRESS = re.compile(
    r"(\b[a-z][a-z0-9+.-]*://)([^/\s?#]*@)?([^\s?#'\"]*)([?#][^\s'\"]*)?", re.IGNORECASE
)
_CONTROL = ("Cc", "Cf", "Zl", "Zp")  # control characters, and those that turn or break lines
_HARMLESS = ("\u200c", "\u200d", "\ufe0f")  # join letters, or choose a form


def shown(text: str) -> str:
    """Return a text in which control characters are escaped and addresses hold no secrets.

    User and password of an address are left out, and its query, in which tokens stand, is `?...`.
    """
    return "".join(map(_escaped, without_secrets(text)))


def utf8(text: str) -> bytes:
    """Encode a text as UTF-8 that is one; bytes of a file's name that are none stand as escapes.

    Names that a system decodes from other bytes, as of archives of other countries, hold those as
    surrogates, which no UTF-8 can have.
    """
    return text.encode("utf-8", "backslashreplace")


def as_utf8(text: str) -> str:
    """Return a text that `utf8` leaves as it is."""
    return utf8(text).decode()


def without_secrets(text: str) -> str:
    """Return a text whose addresses hold no secrets; see `shown`."""
    return _ADDRESS.sub(_public, text)


def _public(address: re.Match[str]) -> str:
    scheme, _, place, behind = address.groups()
    return f"{scheme}{place}{behind[0] + '...' if behind else ''}"


def _escaped(character: str) -> str:
    if character in _HARMLESS or unicodedata.category(character) not in _CONTROL:
        return character
    return character.encode("unicode_escape").decode("ascii")
