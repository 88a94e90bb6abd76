"""Where results are kept that can be computed again."""

import os
from pathlib import Path

from platformdirs import user_cache_path


def cache_folder() -> Path | None:
    """Return swiftseg's folder in the user's cache folder, made where it is missing.

    That is `$XDG_CACHE_HOME/swiftseg` or `~/.cache/swiftseg` on Linux, `~/Library/Caches/swiftseg`
    on macOS and below `%LOCALAPPDATA%` on Windows. None where there is no home folder, or a
    read-only one: then nothing is kept, and every result is computed anew.
    """
    try:
        folder = user_cache_path("swiftseg", appauthor=False)
    except RuntimeError:  # a user whom the system does not know, without HOME
        return None
    if not folder.is_absolute():  # nobody has told where the home folder is
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None
