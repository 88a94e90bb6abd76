"""YAML that would claim all memory, or that PyYAML itself trips over, is refused by one error."""

import pytest
import yaml

from swiftseg.core.yaml_text import parse_yaml

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10)
)


def test_plain_documents_are_read():
    assert parse_yaml("a: &x [1, 2.5, yes]\nb: *x\n") == {"a": [1, 2.5, True], "b": [1, 2.5, True]}
    assert parse_yaml("") is None
    assert parse_yaml("a: &x {k: 1}\nb: {<<: *x, l: 2}") == {"a": {"k": 1}, "b": {"k": 1, "l": 2}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LAUGHS, "more than 100000 values"),
        ("&a [*a]", "nested more than 50 times"),
        ("[" * 60 + "]" * 60, "nested more than 50 times"),
        ("[" * 100_000, "nested more than 50 times"),
        ("a: " * 3 + "[" * 5000, "."),
        ("x" * 1_000_001, "more than 1000000 characters"),
        ("a: 2001-99-99", "cannot be read"),
        ("a: " + "9" * 5000, "cannot be read"),
        ("!!int abc", "cannot be read"),
        ("!!map [1]", "."),
        ("!!map x", "."),
        ("? [1]\n: 2", "."),
        ("a: 1\na: 2", "given twice"),
        ("!!python/object/apply:os.system [ls]", "."),
        ("a: \x00", "."),
        ("a: 1\n---\nb: 2", "."),
    ],
)
def test_what_is_refused(text: str, message: str):
    with pytest.raises(yaml.YAMLError, match=message):
        parse_yaml(text)
