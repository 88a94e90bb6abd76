"""Who may ask: an API key from the environment."""

import hmac
import os
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from swiftseg.core import UsageError
from swiftseg.server.problems import ProblemError

KEY_VARIABLE = "SWIFTSEG_API_KEY"


def key_from_environment() -> str | None:
    """Return the API key that the environment sets, or None.

    Raises:
        UsageError: The variable is set and empty.
    """
    key = os.environ.get(KEY_VARIABLE)
    if key is not None and not key.strip():
        raise UsageError(f"{KEY_VARIABLE} is empty; set a key, or unset it to serve without one")
    return key


def checked_origins(origins: Sequence[str]) -> tuple[str, ...]:
    """Return other origins whose pages may ask, as browsers write them; `*` is every one.

    Raises:
        UsageError: One is no origin.
    """
    for origin in origins:
        parts = urlsplit(origin)
        if origin != "*" and origin != f"{parts.scheme}://{parts.netloc}".lower():
            raise UsageError(
                f"expected an origin for --cors-origin, such as https://example.org, got {origin}"
            )
    return tuple(origins)


def check_key(key: str | None, headers: Mapping[str, str]) -> None:
    """Raise a ProblemError if a key is needed and the request's is missing or wrong."""
    if key is None:
        return
    scheme, _, token = headers.get("authorization", "").partition(" ")
    given = headers.get("x-api-key") or (token.strip() if scheme.lower() == "bearer" else "")
    # In constant time, so that the time tells nothing of the key. Headers come as Latin-1.
    if not hmac.compare_digest(given.encode("latin-1"), key.encode()):
        raise ProblemError(
            401,
            "the API key is missing or wrong; send `Authorization: Bearer KEY` or `X-API-Key: KEY`",
            {"WWW-Authenticate": "Bearer"},
        )


def check_origin(headers: Mapping[str, str], allowed: Sequence[str]) -> None:
    """Raise a ProblemError if a page of another origin asks that is not allowed to.

    Browsers hold HTTP requests to this by themselves, and WebSockets not.
    """
    origin = headers.get("origin")
    if origin is None or origin in allowed or "*" in allowed:
        return
    if urlsplit(origin).netloc == headers.get("host"):
        return
    raise ProblemError(403, f"pages of {origin} may not ask; allow them with --cors-origin")
