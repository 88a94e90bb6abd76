"""Serves a transport stream over RTSP (RFC 2326), its packets within the same connection."""

import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

TS_PACKET = 188
_PACKETS_AT_ONCE = 7  # as many as fit a network's frame
_MPEG_TS = 33  # RTP's payload type for transport streams, which needs no further description
_SDP = f"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP {_MPEG_TS}\r\n"


@contextmanager
def serving_rtsp(path: Path) -> Iterator[str]:
    """Yields the address of a camera that shows a .ts file once and is gone then."""
    packets = path.read_bytes()

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
            size = _PACKETS_AT_ONCE * TS_PACKET
            for number, start in enumerate(range(0, len(packets), size)):
                payload = packets[start : start + size]
                # Version 2, the type, the packet's number, a time, the source.
                rtp = bytes([0x80, _MPEG_TS]) + number.to_bytes(2, "big") + bytes(4) + b"cam1"
                packet = rtp + payload
                self.wfile.write(b"$\x00" + len(packet).to_bytes(2, "big") + packet)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"rtsp://127.0.0.1:{server.server_address[1]}/cam"
        finally:
            server.shutdown()
            thread.join()
