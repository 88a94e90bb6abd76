import json
import re
import shlex
from pathlib import Path
from pydoc import locate
from types import ModuleType

import pytest
import typer.main

from benchmarks import few_pictures_table, reliability_tables
from benchmarks.readme_tables import README, ROOT, SCORES, renewed, tables
from benchmarks.score_weights import SCORINGS, weights_digest
from swiftseg.cli.main import app
from swiftseg.weights import DEFAULT_MODEL, shipped_models
from tests.support.docs_commands import PAGES, steps_of

TEXT = README.read_text("utf-8")


def commands() -> list[str]:
    """Every `swiftseg ...` of README and docs, in blocks and in the README's running text."""
    steps = [step.text for page in PAGES for step in steps_of(page) if not step.is_python]
    lines = [text for text in steps if text.startswith("swiftseg ")]
    return [*dict.fromkeys([*lines, *re.findall(r"`(swiftseg .+?)`", TEXT)])]


def named_in_python(page: Path) -> set[str]:
    """What of swiftseg a page names in its text, and imports in its blocks."""
    text = page.read_text("utf-8")
    names = set(re.findall(r"`(swiftseg(?:\.\w+)+)", text))
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        for module, imported in re.findall(
            r"^from (swiftseg\S*) import (.+)$", block, re.MULTILINE
        ):
            names |= {f"{module}.{name.strip()}" for name in imported.split(",")}
    return {name for name in names if not name.endswith(".json")}  # a file


def test_what_the_pages_name_in_python_exists():
    named = set[str]().union(*map(named_in_python, [README, *(ROOT / "docs").rglob("*.md")]))
    assert {"swiftseg.Segmenter", "swiftseg.trained.load_trained"} <= named
    assert not [name for name in sorted(named) if locate(name) is None]


@pytest.mark.parametrize("line", commands())
def test_the_commands_and_their_options_exist(line: str):
    _, command, *arguments = shlex.split(line, comments=True)
    known = typer.main.get_command(app).commands
    assert command in known
    asked = known[command]
    if command == "data":
        asked = asked.commands[arguments[0]]
    options = {
        option
        for parameter in asked.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    assert {argument for argument in arguments if argument.startswith("--")} <= options


def test_make_knows_the_targets():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = re.findall(r"^make (\w+)", TEXT, re.MULTILINE)
    assert {"demo", "test"} <= set(targets)
    for target in targets:
        assert re.search(f"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize(
    "page", [README, *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda p: p.name
)
def test_links_lead_somewhere(page: Path):
    links = re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_no_page_sends_readers_to_a_repository_that_is_not_there():
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    assert [str(page) for page in pages if "github.com/swiftseg" in page.read_text("utf-8")] == []


def test_the_picture_is_light():
    [picture] = re.findall(r"!\[.*?\]\((.+?)\)", TEXT)
    assert (ROOT / picture).stat().st_size < 500_000


def test_the_tables_are_those_of_the_json():
    assert renewed(TEXT, tables()) == TEXT, "run `python benchmarks/readme_tables.py`"


@pytest.mark.parametrize("script", [few_pictures_table, reliability_tables])
def test_the_tables_of_a_page_are_those_of_the_json(script: ModuleType):
    page = script.PAGE.read_text("utf-8")
    assert renewed(page, script.tables()) == page, f"run {script.__file__}"


def test_the_default_model_is_shipped():
    assert DEFAULT_MODEL in shipped_models()


def test_every_shipped_model_is_to_be_scored():
    assert {scoring.model for scoring in SCORINGS} == set(shipped_models())


@pytest.mark.parametrize("name", sorted(shipped_models()))
def test_scores_are_those_of_the_shipped_file(name: str):
    score = json.loads((SCORES / f"{name}.json").read_text("utf-8"))
    assert score["sha256"] == weights_digest(name), "run `python benchmarks/score_weights.py`"
