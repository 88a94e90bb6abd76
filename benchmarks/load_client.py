"""A client that costs little: requests that are made once, over plain asyncio connections.

It shares the cores with the server it measures, so it parses no more of an answer than its status
and length.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter


@dataclass
class Load:
    """What a number of requests gave.

    Attributes:
        statuses: Answers by status; 0 counts connections that broke.
        latencies_ms: Of the answers with status 200.
        seconds: From the first request to the last answer.
        asked_again: Requests whose connection was closed and that another one took.
        different: Answers with status 200 whose body is not the expected one.
    """

    statuses: Counter[int] = field(default_factory=Counter[int])
    latencies_ms: list[float] = field(default_factory=list[float])
    seconds: float = 0.0
    asked_again: int = 0
    different: int = 0

    def per_second(self) -> float:
        """Answers with status 200 a second."""
        return self.statuses[200] / self.seconds

    def add(self, other: "Load") -> None:
        """Count another load's requests as this one's."""
        self.statuses += other.statuses
        self.latencies_ms += other.latencies_ms
        self.seconds += other.seconds
        self.asked_again += other.asked_again
        self.different += other.different


def request_bytes(body: bytes, content_type: str = "image/jpeg") -> bytes:
    """Makes a POST of a picture that asks for its label map."""
    head = f"POST /v1/segment HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Connection:
    """One connection that is opened again where the server closes it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.asked_again = 0
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Sends a request; gives the status and the body, status 0 where the connection broke.

        One that breaks after it has been idle is opened again, as every client does: servers close
        idle connections.
        """
        was_open = self._streams is not None
        status, body = await self._ask(request)
        if not was_open or status != 0:
            return status, body
        self.asked_again += 1
        return await self._ask(request)

    async def _ask(self, request: bytes) -> tuple[int, bytes]:
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._streams
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            fields = head.lower().split(b"content-length:")
            body = await reader.readexactly(int(fields[1].split(b"\r\n")[0]))
            if b"connection: close" in head.lower():
                self.close()
            return int(head.split(b" ", 2)[1]), body
        except (OSError, asyncio.IncompleteReadError, IndexError):
            self.close()
            return 0, b""

    def close(self) -> None:
        """Closes it."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def closed_loop(
    port: int, requests: Sequence[bytes], *, connections: int, seconds: float
) -> Load:
    """Keeps so many requests under way; each connection sends its next one at once."""
    load = Load()
    begin = perf_counter()

    async def one(number: int) -> None:
        connection = Connection(port)
        turn = number
        while perf_counter() - begin < seconds:
            await _ask(connection, requests[turn % len(requests)], load, None)
            turn += 1
        connection.close()

    await asyncio.gather(*(one(number) for number in range(connections)))
    load.seconds = perf_counter() - begin
    return load


async def open_loop(
    port: int,
    requests: Sequence[bytes],
    *,
    rate: float,
    count: int,
    connections: int,
    expected: Sequence[bytes] = (),
) -> Load:
    """Sends requests at a fixed rate, whether or not the ones before are answered.

    A request that finds no free connection waits for one, and its wait counts as latency. Of
    `expected`, where given, each request has one body.
    """
    load = Load()
    free: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
    for _ in range(connections):
        free.put_nowait(Connection(port))
    begin = perf_counter()

    async def one(number: int) -> None:
        due = begin + number / rate
        connection = await free.get()
        turn = number % len(requests)
        await _ask(connection, requests[turn], load, expected[turn] if expected else None, due)
        free.put_nowait(connection)

    running: set[asyncio.Task[None]] = set()
    for number in range(count):
        pause = begin + number / rate - perf_counter()
        if pause > 0:
            await asyncio.sleep(pause)
        task = asyncio.create_task(one(number))
        running.add(task)
        task.add_done_callback(running.discard)
    await asyncio.gather(*running)
    load.seconds = perf_counter() - begin
    while not free.empty():
        connection = free.get_nowait()
        connection.close()
        load.asked_again += connection.asked_again
    return load


async def _ask(
    connection: Connection,
    request: bytes,
    load: Load,
    expected: bytes | None,
    due: float | None = None,
) -> None:
    begin = due if due is not None else perf_counter()
    status, body = await connection.ask(request)
    load.statuses[status] += 1
    if status == 200:
        load.latencies_ms.append(1000 * (perf_counter() - begin))
        load.different += expected is not None and body != expected
