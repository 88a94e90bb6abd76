"""What does not fit is refused at once, with one sentence, and the server stays up."""

import io
import random
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from swiftseg.core import UsageError
from swiftseg.inference import Segmenter
from swiftseg.server.limits import Limits
from tests.support.served import huge_png, serving

SMALL = Limits(max_body_bytes=50_000, max_pixels=10_000, max_values=9_300, max_batch=2)


@pytest.fixture(scope="module")
def small(segmenter: Segmenter) -> Iterator[httpx.Client]:
    with serving(segmenter, limits=SMALL) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def _problem(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == response.status_code
    assert "\n" not in problem["detail"]
    return response.status_code, problem["detail"]


def _png(size_hw: tuple[int, int]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.zeros((*size_hw, 3), np.uint8)).save(file, format="PNG")
    return file.getvalue()


def test_a_body_that_says_it_is_too_large(small: httpx.Client) -> None:
    assert _problem(small.post("/v1/segment", content=bytes(50_001))) == (
        413,
        "the body exceeds 0.05 MB; send a smaller one",
    )


def test_a_body_that_turns_out_too_large(small: httpx.Client) -> None:
    chunks = (bytes(10_000) for _ in range(6))
    assert _problem(small.post("/v1/segment", content=chunks))[0] == 413


def test_a_picture_of_too_many_pixels(small: httpx.Client) -> None:
    assert small.post("/v1/segment", content=_png((100, 100))).status_code == 200
    status, detail = _problem(small.post("/v1/segment", content=_png((100, 101))))
    assert status == 413
    assert "(101 x 100) exceeds 0.01 megapixels" in detail


def test_a_decompression_bomb_is_refused_by_its_header(client: httpx.Client) -> None:
    status, detail = _problem(client.post("/v1/segment", content=huge_png()))
    assert status == 413
    assert "send a smaller one" in detail


def test_probabilities_that_would_fill_the_memory(small: httpx.Client) -> None:
    assert small.post("/v1/segment?as=probs", content=_png((50, 62))).status_code == 200
    assert _problem(small.post("/v1/segment?as=probs", content=_png((51, 62))))[0] == 413


def test_a_batch_of_too_many(small: httpx.Client) -> None:
    files = [("p", (f"{i}.png", _png((4, 4)))) for i in range(3)]
    assert _problem(small.post("/v1/segment/batch", files=files))[0] == 413


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"this is text, whatever its name", 415),
        (b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", 415),
        (_png((8, 8))[:45], 422),
    ],
    ids=["nothing", "text", "gif", "cut short"],
)
def test_bodies_that_are_no_picture(client: httpx.Client, body: bytes, status: int) -> None:
    assert _problem(client.post("/v1/segment", content=body))[0] == status


def test_a_text_by_the_name_of_a_picture(client: httpx.Client) -> None:
    files = {"picture": ("notes.jpg", b"these are notes", "image/jpeg")}
    status, detail = _problem(client.post("/v1/segment", files=files))
    assert status == 415
    assert detail.startswith("notes.jpg: not an image")


def test_an_empty_file(client: httpx.Client) -> None:
    expected = (422, "street.jpg is empty (0 bytes); send a picture")
    assert _problem(client.post("/v1/segment", files={"p": ("street.jpg", b"")})) == expected


def test_floats_are_refused(client: httpx.Client) -> None:
    file = io.BytesIO()
    Image.fromarray(np.zeros((4, 4), np.float32)).save(file, format="TIFF")
    status, detail = _problem(client.post("/v1/segment", content=file.getvalue()))
    assert status == 415
    assert "floating point values" in detail


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("multipart/form-data", b"x", 400),
        ("multipart/form-data; boundary=b", b"rubbish", 400),
        ("multipart/form-data; boundary=b", b"--b\r\nhalf: a part", 400),
        ("multipart/form-data; boundary=b", b"--b--\r\n", 422),
    ],
)
def test_damaged_multipart_bodies(
    client: httpx.Client, content_type: str, body: bytes, status: int
) -> None:
    headers = {"Content-Type": content_type}
    assert _problem(client.post("/v1/segment", content=body, headers=headers))[0] == status


def test_parameters_that_do_not_exist(client: httpx.Client, picture: bytes) -> None:
    for query in ("as=gif", "outlines=dots", "alpha=2", "alpha=nan"):
        assert _problem(client.post(f"/v1/segment?{query}", content=picture))[0] == 422


@pytest.mark.parametrize("has_page", [False, True])
def test_addresses_and_methods_that_do_not_exist(
    segmenter: Segmenter, tmp_path: Path, has_page: bool
) -> None:
    (tmp_path / "index.html").write_text("the page")
    with (
        serving(segmenter, page=tmp_path if has_page else None) as address,
        httpx.Client(base_url=address) as client,
    ):
        response = client.get("/v1/segment")
        status, detail = _problem(response)
        assert (status, response.headers["allow"]) == (405, "POST")
        assert "does not take GET" in detail
        assert _problem(client.delete("/healthz"))[0] == 405
        assert _problem(client.get("/v1/nothing"))[0] == 404
        assert _problem(client.post("/nothing"))[0] == 404
        assert (client.get("/").text == "the page") == has_page


def test_a_damaged_picture_is_told_of_with_what_to_do(client: httpx.Client, picture: bytes) -> None:
    status, detail = _problem(client.post("/v1/segment", content=picture[: len(picture) // 2]))
    assert status == 422
    assert detail.startswith("the picture: the image is truncated or damaged")
    assert detail.endswith("; send another one")


def test_a_thousand_rubbish_bodies(client: httpx.Client, picture: bytes) -> None:
    draw = random.Random(0)
    png = _png((8, 8))
    for _ in range(1000):
        body = bytearray(draw.choice((png, picture, draw.randbytes(200))))
        for _ in range(draw.randrange(1, 20)):
            body[draw.randrange(len(body))] = draw.randrange(256)
        response = client.post("/v1/segment", content=bytes(body[: draw.randrange(1, len(body))]))
        assert response.status_code in (200, 413, 415, 422)
    assert client.post("/v1/segment", content=picture).status_code == 200


def test_limits_have_to_make_sense() -> None:
    with pytest.raises(UsageError, match="max_queue"):
        Limits(max_queue=0)
    with pytest.raises(UsageError, match="lengthen the queue"):
        Limits(max_queue=4, max_batch=5)
