"""The commands of the how-to `from-your-labeling-tool.md`, section by section, on small exports."""

import json
import re
import shlex
from pathlib import Path

import pytest

from swiftseg.inference import Segmenter
from tests.support.annotation_exports import EXPORTS, NAMES
from tests.support.command_line import run_cli

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "from-your-labeling-tool.md"
KINDS_OF_SECTION = {
    "CVAT": ["CVAT", "CVAT with subsets"],
    "Label Studio": ["Label Studio"],
    "Labelme": ["Labelme", "Labelme with folders"],
    "Roboflow": ["COCO from Roboflow", "YOLO from Roboflow"],
    "Supervisely": ["Supervisely", "Supervisely with data sets"],
    "YOLO": ["YOLO", "YOLO from CVAT"],
    "COCO JSON": ["COCO with splits", "COCO from CVAT", "COCO's panoptic masks"],
    "A table of run lengths": ["run lengths", "run lengths along rows"],
    "VOC with a labelmap.txt": ["VOC from CVAT", "VOC with lists"],
}
CASES = [(section, kind) for section, kinds in KINDS_OF_SECTION.items() for kind in kinds]
QUICK = "stages.0.epochs=1 compile=false input.size_hw=[64,96] batch_size=2 validate_every=1"


def sections() -> dict[str, str]:
    parts = re.split(r"^## (.*)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def commands(text: str) -> list[list[str]]:
    """The commands in a section's code, as lists of arguments without `swiftseg`."""
    code = "".join(re.findall(r"```\n(.*?)```", text, re.DOTALL))
    lines = [line for line in code.split("\n") if line.startswith("swiftseg ")]
    return [shlex.split(line, comments=True)[1:] for line in lines]


def test_every_kind_of_export_has_its_section():
    about = "What holds for all tools"
    assert set(sections()) - {about} == set(KINDS_OF_SECTION)
    assert {kind for _, kind in CASES} == set(EXPORTS)


@pytest.mark.parametrize(("section", "kind"), CASES)
def test_the_check_of_a_section_finds_the_export_fit(
    section: str,
    kind: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    expected = EXPORTS[kind].make(tmp_path / "plants")
    monkeypatch.chdir(tmp_path)
    check, train = commands(sections()[section])
    assert train == ["train", "fast_scnn", "--data", "plants"]
    outcome = run_cli(capsys, *check)
    assert outcome.code == 0
    assert "plants: fit for training" in outcome.out
    found = json.loads(run_cli(capsys, *check, "--json").out)
    assert sum(found["splits"].values()) == len(expected)


def test_the_conversion_is_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    EXPORTS["CVAT"].make(tmp_path / "plants")
    monkeypatch.chdir(tmp_path)
    [convert] = commands(sections()["What holds for all tools"])
    assert run_cli(capsys, *convert).code == 0
    assert {path.name for path in Path("plants-masks").iterdir()} == {
        "images",
        "masks",
        "dataset.yaml",
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("section", "kind"),
    [("CVAT", "CVAT"), ("Labelme", "Labelme"), ("COCO JSON", "COCO with splits")],
)
def test_the_training_of_a_section_ends_with_a_model(
    section: str,
    kind: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    EXPORTS[kind].make(tmp_path / "plants")
    monkeypatch.chdir(tmp_path)
    _, train = commands(sections()[section])
    quick = [part for setting in QUICK.split() for part in ("--set", setting)]
    outcome = run_cli(capsys, *train, *quick)
    assert outcome.code == 0
    model = Path("runs") / "fast_scnn_plants" / "model.onnx"
    assert Segmenter.load(model).spec.labels.names == ("background", *NAMES)
