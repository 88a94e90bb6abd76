"""An S3 server on loopback, and a proxy before it that throttles, fails and hangs up."""

import http.client
import os
import random
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread

BUCKET = "drives"
LOCKED = "locked"  # a bucket that answers everybody with 403

_LENGTHS = ("content-length", "transfer-encoding", "connection", "expect")
_ERROR = "<Error><Code>{}</Code><Message>{}</Message></Error>"


def moto_server() -> str | None:
    """The program of moto, beside this Python or on the path."""
    beside = Path(sys.executable).parent / "moto_server"
    return str(beside) if beside.exists() else shutil.which("moto_server")


@dataclass
class Store:
    """A running store.

    Attributes:
        url: Where clients connect to.
        trouble: The share of requests that are answered badly, 0..1.
        troubled: How many were.
    """

    url: str
    trouble: float = 0.0
    troubled: int = 0
    rng: random.Random = field(default_factory=lambda: random.Random(0))
    lock: Lock = field(default_factory=Lock)

    @property
    def environment(self) -> Mapping[str, str]:
        """What clients are told by."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def fate(self) -> str:
        """What becomes of the next request."""
        with self.lock:
            if self.rng.random() >= self.trouble:
                return "answered"
            self.troubled += 1
            return self.rng.choice(["throttled", "failed", "cut"])


@contextmanager
def object_store() -> Iterator[Store]:
    """Starts moto's server and the proxy; the bucket is there."""
    program = moto_server()
    assert program is not None
    port = _free_port()
    with subprocess.Popen(
        [program, "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": ""},
    ) as process:
        store = Store("")
        proxy = ThreadingHTTPServer(("127.0.0.1", 0), _handler(port, store))
        store.url = f"http://127.0.0.1:{proxy.server_port}"
        thread = Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01})
        try:
            _wait_for_port(port)
            thread.start()
            request = urllib.request.Request(f"{store.url}/{BUCKET}", method="PUT")
            urllib.request.urlopen(request).close()
            yield store
        finally:
            if thread.ident is not None:
                proxy.shutdown()
                thread.join()
            proxy.server_close()
            process.kill()


def _handler(port: int, store: Store) -> type[BaseHTTPRequestHandler]:
    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            body = self.body()
            fate = store.fate()
            if self.path.startswith(f"/{LOCKED}"):
                self.answer(403, [], _ERROR.format("AccessDenied", "Access Denied").encode())
            elif fate == "throttled":
                self.answer(503, [], _ERROR.format("SlowDown", "Reduce your rate").encode())
            elif fate == "failed":
                self.answer(500, [], _ERROR.format("InternalError", "Try again").encode())
            elif fate == "cut":
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
            else:
                upstream = http.client.HTTPConnection("127.0.0.1", port)
                headers = {k: v for k, v in self.headers.items() if k.lower() not in _LENGTHS}
                upstream.request(self.command, self.path, body, headers)
                response = upstream.getresponse()
                self.answer(response.status, response.getheaders(), response.read())
                upstream.close()

        def body(self) -> bytes:
            if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            chunks = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass  # trailers
            return b"".join(chunks)

        def answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in _LENGTHS or (
                    self.command == "HEAD" and name.lower() == "content-length"
                ):
                    self.send_header(name, value)
            if self.command != "HEAD":
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = forward  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            """Says nothing."""

    return Proxy


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for_port(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("moto's server has not started")
