"""Names and addresses as they are shown: no control characters, no secrets."""

import os

import pytest

from swiftseg.core import LabelSet, SwiftsegError
from swiftseg.core.shown_text import as_utf8, shown, utf8


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rtsp://admin:s3cret@10.0.0.7:554/live: no", "rtsp://10.0.0.7:554/live: no"),
        ("cannot open https://h/a.m3u8?token=s3cret (x)", "cannot open https://h/a.m3u8?... (x)"),
        ("s3://key:s3cret@bucket/a b", "s3://bucket/a b"),
        ("https://user@h/#s3cret", "https://h/#..."),
        ("a.png: no such file?", "a.png: no such file?"),
        ("red \x1b[31m\nnext\r\x07", r"red \x1b[31m\nnext\r\x07"),
        ("right\u202eleft\x9b", r"right\u202eleft\x9b"),
        ("größe 道 👩\u200d🌾", "größe 道 👩\u200d🌾"),
    ],
)
def test_what_is_shown(text: str, expected: str):
    assert shown(text) == expected
    assert str(SwiftsegError(text)) == expected


def test_class_names_have_no_control_characters():
    with pytest.raises(SwiftsegError, match=r"the class name 'a\\x1b\[2J' holds control char"):
        LabelSet(("a\x1b[2J",), ((0, 0, 0),))


def test_bytes_of_names_that_are_no_utf_8_stand_as_escapes():
    assert utf8("größe 道") == "größe 道".encode()
    assert utf8(os.fsdecode(b"caf\xe9")) == rb"caf\udce9"
    assert as_utf8("a\ud800b") == r"a\ud800b"


@pytest.mark.parametrize(
    ("name", "problem"),
    [("", "got 0: ''"), ("x" * 257, "got 257: 'xxxxxxxxxxxxxxxxxxxx'"), ("a\ud800", r"'a\\ud800'")],
)
def test_class_names_that_no_model_may_have_are_refused_at_once(name: str, problem: str):
    with pytest.raises(SwiftsegError, match=problem):
        LabelSet((name, "b"), ((0, 0, 0), (1, 1, 1)))
