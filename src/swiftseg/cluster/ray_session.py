"""A connection to Ray: to a cluster that has an address, or to one started on this machine."""

import logging
import os
import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from swiftseg.core import MissingExtraError, SwiftsegError

_PATIENCE_S = 5.0
_CLIENT_PORT, _CLUSTER_PORT = 10001, 6379  # Ray's own


def import_ray() -> Any:
    """Return the module `ray`, which sends no usage statistics.

    Raises:
        MissingExtraError: It is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # read when Ray is imported
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else each start warns of it
    try:
        import ray
    except ModuleNotFoundError as error:
        raise MissingExtraError("Ray (--engine local goes without)", "cluster") from error
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
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        if address is None:
            ray.init(include_dashboard=False, _node_ip_address="127.0.0.1", **quiet)
        else:
            check_answers(address)
            ray.init(address=address, **quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        where = "start Ray on this machine" if address is None else f"connect to Ray at {address}"
        raise SwiftsegError(f"cannot {where}: {reason}") from error
    for number, handler in handlers.items():  # Ray's own would end the process at once
        signal.signal(number, handler)


def check_answers(address: str) -> None:
    """Refuse an address where nobody listens, before Ray tries for minutes.

    Raises:
        SwiftsegError: Nobody answers within some seconds.
    """
    if address in ("auto", "local"):
        return
    parts = urlsplit(address if "://" in address else f"//{address}")
    try:
        port = parts.port or (_CLIENT_PORT if parts.scheme else _CLUSTER_PORT)
        socket.create_connection((parts.hostname or "", port), timeout=_PATIENCE_S).close()
    except (OSError, ValueError) as error:
        raise SwiftsegError(
            f"no Ray cluster answers at {address} ({error}); `ray status` on its head "
            "tells whether it runs"
        ) from error
