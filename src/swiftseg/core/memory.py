"""How much memory is left for this process, and what says that none was."""

import errno
from collections.abc import Iterator
from pathlib import Path

from swiftseg.core.memory_limit import left_by_limit

NO_MEMORY = "not enough memory; a smaller picture, --threads 1 or a smaller model takes less"
# What native libraries say when the system gives them no more, by no exception of its own.
_OUT_OF_MEMORY = (
    *("Failed to allocate memory", "bad_alloc", "bad allocation", "start new thread"),
    *("out of memory", "codec configuration error"),  # Pillow's encoders
)
_GROUPS, _OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def ran_out(error: BaseException) -> bool:
    """Whether an error says that there was no memory left."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno == errno.ENOMEM
    told = str(error)
    return isinstance(error, MemoryError) or any(words in told for words in _OUT_OF_MEMORY)


def free_memory_bytes() -> int:
    """Return how much is left: the machine's, or less where a container or a user has a limit."""
    import psutil  # late: importing it takes as long as labeling a frame

    limits = (container_memory_bytes(), left_by_limit())
    return min([psutil.virtual_memory().available, *(left for left in limits if left is not None)])


def container_memory_bytes(groups: Path = _GROUPS, own: Path = _OWN) -> int | None:
    """Return what Linux's control groups leave this process, None where none has a limit.

    Both versions are read. Files in the page cache count as free, as they are dropped when needed.
    """
    left = [
        max(0, limit - used)
        for folder in _folders(groups, own)
        if (limit := _number(folder, "memory.max", "memory.limit_in_bytes")) is not None
        and (used := _used(folder)) is not None
    ]
    return min(left, default=None)


def _folders(groups: Path, own: Path) -> Iterator[Path]:
    """Yield the folders of this process's groups and of those around them.

    In a container only its own group may be mounted, as the topmost.
    """
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        root = groups / "memory" if controllers else groups
        folder = root / path.lstrip("/")
        yield from (parent for parent in (folder, *folder.parents) if parent.is_relative_to(root))


def _used(folder: Path) -> int | None:
    used = _number(folder, "memory.current", "memory.usage_in_bytes")
    return None if used is None else used - _cached(folder)


def _cached(folder: Path) -> int:
    """Return the bytes of a group that are files which nobody has read lately."""
    try:
        lines = (folder / "memory.stat").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    facts = dict(line.split(" ", 1) for line in lines)
    return int(facts.get("total_inactive_file", facts.get("inactive_file", 0)))


def _number(folder: Path, *names: str) -> int | None:
    """Read the first of some files that is there; None for `max`, which is no limit."""
    for name in names:
        try:
            text = (folder / name).read_text(encoding="utf-8").strip()
        except OSError:
            continue
        return int(text) if text.isdigit() else None
    return None
