"""How much memory is left for this process and its container, and what says that none was."""

import errno
import sys
from collections.abc import Iterator
from pathlib import Path

from swiftseg.core.errors import UsageError

NO_MEMORY = "not enough memory; a smaller picture, --threads 1 or a smaller model takes less"
# What native libraries say when the system gives them no more, by no exception of its own.
_OUT_OF_MEMORY = ("Failed to allocate memory", "bad_alloc", "bad allocation", "start new thread")
_GROUPS, _OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def ran_out(error: BaseException) -> bool:
    """Whether an error says that there was no memory left."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    told = str(error)
    return isinstance(error, MemoryError) or any(words in told for words in _OUT_OF_MEMORY)


def limit_memory(megabytes: int) -> None:
    """Let this process have no more memory than this; beyond it, it is as if none were left.

    Linux counts the memory that is written to. The pages of libraries, which it may drop and read
    again, come on top.

    Raises:
        UsageError: The system is not Linux, or the process already takes more.
    """
    if sys.platform != "linux":
        raise UsageError("--max-memory needs Linux; leave it out")
    import resource

    import psutil

    taken, limit = psutil.Process().memory_info().data, megabytes * 10**6
    if limit <= taken:
        raise UsageError(
            f"--max-memory {megabytes}: expected more than the {taken / 1e6:.0f} MB that swiftseg "
            "takes before it reads a model"
        )
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def free_memory_bytes() -> int:
    """Return how much memory is left: the machine's, or less where this process has a limit.

    Limits are a container's and that of `limit_memory`.
    """
    import psutil  # late: importing it takes as long as labeling a frame

    machine = psutil.virtual_memory().available
    limits = (container_memory_bytes(), _own_memory_bytes())
    return min(machine, *(left for left in limits if left is not None))


def _own_memory_bytes() -> int | None:
    """Return what the process's own limit leaves, None where there is none."""
    if sys.platform != "linux":
        return None
    import resource

    import psutil

    limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
    if limit == resource.RLIM_INFINITY:
        return None
    return max(0, limit - psutil.Process().memory_info().data)


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
