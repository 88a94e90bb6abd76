"""Which packages are installed."""

from importlib.metadata import PackageNotFoundError, version


def installed_version(package: str) -> str | None:
    """Return a distribution's version; None where none has that name."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
