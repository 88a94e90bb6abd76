"""Connections that send nothing, or take nothing, are cut.

uvicorn waits without end for the first request of a connection, for the rest of a request's
headers, and for a client that does not read its answer.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle


class WatchedProtocol(asyncio.Protocol):
    """uvicorn's protocol with a watch beside it.

    Who is silent for `silence_s`, or takes no answer for as long, is closed; so are connections
    beyond `max_connections`.
    """

    def __init__(self, *, silence_s: float, max_connections: int, **uvicorn: Any) -> None:
        self._served = HttpToolsProtocol(**uvicorn)
        self._connections = uvicorn["server_state"].connections
        self._silence_s = silence_s
        self._max_connections = max_connections
        self._idle_watch: asyncio.TimerHandle | None = None
        self._write_watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._served.connection_made(self._transport)
        if len(self._connections) > self._max_connections:
            self._transport.abort()
            return
        self._watch_idle(None)

    def _watch_idle(self, last_cycle: object) -> None:
        self._idle_watch = asyncio.get_running_loop().call_later(
            self._silence_s, self._check_idle, last_cycle
        )

    def _check_idle(self, last_cycle: object) -> None:
        """Close where no request came since the last look and none is being answered."""
        if self._transport.get_protocol() is not self:  # a WebSocket has taken over
            return
        cycle = cast(RequestResponseCycle | None, self._served.cycle)
        is_idle = cycle is None or cycle.response_complete
        if is_idle and cycle is last_cycle:
            self._transport.close()
            return
        self._watch_idle(cycle if is_idle else None)

    def data_received(self, data: bytes) -> None:
        self._served.data_received(data)

    def eof_received(self) -> None:
        self._served.eof_received()

    def pause_writing(self) -> None:
        self._served.pause_writing()
        self._write_watch = asyncio.get_running_loop().call_later(
            self._silence_s, self._transport.abort
        )

    def resume_writing(self) -> None:
        self._served.resume_writing()
        self._cancel(self._write_watch)

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel(self._idle_watch)
        self._cancel(self._write_watch)
        self._served.connection_lost(exc)

    def _cancel(self, watch: asyncio.TimerHandle | None) -> None:
        if watch is not None:
            watch.cancel()
