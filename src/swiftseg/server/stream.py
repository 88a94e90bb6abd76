"""Frames over a WebSocket: answers in order, and the oldest waiting frame gives way."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from swiftseg.server.answers import Answer
from swiftseg.server.problems import ProblemError

TRY_AGAIN_LATER, GOING_AWAY = 1013, 1001


class _Latest:
    """A place for one frame; a newer one takes it from an older."""

    def __init__(self) -> None:
        self._frame: bytes | None = None
        self._number = -1
        self._arrived = asyncio.Event()
        self.dropped = 0

    def put(self, frame: bytes) -> bool:
        """Leave a frame; whether an older one gave way."""
        replaces = self._frame is not None
        self.dropped += replaces
        self._frame = frame
        self._number += 1
        self._arrived.set()
        return replaces

    async def take(self) -> tuple[int, bytes]:
        """Return the frame and its number, counted from 0."""
        await self._arrived.wait()
        self._arrived.clear()
        frame, self._frame = self._frame, None
        assert frame is not None
        return self._number, frame


async def answer_frames(
    socket: WebSocket,
    answer: Callable[[bytes], Awaitable[Answer]],
    *,
    silence_s: float,
    count_dropped: Callable[[], None],
) -> None:
    """Answer the frames of an accepted WebSocket until the client leaves.

    For each frame the client gets one text message, JSON with `frame` (its number from 0),
    `dropped` (frames so far that gave way) and `timings_ms`, and behind it one binary message, the
    answer. A frame without an answer has `problem` in its text, and no binary message follows.

    Args:
        socket: Accepted.
        answer: Makes one frame's answer or raises a ProblemError.
        silence_s: How long the client may send nothing.
        count_dropped: Called for each frame that gives way.
    """
    latest = _Latest()
    sender = asyncio.create_task(_send_answers(socket, latest, answer))
    receiver = asyncio.create_task(_receive(socket, latest, silence_s, count_dropped))
    await asyncio.wait({sender, receiver}, return_when=asyncio.FIRST_COMPLETED)
    for task in (sender, receiver):
        task.cancel()
        with suppress(asyncio.CancelledError, WebSocketDisconnect, TimeoutError):
            await task
    if socket.client_state == socket.application_state == WebSocketState.CONNECTED:
        await socket.close(GOING_AWAY, f"no frame for {silence_s:g} s")


async def _receive(
    socket: WebSocket, latest: _Latest, silence_s: float, count_dropped: Callable[[], None]
) -> None:
    while True:
        async with asyncio.timeout(silence_s):
            message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        # A text is no picture: it is answered as such.
        frame = message.get("bytes") or (message.get("text") or "").encode()
        if latest.put(frame):
            count_dropped()


async def _send_answers(
    socket: WebSocket, latest: _Latest, answer: Callable[[bytes], Awaitable[Answer]]
) -> None:
    while True:
        number, frame = await latest.take()
        about = {"frame": number, "dropped": latest.dropped}
        try:
            answered = await answer(frame)
        except ProblemError as problem:
            await socket.send_text(json.dumps({**about, "problem": problem.body()}))
            continue
        await socket.send_text(json.dumps({**about, "timings_ms": answered.timings_ms}))
        await socket.send_bytes(answered.content)
