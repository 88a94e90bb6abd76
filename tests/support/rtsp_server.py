"""Serves a transport stream over RTSP (RFC 2326), its packets within the same connection.

As a process of its own, which a test may kill and start again, it goes on for ever:

    python -m tests.support.rtsp_server FILE.ts PORT
"""

import socketserver
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from threading import Event, Thread

TS_PACKET = 188
_PACKETS_AT_ONCE = 7  # as many as fit a network's frame
_MPEG_TS = 33  # RTP's payload type for transport streams, which needs no further description
_SDP = f"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP {_MPEG_TS}\r\n"


_PAUSE_S = 0.02  # between packets, of one that goes on for ever


def handler_of(packets: bytes, *, forever: bool) -> type[socketserver.StreamRequestHandler]:
    """What answers a client, and shows it the packets once or for ever."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while line := self.rfile.readline().decode():
                headers: dict[str, str] = {}
                while header := self.rfile.readline().decode().strip():
                    name, _, value = header.partition(":")
                    headers[name.lower()] = value.strip()
                method = line.split()[0]
                self.answer(method, headers["cseq"])
                if method == "PLAY":
                    self.play()
                    return

        def answer(self, method: str, sequence: str) -> None:
            body = _SDP if method == "DESCRIBE" else ""
            extra = {
                "OPTIONS": "Public: OPTIONS, DESCRIBE, SETUP, PLAY\r\n",
                "DESCRIBE": "Content-Type: application/sdp\r\n",
                "SETUP": "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n",
            }.get(method, "")
            self.wfile.write(
                f"RTSP/1.0 200 OK\r\nCSeq: {sequence}\r\nSession: 1\r\n{extra}"
                f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
            )

        def play(self) -> None:
            numbers = count()
            self.play_once(numbers)
            while forever:
                self.play_once(numbers)

        def play_once(self, numbers: Iterator[int]) -> None:
            size = _PACKETS_AT_ONCE * TS_PACKET
            for start in range(0, len(packets), size):
                payload = packets[start : start + size]
                number = next(numbers) % 2**16
                # Version 2, the type, the packet's number, a time, the source.
                rtp = bytes([0x80, _MPEG_TS]) + number.to_bytes(2, "big") + bytes(4) + b"cam1"
                packet = rtp + payload
                self.wfile.write(b"$\x00" + len(packet).to_bytes(2, "big") + packet)
                if forever:
                    Event().wait(_PAUSE_S)

    return Handler


@contextmanager
def serving_rtsp(path: Path) -> Iterator[str]:
    """Yields the address of a camera that shows a .ts file once and is gone then."""
    handler = handler_of(path.read_bytes(), forever=False)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"rtsp://127.0.0.1:{server.server_address[1]}/cam"
        finally:
            server.shutdown()
            thread.join()


def start_rtsp_process(path: Path, port: int = 0) -> tuple[subprocess.Popen[str], int]:
    """Starts the server as a process; gives it and its port, once it listens there."""
    command = [sys.executable, "-m", "tests.support.rtsp_server", str(path), str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def main(path: str, port: str) -> None:
    handler = handler_of(Path(path).read_bytes(), forever=True)
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", int(port)), handler) as server:
        sys.stdout.write(f"{server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
