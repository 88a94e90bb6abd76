"""The page, built from the repository's `web/` folder when the package is."""

from pathlib import Path


def built_page() -> Path | None:
    """Return the folder of the built page, or None where the package was built without it."""
    folder = Path(__file__).parent / "page"
    return folder if (folder / "index.html").is_file() else None
