from pathlib import Path

import pytest

from swiftseg.recipes.recipe_file import shipped_recipes
from tests.support.broken_datasets import make_good
from tests.support.command_line import run_cli


def test_recipes_are_listed_and_printed(capsys: pytest.CaptureFixture[str]):
    listed = run_cli(capsys, "recipes").out
    assert all(name in listed for name in shipped_recipes())
    assert "ENet on CamVid as the paper trains it" in " ".join(listed.replace("│", " ").split())
    assert run_cli(capsys, "recipes", "enet_camvid").out.startswith("# ENet on CamVid")
    assert "did you mean enet_camvid" in run_cli(capsys, "recipes", "enet_canvid").err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("enet_camvid", "write `num_classes: 3` in place of `num_classes: 11`"),
        ("enet_cityscapes", "leave the line `dataset: cityscapes` out of the recipe"),
    ],
)
def test_a_copy_on_other_data_says_which_line_to_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, message: str
):
    copy = tmp_path / "mine.yaml"
    copy.write_text(run_cli(capsys, "recipes", name).out)
    data = make_good(tmp_path / "field")
    refused = run_cli(capsys, "train", copy, "--data", data, "--no-compile", "--batch-size", "2")
    assert refused.code == 1
    assert message in refused.err
