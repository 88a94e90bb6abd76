"""Pictures at an http or https address that a user has typed."""

import re
from contextlib import closing
from pathlib import PurePosixPath
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from swiftseg.core import SwiftsegError
from swiftseg.data.images.header import IMAGE_SUFFIXES

if TYPE_CHECKING:
    from http.client import HTTPResponse

MAX_BYTES = 50_000_000
PATIENCE_S = 10.0  # for each answer of the server
MOST_S = 60.0  # for the whole picture
_CHUNK = 2**16
_ADDRESS = re.compile(r"https?://.+", re.IGNORECASE)


def is_web_address(text: str) -> bool:
    """Whether a text is an http or https address."""
    return _ADDRESS.fullmatch(text) is not None


def is_picture(address: str) -> bool:
    """Whether a picture is at an address: by its suffix, else by what the server says it is.

    A server that does not answer has no picture.
    """
    suffix = PurePosixPath(unquote(urlsplit(address).path)).suffix.lower()
    if suffix:
        return suffix in IMAGE_SUFFIXES
    from http.client import HTTPException

    try:
        with closing(_open(address)) as answer:
            return answer.headers.get_content_maintype() == "image"
    except (OSError, HTTPException):
        return False


def fetch_picture(address: str) -> bytes:
    """Return the bytes at an address.

    Raises:
        SwiftsegError: The server cannot be reached or refuses, there are more than `MAX_BYTES`, or
            they take more than `MOST_S` seconds.
    """
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError

    begin, parts, size = monotonic(), list[bytes](), 0
    try:
        with closing(_open(address)) as answer:
            while part := answer.read(_CHUNK):
                parts.append(part)
                size += len(part)
                if size > MAX_BYTES:
                    raise SwiftsegError(f"{address}: exceeds {MAX_BYTES / 1e6:g} MB")
                if monotonic() - begin > MOST_S:
                    raise SwiftsegError(f"{address}: takes more than {MOST_S:g} seconds")
            expected = answer.headers.get("Content-Length")
    except HTTPError as error:
        reason = f"{error.code} {error.reason}"
        error.close()
        raise SwiftsegError(f"{address}: the server answers {reason}") from error
    except (OSError, HTTPException) as error:
        reason = error.reason if isinstance(error, URLError) else error
        raise SwiftsegError(f"{address}: cannot be fetched ({reason})") from error
    if expected is not None and expected.isdigit() and size < int(expected):
        raise SwiftsegError(f"{address}: breaks off after {size} of {expected} bytes")
    return b"".join(parts)


def _open(address: str) -> "HTTPResponse":
    """Ask for an address; only http and https are spoken, wherever the server redirects to."""
    from urllib import request  # takes longer to import than a picture to label

    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler(),
        request.HTTPHandler(),
        request.HTTPSHandler(),
        request.HTTPRedirectHandler(),
        request.HTTPDefaultErrorHandler(),
        request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    # Some servers turn away whoever does not say what it is.
    headers = {"User-Agent": "swiftseg", "Accept": "image/*,*/*;q=0.5"}
    return opener.open(request.Request(address, headers=headers), timeout=PATIENCE_S)
