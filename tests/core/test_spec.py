"""A model's description is read strictly; whatever is wrong in it is one line that says where."""

import json
from dataclasses import fields
from typing import Any

import pytest

from swiftseg.core import InputSpec, LabelSet, ModelSpec, SwiftsegError, spec_fields

SPEC = ModelSpec(
    name="shades",
    network="enet",
    labels=LabelSet(("dark", "bright"), ((0, 0, 0), (255, 255, 255)), 255),
    input=InputSpec((12, 16)),
    metrics={"val/mean_iou": 0.5},
    sliding_windows=True,
)


def test_every_field_is_read():
    assert list(spec_fields._SPEC) == [field.name for field in fields(ModelSpec)]
    assert list(spec_fields._INPUT) == [field.name for field in fields(InputSpec)]
    assert list(spec_fields._LABELS) == list(SPEC.to_dict()["labels"])


def changed(place: str, value: Any) -> str:
    content = json.loads(SPEC.to_json())
    *parents, last = place.split(".")
    node = content
    for parent in parents:
        node = node[int(parent) if parent.isdigit() else parent]
    node[int(last) if last.isdigit() else last] = value
    return json.dumps(content)


def test_a_description_comes_back():
    assert ModelSpec.from_json(SPEC.to_json()) == SPEC


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("name", 7),
        ("name", ""),
        ("name", "../../root"),
        ("name", "x" * 300),
        ("network", None),
        ("labels", []),
        ("labels.names", "dark"),
        ("labels.names.0", 1),
        ("labels.names.0", "bright"),
        ("labels.palette.0", [0, 0]),
        ("labels.palette.0.1", 0.5),
        ("labels.palette.0.1", float("nan")),
        ("labels.palette.0.1", True),
        ("labels.palette.0.1", 256),
        ("labels.ignore_index", "255"),
        ("labels.ignore_index", 1),
        ("labels.more", 1),
        ("input.size_hw", [12]),
        ("input.size_hw", [0, 16]),
        ("input.size_hw", [12.0, 16]),
        ("input.size_hw", [10**10, 16]),
        ("input.size_hw", [16384, 16384]),
        ("input.mean", [0, 0, float("inf")]),
        ("input.std", [1, 1, 0]),
        ("input.std", [1, 1]),
        ("output", "masks"),
        ("training_data", ["a"]),
        ("metrics", {"val/mean_iou": "high"}),
        ("metrics", {"val/mean_iou": float("nan")}),
        ("versions", {"torch": 2.9}),
        ("sliding_windows", "yes"),
        ("format_version", 2),
        ("more", 1),
    ],
)
def test_what_is_wrong_is_told_in_one_line(place: str, value: Any):
    with pytest.raises(SwiftsegError) as caught:
        ModelSpec.from_json(changed(place, value))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("key", ["name", "network", "labels", "input"])
def test_what_is_missing_is_named(key: str):
    content = json.loads(SPEC.to_json())
    del content[key]
    with pytest.raises(SwiftsegError, match=f"'{key}': expected this key"):
        ModelSpec.from_dict(content)


@pytest.mark.parametrize("text", ["", "[]", "7", "{", "[" * 100_000, '{"a":' * 100_000, "9" * 5000])
def test_what_is_no_description(text: str):
    with pytest.raises(SwiftsegError, match="the model's description is "):
        ModelSpec.from_json(text)
