"""A connection to Ray: to a cluster that has an address, or to one started on this machine."""

import logging
import math
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from swiftseg.cluster.attempts import Attempts
from swiftseg.core import SwiftsegError, needs_extra
from swiftseg.core.errors import first_line, unexpected

ENGINES_SHARE = 0.75  # of the CPUs; the rest is for reading and writing beside the engines

Row = dict[str, Any]  # of Ray Data

_ERROR = "error"
_TASK_CPUS = 0.25
_PATIENCE_S = 5.0  # that a machine may take to answer at all
_HTTP2_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
_TRIES = 3  # of Ray to speak with a cluster, some seconds each
_IDLE_MS = 600_000  # that a process of a Ray on this machine waits for its next task
_CLIENT_PORT, _CLUSTER_PORT = 10001, 6379  # Ray's own


def import_ray() -> Any:
    """Return the module `ray`, which sends no usage statistics.

    Raises:
        MissingExtraError: It is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # read when Ray is imported
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else each start warns of it
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # a worker that dies is replaced
    # Ray ends a process that was idle for a second, and the next task starts one anew, which takes
    # a core as long as many frames do.
    os.environ.setdefault("RAY_idle_worker_killing_time_threshold_ms", str(_IDLE_MS))
    with needs_extra("Ray (--engine local goes without)", "cluster"):
        import ray
    return ray


@contextmanager
def ray_session(address: str | None) -> Generator[float]:
    """Connect to Ray for the block; yield how many CPUs the cluster has.

    A session that the program has opened before is used and left open. What is started here listens
    on the loopback interface alone.

    Args:
        address: `auto`, `ray://HOST:PORT` or `HOST:PORT`; None starts Ray on this machine.

    Raises:
        MissingExtraError: Ray is not installed.
        SwiftsegError: No cluster answers at the address.
    """
    if address is not None:
        check_answers(address)
        os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", str(_TRIES))  # read at Ray's import
    ray = import_ray()
    is_ours = not ray.is_initialized()
    if is_ours:
        _connect(ray, address)
    try:
        yield float(ray.cluster_resources().get("CPU", 1.0))
    finally:
        if is_ours:
            ray.shutdown()


def _connect(ray: Any, address: str | None) -> None:
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address is None:
        options |= {"include_dashboard": False, "_node_ip_address": "127.0.0.1"}
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        if address == "auto":  # what Ray would take, and try for two minutes where it has ended
            address = ray._private.services.get_ray_address_from_environment(address, None)
            check_answers(str(address))
        with _quiet_core():
            ray.init(address=address or "local", **options)
    except SwiftsegError:
        raise
    except Exception as error:  # Ray's own kind where a node starts too slowly
        reason = _reason(error)
        where = "start Ray on this machine" if address is None else f"connect to Ray at {address}"
        raise SwiftsegError(f"cannot {where}: {reason}") from error
    if threading.current_thread() is threading.main_thread():
        for number, handler in handlers.items():  # Ray's own would end the process at once
            signal.signal(number, handler)


def _reason(error: BaseException) -> str:
    """Return in one line why a cluster has refused; Ray chains and quotes its errors."""
    if "InvalidAuthToken" in str(error.__cause__):
        return "it asks for a token; set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN as on its nodes"
    return first_line(error)


@contextmanager
def _quiet_core() -> Generator[None]:
    """Keep from stderr that Ray's core was told to be quiet, which it says on stderr."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def check_answers(address: str) -> None:
    """Refuse an address where no gRPC server listens, before Ray tries for minutes.

    Raises:
        SwiftsegError: Nobody answers within some seconds.
    """
    if address in ("auto", "local"):
        return
    parts = urlsplit(address if "://" in address else f"//{address}")
    try:
        port = parts.port or (_CLIENT_PORT if parts.scheme else _CLUSTER_PORT)
        with socket.create_connection((parts.hostname or "", port), _PATIENCE_S) as connection:
            if os.environ.get("RAY_USE_TLS", "0") != "1":
                connection.sendall(_HTTP2_HELLO)
                if connection.recv(1) != b"\0":  # of the length of its settings
                    raise ConnectionError("what listens there is no Ray")
    except (OSError, ValueError) as error:
        raise SwiftsegError(
            f"no Ray cluster answers at {address} ({error}); `ray status` on its head "
            "tells whether it runs"
        ) from error


def is_client(address: str | None) -> bool:
    """Whether an address makes this process a client of the cluster, and none of its nodes."""
    return address is not None and address.startswith("ray://")


def engine_cpus(cpus: float, workers: int, threads: int) -> float:
    """Return how many CPUs an engine asks Ray for: less than it uses, and less than a node has.

    Ray hands out CPUs before it starts anything. On two cores, two engines of a whole CPU each
    would leave none for reading, and nothing would ever start.
    """
    return ENGINES_SHARE * min(threads, cpus / workers)


def engine_gpus(device: str, workers: int) -> float:
    """Return the share of a GPU that an engine asks Ray for, so that it starts where one is."""
    gpus = cluster_gpus()
    return 0.0 if device == "cpu" or not gpus else 1 / math.ceil(workers / gpus)


def cluster_gpus() -> float:
    """Return how many GPUs the cluster has that this process is connected to."""
    return float(import_ray().cluster_resources().get("GPU", 0.0))


def task_cpus(cpus: float) -> float:
    """Return how many CPUs a task of reading or writing asks for; one of each always fits."""
    return min(_TASK_CPUS, (1 - ENGINES_SHARE) * cpus / 2)


def start_attempts() -> Any:
    """Start the process that counts beginnings, see `Attempts`; `ray.kill` ends it."""
    options = {"num_cpus": 0, "max_restarts": -1, "max_task_retries": -1}
    return import_ray().remote(Attempts).options(**options).remote()


def set_up_data() -> None:
    """Make Ray Data keep each piece of work whole and say nothing."""
    from ray.data import DataContext

    context = DataContext.get_current()
    context.enable_progress_bars = False
    context.target_max_block_size = None
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # errors are raised too


def passing_errors(work: Callable[[Row], Row], row: Row) -> Row:
    """Return a stage's row; an error of ours becomes a row, which later stages pass on.

    Ray wraps what a stage raises in an error of its own, and may lose the cause on its way.
    """
    if _ERROR in row:
        return row
    try:
        return work(row)
    except SwiftsegError as error:
        return {_ERROR: str(error)}


def without_errors(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield rows. Raises SwiftsegError for one that `passing_errors` has made of an error."""
    for row in rows:
        if _ERROR in row:
            raise SwiftsegError(row[_ERROR])
        yield row


def own_error(error: BaseException) -> SwiftsegError:
    """Return the error that a worker has raised, or one that says that Ray has given up."""
    cause: BaseException | None = error
    found: SwiftsegError | None = None
    while cause is not None:
        if isinstance(cause, SwiftsegError):
            found = cause  # Ray's own around it is of this kind too, and its text a traceback
        cause = getattr(cause, "cause", None) or cause.__cause__
    if found is not None:
        return SwiftsegError(first_line(found))
    return SwiftsegError(f"Ray has given up: {unexpected(error)}")
