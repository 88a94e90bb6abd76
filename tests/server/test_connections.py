"""Connections that say nothing, too little, or take nothing."""

import io
import socket
import threading

import httpx
from PIL import Image

from swiftseg.inference import Segmenter
from swiftseg.server.limits import Limits
from tests.support.served import connect, serving

IMPATIENT = Limits(silence_s=0.3, body_timeout_s=0.3)


def _rest(connection: socket.socket) -> bytes:
    """Everything until the server closes; its patience ends the wait."""
    received = b""
    try:
        while data := connection.recv(65536):
            received += data
    except ConnectionResetError:
        pass
    return received


def _read_until(connection: socket.socket, expected: bytes) -> None:
    """Read an answer, which may come in several pieces, to its last words."""
    received = b""
    while expected not in received:
        data = connection.recv(65536)
        assert data, received
        received += data


def test_200_silent_connections_are_cut_and_do_not_bother_others(
    segmenter: Segmenter, picture: bytes
) -> None:
    with serving(segmenter, limits=IMPATIENT) as address:
        silent = [connect(address) for _ in range(200)]
        assert httpx.post(f"{address}/v1/segment", content=picture).status_code == 200
        assert [_rest(connection) for connection in silent] == [b""] * 200
        for connection in silent:
            connection.close()
        assert httpx.get(f"{address}/healthz").status_code == 200


def test_half_a_header_and_half_a_body(segmenter: Segmenter) -> None:
    head = b"POST /v1/segment HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
    with serving(segmenter, limits=IMPATIENT) as address:
        with connect(address) as half_a_header, connect(address) as half_a_body:
            half_a_header.sendall(head)
            half_a_body.sendall(head + b"\r\n" + bytes(500))
            assert _rest(half_a_header) == b""
            assert b"408 Request Timeout" in _rest(half_a_body)
        with connect(address) as gone:
            gone.sendall(head + b"\r\n" + bytes(500))
        assert httpx.get(f"{address}/healthz").status_code == 200


def test_a_second_request_on_a_connection_has_to_come_in_time(segmenter: Segmenter) -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    with serving(segmenter, limits=IMPATIENT) as address, connect(address) as connection:
        connection.sendall(request)
        _read_until(connection, b"alive")
        connection.sendall(request[:20])
        assert _rest(connection) == b""


def test_a_client_that_does_not_read_is_cut(segmenter: Segmenter) -> None:
    file = io.BytesIO()
    Image.new("RGB", (2000, 2000)).save(file, format="PNG")  # 24 MB as probabilities
    head = b"POST /v1/segment?as=probs HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
    request = head % len(file.getvalue()) + file.getvalue()
    with serving(segmenter, limits=IMPATIENT) as address, connect(address) as connection:
        connection.sendall(request)
        assert _is_cut(connection)
        assert httpx.get(f"{address}/healthz").status_code == 200


def _is_cut(connection: socket.socket) -> bool:
    """Whether the other side closes within 30 s; what it has sent stays unread."""
    pause = threading.Event()
    for _ in range(300):
        try:
            connection.send(b" ")
        except OSError:
            return True
        pause.wait(0.1)
    return False


def test_connections_beyond_the_limit_are_closed(segmenter: Segmenter) -> None:
    with serving(segmenter, limits=Limits(max_connections=2)) as address:
        held = [connect(address) for _ in range(2)]
        for connection in held:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            _read_until(connection, b"alive")
        with connect(address) as third:
            assert _rest(third) == b""
        for connection in held:
            connection.close()
