"""A real server on a loopback port, in a thread of this process."""

import re
import socket
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import uvicorn

from swiftseg.core import ModelSpec
from swiftseg.inference import Segmentation, Segmenter
from swiftseg.server.app import create_app
from swiftseg.server.limits import Limits
from swiftseg.server.run import Served, listen, server_config


@contextmanager
def serving(
    *segmenters: Any,
    load: Callable[[], dict[str, Any]] | None = None,
    limits: Limits | None = None,
    workers: int = 2,
    **options: Any,
) -> Iterator[str]:
    """Yields the address of a server of these segmenters; its end waits for all requests.

    With `load`, which returns them, it is yielded before they are loaded.
    """
    limits = limits or Limits()
    named = {segmenter.spec.name: segmenter for segmenter in segmenters}
    app = create_app(
        load or (lambda: named),
        failed=_raised,
        limits=limits,
        workers=workers,
        answers_while_loading=load is not None,
        **options,
    )
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    served = Served((), None, "f32", 1, 1, limits, None, ())
    server = uvicorn.Server(server_config(served, app))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def _raised(error: Exception) -> None:
    raise error


@contextmanager
def serving_process(model: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Yields a `swiftseg serve` of its own and its address."""
    command = [sys.executable, "-m", "swiftseg", "serve", str(model), "--port", "0", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            address = re.match(r"http://\S+", line)
            assert address is not None, process.stderr.read()
            until_ready(address[0])
            yield process, address[0]
        finally:
            process.terminate()
            process.wait(60)


def until_ready(address: str) -> None:
    """Waits until a server's models are warmed."""
    pause = threading.Event()
    for _ in range(600):
        with suppress(httpx.TransportError):
            if httpx.get(f"{address}/readyz", timeout=60).status_code == 200:
                return
        pause.wait(0.1)
    pytest.fail("the server did not become ready within a minute")


@dataclass
class GatedSegmenter:
    """A segmenter that waits in each call until its gate is open."""

    segmenter: Segmenter
    gate: threading.Event = field(default_factory=threading.Event)
    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    @property
    def spec(self) -> ModelSpec:
        return self.segmenter.spec

    def __call__(self, image: np.ndarray) -> Segmentation:
        if image.any():  # the server warms models up with a black frame
            self.entered.release()
            assert self.gate.wait(60)
        return self.segmenter(image)


def connect(address: str) -> socket.socket:
    """Opens a bare connection."""
    host, _, port = address.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=60)


def huge_png(path: Path | None = None, side: int = 30_000) -> bytes:
    """Makes a small PNG file whose header promises side x side pixels."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )
    if path is not None:
        path.write_bytes(data)
    return data
