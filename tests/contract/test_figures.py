"""Every measured figure in the prose is that of a committed JSON; see docs/figures.yaml."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FIGURES: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    (ROOT / "docs" / "figures.yaml").read_text("utf-8")
)
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs/design").glob("*.md")),
    *sorted((ROOT / "docs/how-to").glob("*.md")),
    *sorted((ROOT / "docs/tutorials").glob("*.md")),
]
FIGURE = re.compile(r"(\d[\d,]*(?:\.\d+)?)\s+(?:%|ms\b|points\b|frames a second|times as|MB\b|s\b)")


@cache
def prose(page: Path) -> str:
    """A page without code, tables and comments, and none of one that a script writes."""
    text = page.read_text("utf-8")
    if "<!-- Written by" in text:
        return ""
    text = re.sub(r"```.*?```|<!--.*?-->", "", text, flags=re.DOTALL)
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("|")]
    return " ".join(" ".join(lines).split())


def value_of(figure: dict[str, Any]) -> float:
    """The value in the JSON; a list of rows is looked through by `name`."""
    found: Any = json.loads((ROOT / figure["json"]).read_text("utf-8"))
    path = str(figure["value"])
    while path:
        if isinstance(found, list):
            found = {row["name"]: row for row in found}
        key = next(
            key
            for key in sorted(found, key=len, reverse=True)
            if path == key or path.startswith(f"{key}.")
        )
        found, path = found[key], path[len(key) + 1 :]
    return float(found) * figure.get("scale", 1)


def spans_of(figure: dict[str, Any]) -> list[tuple[re.Match[str], str]]:
    before, after = (re.escape(part) for part in figure["text"].split("{}"))
    pattern = re.compile(before + r"(\d[\d,]*(?:\.\d+)?)" + after)
    return [(m, m[1]) for m in pattern.finditer(prose(ROOT / figure["page"]))]


@pytest.mark.parametrize("figure", FIGURES["measured"], ids=lambda f: f"{f['page']} {f['text']}")
def test_a_figure_is_that_of_its_json(figure: dict[str, Any]):
    spans = spans_of(figure)
    assert spans, f"{figure['page']} does not say {figure['text']!r}"
    for _, said in spans:
        decimals = len(said.partition(".")[2])
        assert said == f"{value_of(figure):.{decimals}f}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_figure_is_without_a_source(page: Path):
    name = page.relative_to(ROOT).as_posix()
    known: set[int] = set()
    for figure in FIGURES["measured"]:
        if figure["page"] == name:
            known |= {match.start(1) for match, _ in spans_of(figure)}
    text = prose(page)
    for stated in FIGURES["stated"]:
        if stated["page"] == name:
            found = [match.span() for match in re.finditer(re.escape(stated["text"]), text)]
            assert found, f"{name} no longer says {stated['text']!r}"
            known |= {at for begin, end in found for at in range(begin, end)}
    unknown = [match for match in FIGURE.finditer(text) if match.start(1) not in known]
    around = [text[max(0, m.start() - 50) : m.end() + 30] for m in unknown]
    assert around == [], "name the JSON in docs/figures.yaml, or say what it states"
