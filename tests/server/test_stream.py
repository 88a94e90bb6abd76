"""Frames over a WebSocket."""

import json

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from swiftseg.inference import Segmenter
from swiftseg.server.limits import Limits
from tests.support.served import GatedSegmenter, serving


def _stream(address: str, query: str = "") -> ClientConnection:
    return connect(f"{address.replace('http', 'ws')}/v1/stream{query}")


def test_frames_are_answered_in_order(client: httpx.Client, address: str, picture: bytes) -> None:
    labels = client.post("/v1/segment", content=picture).content
    with _stream(address) as stream:
        for number in range(3):
            stream.send(picture)
            about = json.loads(stream.recv())
            assert (about["frame"], about["dropped"]) == (number, 0)
            assert about["timings_ms"]["network"] > 0
            assert stream.recv() == labels


def test_a_bad_frame_costs_itself_alone(address: str, picture: bytes) -> None:
    with _stream(address, "?as=json") as stream:
        stream.send(b"rubbish")
        assert json.loads(stream.recv())["problem"]["status"] == 415
        stream.send("a text")
        assert json.loads(stream.recv())["problem"]["status"] == 415
        stream.send(picture)
        assert json.loads(stream.recv())["frame"] == 2
        assert json.loads(stream.recv())["model"] == "shades"


def test_the_oldest_waiting_frame_gives_way(segmenter: Segmenter, picture: bytes) -> None:
    gated = GatedSegmenter(segmenter)
    with serving(gated) as address, _stream(address) as stream:
        stream.send(picture)
        gated.entered.acquire()
        for _ in range(5):
            stream.send(picture)
        stream.ping().wait(30)  # answered behind the frames
        gated.gate.set()
        assert json.loads(stream.recv())["frame"] == 0
        stream.recv()
        last = json.loads(stream.recv())
        assert (last["frame"], last["dropped"]) == (5, 4)
        stream.recv()
        assert "swiftseg_stream_dropped_total 4.0" in httpx.get(f"{address}/metrics").text


def test_silent_and_superfluous_streams_are_closed(segmenter: Segmenter, picture: bytes) -> None:
    limits = Limits(max_streams=1, stream_silence_s=0.5)
    with serving(segmenter, limits=limits) as address:
        with _stream(address) as first, _stream(address) as second:
            with pytest.raises(ConnectionClosed, match="too many streams"):
                second.recv(timeout=30)
            with pytest.raises(ConnectionClosed, match="no frame for"):
                first.recv(timeout=30)
        with _stream(address) as third:
            third.send(picture)
            assert json.loads(third.recv())["frame"] == 0
