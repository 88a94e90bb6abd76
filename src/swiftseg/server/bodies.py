"""Request bodies, received within their limits, and the pictures in them.

A body is kept in memory: nothing a client sends is written to a disk, and names it sends are never
opened.
"""

import asyncio
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from swiftseg.server.limits import Limits
from swiftseg.server.problems import ProblemError

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_MAX_PART_HEADER_BYTES = 4096


@dataclass
class Picture:
    """One picture of a body, still encoded.

    Attributes:
        name: What errors and answers call it; the client's file name is only repeated.
    """

    name: str
    data: bytes


class Receiver:
    """Receives bodies, and counts the bytes of all that are on their way."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held_bytes = 0
        self.receiving = 0

    async def receive(self, request: Request) -> list[Picture]:
        """Receive the pictures of a request: its raw body, or the files of a multipart one.

        Raises:
            ProblemError: The body is too large, too slow, empty, or no valid multipart body.
            ClientDisconnect: The client went away.
        """
        self._check_promise(request.headers)
        chunks: list[bytes] = []
        self.receiving += 1
        try:
            async with asyncio.timeout(self._limits.body_timeout_s):
                await self._collect(request, chunks)
        except TimeoutError as error:
            limit_s = self._limits.body_timeout_s
            detail = f"the body did not arrive within {limit_s:g} s; send it faster"
            raise ProblemError(408, detail, {"Connection": "close"}) from error
        finally:
            self.receiving -= 1
            self._held_bytes -= sum(map(len, chunks))
        return _pictures(request.headers.get("content-type", ""), b"".join(chunks))

    def _check_promise(self, headers: Mapping[str, str]) -> None:
        promised = headers.get("content-length", "")
        if promised.isdecimal():
            self._check_size(int(promised))

    def _check_size(self, size: int) -> None:
        limit = self._limits.max_body_bytes
        if size > limit:
            raise ProblemError(413, f"the body exceeds {limit / 1e6:g} MB; send a smaller one")

    async def _collect(self, request: Request, chunks: list[bytes]) -> None:
        size = 0
        async for chunk in request.stream():
            chunks.append(chunk)
            size += len(chunk)
            self._held_bytes += len(chunk)
            self._check_size(size)
            if self._held_bytes > self._limits.max_bodies_bytes:
                detail = "the server receives too much at once; send the request again"
                raise ProblemError(503, detail, {"Retry-After": "1"})


async def until_gone(request: Request) -> None:
    """Return when the client has gone away; its body has been received."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _pictures(content_type: str, body: bytes) -> list[Picture]:
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data":
        if not body:
            raise ProblemError(422, "the body is empty (0 bytes); send a picture")
        return [Picture("the picture", body)]
    if b"boundary" not in options:
        raise ProblemError(400, "the multipart body names no boundary in Content-Type")
    pictures = _files(options[b"boundary"], body)
    if not pictures:
        raise ProblemError(422, "the multipart body holds no file; send the picture as a file part")
    return pictures


@dataclass
class _Parts:
    """What a multipart parser reports, put together as pictures."""

    pictures: list[Picture] = field(default_factory=list[Picture])
    headers: MutableMapping[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    name: bytes = b""
    value: bytes = b""
    data: list[bytes] = field(default_factory=list[bytes])

    def begin(self) -> None:
        self.headers, self.data = {}, []
        self.name = self.value = b""

    def add_name(self, data: bytes, start: int, end: int) -> None:
        self.name += data[start:end]

    def add_value(self, data: bytes, start: int, end: int) -> None:
        self.value += data[start:end]

    def end_header(self) -> None:
        self.headers[self.name.lower()] = self.value
        self.name = self.value = b""

    def add_data(self, data: bytes, start: int, end: int) -> None:
        self.data.append(data[start:end])

    def end(self) -> None:
        _, options = parse_options_header(self.headers.get(b"content-disposition", b""))
        if b"filename" in options:
            name = options[b"filename"].decode("utf-8", "replace")
            self.pictures.append(Picture(name or "the picture", b"".join(self.data)))


def _files(boundary: bytes, body: bytes) -> list[Picture]:
    parts = _Parts()
    is_whole: list[bool] = []
    callbacks: MultipartCallbacks = {
        "on_part_begin": parts.begin,
        "on_header_field": parts.add_name,
        "on_header_value": parts.add_value,
        "on_header_end": parts.end_header,
        "on_part_data": parts.add_data,
        "on_part_end": parts.end,
        "on_end": lambda: is_whole.append(True),
    }
    try:
        parser = MultipartParser(boundary, callbacks, max_header_size=_MAX_PART_HEADER_BYTES)
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise ProblemError(400, f"the multipart body is damaged: {error}") from error
    if not is_whole:
        raise ProblemError(400, "the multipart body ends before its last boundary; send all of it")
    return parts.pictures


__all__ = ["ClientDisconnect", "Picture", "Receiver", "until_gone"]
