"""A server whose models are not loaded yet, or cannot be."""

import threading

import httpx

from swiftseg.inference import Segmenter
from tests.support.served import serving, until_ready


def test_a_server_is_alive_before_its_models_are_loaded(
    segmenter: Segmenter, picture: bytes
) -> None:
    gate = threading.Event()

    def load() -> dict[str, Segmenter]:
        assert gate.wait(60)
        return {"shades": segmenter}

    with serving(load=load) as address:
        assert httpx.get(f"{address}/healthz", timeout=60).status_code == 200
        early = [httpx.get(f"{address}/{path}", timeout=60) for path in ("readyz", "v1/models")]
        early.append(httpx.post(f"{address}/v1/segment", content=picture, timeout=60))
        gate.set()
        for response in early:
            assert response.status_code == 503
            assert response.headers["Retry-After"] == "1"
            assert "not loaded yet" in response.json()["detail"]
        until_ready(address)
        response = httpx.post(f"{address}/v1/segment", content=picture, timeout=60)
        assert response.status_code == 200
