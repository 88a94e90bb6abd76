"""The queue as clients see it: full, slow, and left by those who go away."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from swiftseg.inference import Segmenter
from swiftseg.server.limits import Limits
from tests.support.served import GatedSegmenter, connect, serving


def _post(address: str, picture: bytes) -> httpx.Response:
    return httpx.post(f"{address}/v1/segment", content=picture, timeout=60)


def _gauge(address: str, name: str) -> float:
    lines = httpx.get(f"{address}/metrics", timeout=60).text.splitlines()
    return float(next(line for line in lines if line.startswith(f"{name} ")).split()[-1])


def _until(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(600):
        if condition():
            return
        pause.wait(0.05)
    pytest.fail("it did not happen within 30 s")


def test_a_full_queue_refuses_at_once_and_answers_all_it_took(
    segmenter: Segmenter, picture: bytes
) -> None:
    gated = GatedSegmenter(segmenter)
    limits = Limits(max_queue=2, max_batch=2, max_wait_s=60)
    with serving(gated, limits=limits, workers=1) as address, ThreadPoolExecutor(3) as pool:
        accepted = [pool.submit(_post, address, picture) for _ in range(3)]
        gated.entered.acquire()
        _until(lambda: _gauge(address, "swiftseg_queue_depth") == 2)
        refused = _post(address, picture)
        gated.gate.set()
        assert [future.result().status_code for future in accepted] == [200, 200, 200]
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) >= 1
        assert "send the picture again" in refused.json()["detail"]
        lines = httpx.get(f"{address}/metrics").text
        assert 'swiftseg_rejected_total{reason="queue full"} 1.0' in lines


def test_who_waits_too_long_is_told_so(segmenter: Segmenter, picture: bytes) -> None:
    gated = GatedSegmenter(segmenter)
    limits = Limits(max_wait_s=0.2)
    with serving(gated, limits=limits, workers=1) as address, ThreadPoolExecutor(1) as pool:
        first = pool.submit(_post, address, picture)
        gated.entered.acquire()
        late = _post(address, picture)
        gated.gate.set()
        assert first.result().status_code == 200
        assert late.status_code == 503
        assert "Retry-After" in late.headers


def test_a_client_that_goes_away_frees_its_place(segmenter: Segmenter, picture: bytes) -> None:
    gated = GatedSegmenter(segmenter)
    limits = Limits(max_queue=1, max_batch=1, max_wait_s=60)
    head = b"POST /v1/segment HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(picture)
    with serving(gated, limits=limits, workers=1) as address, ThreadPoolExecutor(1) as pool:
        first = pool.submit(_post, address, picture)
        gated.entered.acquire()
        with connect(address) as leaving:
            leaving.sendall(head + picture)
            _until(lambda: _gauge(address, "swiftseg_queue_depth") == 1)
        _until(lambda: _gauge(address, "swiftseg_queue_depth") == 0)
        gated.gate.set()
        assert first.result().status_code == 200
        assert _post(address, picture).status_code == 200


def test_a_batch_that_does_not_fit_takes_no_place(segmenter: Segmenter, picture: bytes) -> None:
    gated = GatedSegmenter(segmenter)
    limits = Limits(max_queue=2, max_batch=2, max_wait_s=60)
    with serving(gated, limits=limits, workers=1) as address, ThreadPoolExecutor(2) as pool:
        accepted = [pool.submit(_post, address, picture) for _ in range(2)]
        gated.entered.acquire()
        _until(lambda: _gauge(address, "swiftseg_queue_depth") == 1)
        files = [("p", ("1.jpg", picture)), ("p", ("2.jpg", picture))]
        batch = httpx.post(f"{address}/v1/segment/batch", files=files, timeout=60)
        assert batch.status_code == 429
        assert _gauge(address, "swiftseg_queue_depth") == 1
        gated.gate.set()
        assert [future.result().status_code for future in accepted] == [200, 200]
