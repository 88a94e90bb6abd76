"""The API key and pages of other origins."""

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from swiftseg.core import UsageError
from swiftseg.inference import Segmenter
from swiftseg.server.access import KEY_VARIABLE, checked_origins, key_from_environment
from tests.support.served import serving

KEY = "geheim-ß"


def test_a_key_is_asked_for(segmenter: Segmenter, picture: bytes) -> None:
    right = [{"Authorization": b"Bearer " + KEY.encode()}, {"X-API-Key": KEY.encode()}]
    wrong = [{}, {"X-API-Key": "geheim"}, {"Authorization": "Basic x"}, {"Authorization": "Bearer"}]
    with serving(segmenter, key=KEY) as address, httpx.Client(base_url=address) as client:
        for headers in wrong:
            response = client.post("/v1/segment", content=picture, headers=headers)
            assert response.status_code == 401
            assert "X-API-Key" in response.json()["detail"]
            assert client.get("/v1/models", headers=headers).status_code == 401
            assert client.get("/metrics", headers=headers).status_code == 401
        for headers in right:
            assert client.post("/v1/segment", content=picture, headers=headers).status_code == 200
        assert client.get("/healthz").status_code == 200
        with pytest.raises(InvalidStatus, match="401"):
            connect(address.replace("http", "ws") + "/v1/stream").__enter__()


def test_other_origins_may_not_ask_unless_told_so(segmenter: Segmenter, picture: bytes) -> None:
    headers = {"Origin": "https://example.org"}
    with serving(segmenter) as address:
        response = httpx.post(f"{address}/v1/segment", content=picture, headers=headers)
        assert "access-control-allow-origin" not in response.headers
    with serving(segmenter, cors_origins=["https://example.org"]) as address:
        response = httpx.post(f"{address}/v1/segment", content=picture, headers=headers)
        assert response.headers["access-control-allow-origin"] == "https://example.org"


def test_streams_of_other_origins_are_refused(segmenter: Segmenter) -> None:
    other = "https://example.org"
    with serving(segmenter) as address:
        stream = f"{address.replace('http', 'ws')}/v1/stream"
        with pytest.raises(InvalidStatus, match="403"):
            connect(stream, origin=Origin(other)).__enter__()
        with connect(stream, origin=Origin(address)):
            pass
    for allowed in (other, "*"):
        with serving(segmenter, cors_origins=[allowed]) as address:
            stream = f"{address.replace('http', 'ws')}/v1/stream"
            with connect(stream, origin=Origin(other)) as connection:
                assert connection.ping().wait(30)


@pytest.mark.parametrize("origin", ["example.org", "https://example.org/", "https://Example.org"])
def test_what_browsers_never_send_as_an_origin_is_a_mistake(origin: str) -> None:
    with pytest.raises(UsageError, match=r"such as https://example\.org"):
        checked_origins([origin])
    good = ("*", "http://localhost:3000", "https://example.org")
    assert checked_origins(good) == good


def test_an_empty_key_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, " ")
    with pytest.raises(UsageError, match="is empty"):
        key_from_environment()
    monkeypatch.delenv(KEY_VARIABLE)
    assert key_from_environment() is None
