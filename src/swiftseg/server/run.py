"""From model names to a server that listens, in one process or several."""

import logging
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE
from uvicorn.logging import DefaultFormatter
from uvicorn.supervisors import Multiprocess

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.core.errors import unexpected
from swiftseg.inference import Segmenter, find_model
from swiftseg.runtimes import read_spec
from swiftseg.runtimes.cores import physical_cores
from swiftseg.server.app import create_app
from swiftseg.server.connections import WatchedProtocol
from swiftseg.server.limits import Limits
from swiftseg.server.metrics import SHARED_FOLDER, forget_dead_processes
from swiftseg.web import built_page

# A process answers the first time when it has imported its modules. One that is killed before, on
# a busy or slow machine, is killed again and again.
_IMPORTS_S = 30


@dataclass(frozen=True)
class Served:
    """What every process of the server is made from.

    Attributes:
        models: As `find_model` takes them, the default first.
        threads: For one picture.
        cors_origins: Other origins whose pages may ask.
    """

    models: tuple[str, ...]
    backend: str | None
    precision: str
    threads: int
    processes: int
    limits: Limits
    key: str | None
    cors_origins: tuple[str, ...]
    device: str | None = None

    def app(
        self, failed: Callable[[Exception], None], *, answers_while_loading: bool = False
    ) -> FastAPI:
        """Return the application; see `create_app`."""
        workers = max(1, physical_cores() // (self.threads * self.processes))
        return create_app(
            self.load_segmenters,
            failed=failed,
            limits=self.limits,
            workers=workers,
            answers_while_loading=answers_while_loading,
            key=self.key,
            cors_origins=self.cors_origins,
            page=built_page(),
        )

    def load_segmenters(self) -> dict[str, Segmenter]:
        """Load the models; return them by the names their files give.

        Raises:
            UsageError: A name is unknown, or two files have the same.
            SwiftsegError: A file cannot be run.
        """
        segmenters: dict[str, Segmenter] = {}
        for model in self.models:
            segmenter = Segmenter.load(
                model,
                backend=self.backend,
                precision=self.precision,
                threads=self.threads,
                device=self.device,
            )
            name = segmenter.spec.name
            if not segmenter.spec.input.is_rgb:
                raise UsageError(
                    f"{model}: the server takes 8-bit RGB, and this model "
                    f"{segmenter.spec.input.described}; label files with swiftseg predict"
                )
            if name in segmenters:
                raise UsageError(
                    f"two models have the name {name!r}; export one with another --name"
                )
            segmenters[name] = segmenter
        return segmenters


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address.

    Raises:
        SwiftsegError: The port is in use or may not be taken, or there is no such address.
    """
    try:
        [(family, _, _, _, address), *_] = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise SwiftsegError(f"cannot listen at {host}: {error.strerror}") from error
    try:
        if os.name == "posix":  # elsewhere it would share the port with whoever has it
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise SwiftsegError(
            f"cannot listen at {host}, port {port}: {error.strerror}; choose another --port"
        ) from error
    listener.set_inheritable(True)
    return listener


def address_of(host: str, listener: socket.socket) -> str:
    """Return the address to open, such as `http://[::1]:8000`."""
    named = f"[{host}]" if ":" in host else host
    return f"http://{named}:{listener.getsockname()[1]}"


def run_server(served: Served, listener: socket.socket) -> None:
    """Serve until SIGTERM or Ctrl-C; requests that have been accepted are answered first.

    Raises:
        SwiftsegError: A model cannot be loaded.
    """
    # Before the server runs; and uvicorn raises the signal again when all is answered.
    signal.signal(signal.SIGTERM, _exit)
    for model in served.models:
        exported = find_model(model).exported
        if exported is not None:
            read_spec(exported)  # an error in one line, before anything starts
    if served.processes == 1:
        _run_one_process(served, listener)
        return
    with tempfile.TemporaryDirectory(prefix="swiftseg-metrics-") as folder:
        os.environ[SHARED_FOLDER] = folder
        config = server_config(served, partial(_app_of_process, served))
        supervisor = Multiprocess(config, sockets=[listener])
        supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        sys.exit(1)  # the process has said why


def _run_one_process(served: Served, listener: socket.socket) -> None:
    failures: list[Exception] = []

    def failed(error: Exception) -> None:
        failures.append(error)
        server.should_exit = True

    app = served.app(failed, answers_while_loading=True)
    server = uvicorn.Server(server_config(served, app))
    server.run(sockets=[listener])
    if failures:
        raise failures[0]


def server_config(served: Served, app: Any) -> uvicorn.Config:
    """Return how uvicorn serves an application."""
    _log_to_stderr()
    limits = served.limits
    return uvicorn.Config(
        app,
        factory=served.processes > 1,
        workers=served.processes,
        http=partial(  # pyright: ignore[reportArgumentType]  # called with keywords, as a class is
            WatchedProtocol, silence_s=limits.silence_s, max_connections=limits.max_connections
        ),
        ws_max_size=limits.max_body_bytes,
        ws_per_message_deflate=False,  # pictures are compressed already
        timeout_graceful_shutdown=limits.drain_s,
        timeout_worker_healthcheck=_IMPORTS_S,
        lifespan="on",
        log_config=None,  # uvicorn's own closes the handlers of all other libraries
        log_level="info" if served.processes > 1 else "warning",  # who died and was replaced
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )


def _log_to_stderr() -> None:
    """Show what uvicorn logs on stderr, as it does by itself."""
    handler = logging.StreamHandler()
    handler.setFormatter(DefaultFormatter("%(levelprefix)s %(message)s"))
    logging.getLogger("uvicorn").handlers[:] = [handler]
    logging.getLogger("uvicorn").propagate = False


def _app_of_process(served: Served) -> FastAPI:
    _log_to_stderr()
    forget_dead_processes(Path(os.environ[SHARED_FOLDER]))
    # It listens when it is ready: until then, the other processes take the requests.
    return served.app(_end_process)


def _end_process(error: Exception) -> None:
    said = str(error) if isinstance(error, SwiftsegError) else f"unexpected {unexpected(error)}"
    sys.stderr.write(f"error: {said}\n")
    sys.stderr.flush()
    os._exit(STARTUP_FAILURE)  # the others end, too; it would fail again


def _exit(number: int, frame: object) -> None:
    del number, frame
    sys.exit(0)
