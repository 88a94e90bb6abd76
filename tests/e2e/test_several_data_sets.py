"""The how-to `several-data-sets.md`: its files and commands, on small made-up folders."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.command_line import run_cli

PAGE = Path(__file__).parents[2] / "docs/how-to/several-data-sets.md"
NAMES = ("train/oak_dawn", "train/oak_noon", "train/oak_rain", "train/elm_dusk")
NAMES = (*NAMES, "train/elm_snow", "train/elm_night", "val/ash_fog", "val/ash_sun")
CLASSES = "names: [sky, road, car, bicyclist, tree]\n"
PATTERNS = 'image: "images/{split}/{name}.png"\nmask: "masks/{split}/{name}.png"\n'
SMALL = """name: streets
training_data: made up
license_note: none
input: {size_hw: [24, 32]}
batch_size: 2
optimizer: {name: adamw, lr: 1.0e-3}
stages:
  - {name: full, network: fast_scnn, epochs: 1, schedule: {name: constant}}
"""


def blocks(kind: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    return [text for of_kind, text in found if of_kind == kind]


def make_folder(root: Path, description: str, values: int) -> None:
    """Six pairs in two drives and two of val, whose masks hold all values."""
    rng = np.random.default_rng(0)
    for name in NAMES:
        mask = np.resize(np.arange(values, dtype=np.uint8), (24, 32))
        for folder, pixels in (
            ("images", rng.integers(0, 255, (24, 32, 3), dtype=np.uint8)),
            ("masks", mask),
        ):
            path = root / folder / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    (root / "dataset.yaml").write_text(description + PATTERNS)


def test_the_page_runs_as_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    datasets, coarse = blocks("yaml")
    train, within, prelabel = (shlex.split(command)[1:] for command in blocks(""))
    make_folder(Path("MINE"), CLASSES, 5)
    plain = "names: [drivable, vehicles, rest]\n"
    make_folder(Path("COARSE"), plain, 3)
    recipe = SMALL + datasets.replace("hold_out_share: 0.2", "hold_out_share: 0.5")
    Path("streets.yaml").write_text(recipe)
    trained = run_cli(capsys, *train)
    assert trained.code == 0, trained.err
    assert "vehicles (car or bicyclist)" in trained.out
    make_folder(Path("COARSE"), coarse, 3)
    checked = run_cli(capsys, "data", "check", "COARSE")
    assert "classes without a label of their own: car, bicyclist" in " ".join(checked.out.split())
    scored = run_cli(capsys, "evaluate", "runs/streets/best.pt", "--data", "COARSE")
    assert scored.code == 0, scored.err
    labeled = run_cli(capsys, *within[:-3], "0", *within[-2:])
    assert labeled.code == 0, labeled.err
    masks = sorted(Path("masks").rglob("*.png"))
    assert len(masks) == 8
    for path in masks:
        values = np.resize(np.array(Image.open(path)), (24 * 32 // 3, 3))
        assert set(values[:, 0]) == {1}  # drivable is road
        assert set(values[:, 1]) <= {2, 3}
    copy_pictures(Path("COARSE/images/val"), Path("PICTURES"))
    prelabeled = run_cli(capsys, *prelabel)
    assert prelabeled.code == 0, prelabeled.err
    assert len(list(Path("labelme").glob("*.json"))) == 2


def copy_pictures(source: Path, target: Path) -> None:
    target.mkdir()
    for path in source.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
