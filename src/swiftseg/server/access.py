"""Who may ask: an API key from the environment."""

import hmac
import os
from collections.abc import Mapping

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
