import io
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import numpy as np
import pytest
from PIL import Image

from swiftseg.core import SwiftsegError
from swiftseg.data.images import web_picture
from swiftseg.data.images.web_picture import fetch_picture, is_picture, is_web_address
from tests.support.web_server import serving, serving_by


@contextmanager
def answering(code: int, **headers: str) -> Iterator[str]:
    """Serve one answer without a body."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Says nothing."""

    with serving_by(Handler) as address:
        yield address


@pytest.fixture
def picture(tmp_path):
    file = io.BytesIO()
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)).save(file, "PNG")
    (tmp_path / "a.png").write_bytes(file.getvalue())
    return tmp_path / "a.png"


def test_the_bytes_are_those_of_the_file(picture):
    with serving(picture.parent) as address:
        assert fetch_picture(f"{address}/a.png") == picture.read_bytes()


def test_addresses_are_those_of_the_web():
    assert is_web_address("HTTPS://host/a.jpg?w=3")
    assert not is_web_address("rtsp://host/a")
    assert not is_web_address("a.jpg")


def test_a_suffix_says_what_it_is_without_a_question():
    assert is_picture("https://nowhere.invalid/A%20b.JPG?size=2")
    assert not is_picture("https://nowhere.invalid/drive.mp4")


@pytest.mark.parametrize(("kind", "expected"), [("image/jpeg", True), ("video/mp4", False)])
def test_without_a_suffix_the_server_says_it(kind, expected):
    with answering(200, Content_Type=kind) as address:
        assert is_picture(f"{address}/view") is expected
    assert not is_picture(f"{address}/view")  # nobody is there any more


def test_a_picture_that_breaks_off_is_no_picture(picture):
    told = pytest.raises(SwiftsegError, match=r"a\.png: .*breaks off after 20 of")
    with serving(picture.parent, dies_after=20) as address, told:
        fetch_picture(f"{address}/a.png")


def test_sizes_have_a_limit(picture, monkeypatch):
    monkeypatch.setattr(web_picture, "MAX_BYTES", 10)
    with serving(picture.parent) as address, pytest.raises(SwiftsegError, match="exceeds"):
        fetch_picture(f"{address}/a.png")


def test_a_refusal_is_told():
    with answering(403) as address, pytest.raises(SwiftsegError, match="answers 403"):
        fetch_picture(f"{address}/a.png")


@pytest.mark.parametrize("elsewhere", ["file:///etc/passwd", "ftp://127.0.0.1/a.png"])
def test_redirects_stay_on_the_web(elsewhere):
    with answering(302, Location=elsewhere) as address, pytest.raises(SwiftsegError):
        fetch_picture(f"{address}/a.png")
