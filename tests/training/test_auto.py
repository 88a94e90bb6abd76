import math
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swiftseg.core import UsageError
from swiftseg.data import open_dataset
from swiftseg.runs import RunFolder
from swiftseg.training.auto import AUTO, areas_and_edges, choose, examine_data
from swiftseg.training.training_recipe import find_recipe
from swiftseg.weights import shipped_weights
from tests.support.broken_datasets import make_good
from tests.support.command_line import run_cli


def write_stripes(folder: Path, thickness: int, size_hw: tuple[int, int]) -> Path:
    """Ten pairs, of which every mask has one stripe from edge to edge."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for number in range(10):
        mask = np.zeros(size_hw, np.uint8)
        top = 10 * (number + 1)
        mask[top : top + thickness] = 1
        Image.fromarray(mask).save(folder / f"masks/{number}.png")
        Image.fromarray(mask[..., None].repeat(3, 2) * 200).save(folder / f"images/{number}.png")
    return folder


@pytest.mark.parametrize("thickness", [1, 3, 12])
def test_a_stripe_is_as_thick_as_it_is_wide(thickness: int):
    mask = np.zeros((64, 200), np.uint8)
    mask[20 : 20 + thickness] = 1
    areas, edges = areas_and_edges(mask, 2)
    assert 2 * areas[1] / edges[1] == thickness


def test_thin_objects_get_a_finer_network_and_more_pixels(tmp_path: Path):
    thin = open_dataset(write_stripes(tmp_path / "thin", 4, (1200, 1600)), "train")
    facts = examine_data(thin)
    assert (facts.thinnest, facts.thickness, facts.frame_hw) == ("foreground", 4, (1200, 1600))
    choice = choose(thin)
    assert (choice.network, choice.weights) == ("enet", "enet-camvid")
    assert math.prod(choice.size_hw) > 3.5 * 512 * 512
    assert "foreground is 2.9 pixels thick in the input" in choice.lines[0]
    assert any(o == 'class_weights={"name": "enet", "c": 1.1}' for o in choice.overrides)
    thick = choose(open_dataset(write_stripes(tmp_path / "thick", 80, (1200, 1600)), "train"))
    assert (thick.network, thick.size_hw) == ("fast_scnn", (448, 576))
    assert math.prod(thick.size_hw) <= 512 * 512


def test_a_run_is_named_after_its_data_as_far_as_files_may_be(tmp_path: Path):
    for folder, name in (("d" * 200, "d" * 60), ("red\x1b[31m", "red_x1b[31m")):
        found = find_recipe("fast_scnn", {"": str(make_good(tmp_path / folder))})
        assert found.recipe.name == f"fast_scnn-{name}"
        assert found.run_name == f"fast_scnn_{name}"
    with pytest.raises(UsageError, match=r"caf.udce9: a run cannot record this path"):
        find_recipe("fast_scnn", {"": str(tmp_path / "caf\udce9")})


def test_auto_starts_from_shipped_weights_unless_told_otherwise(tmp_path: Path):
    data = {"": str(make_good(tmp_path / "field"))}
    found = find_recipe(AUTO, data)
    assert found.is_own
    [stage] = found.recipe.stages
    assert found.initial_weights in shipped_weights().values()
    assert found.recipe.augmentation is not None
    assert found.recipe.augmentation.rotation_degrees > 0
    assert (found.recipe.batch_size, stage.epochs, found.recipe.num_classes) == (4, 400, 3)
    anew = find_recipe(AUTO, data, ["batch_size=2"], weights="none")
    assert (anew.initial_weights, anew.recipe.batch_size) == (None, 2)
    assert not any("instead" in line for line in anew.changes)
    smaller = find_recipe(AUTO, data, ["input.size_hw=[32,64]"])
    assert "auto: trained at 32x64 instead, as you asked" in smaller.changes
    other = find_recipe(AUTO, data, weights="segfast-camvid")
    assert other.initial_weights == shipped_weights()["segfast-camvid"]
    assert other.recipe.stages[0].network == "segfast"


def test_a_short_training_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    data, out = make_good(tmp_path / "field"), tmp_path / "run"
    result = run_cli(capsys, "train", "auto", "--data", data, "--epochs", 1, "--out", out)
    assert result.code == 0, result.err
    assert re.search("auto: (enet|fast_scnn) at 64x64", result.err)
    assert "tensors filled; fresh: " in result.err
    environment = RunFolder(out).read_environment()
    assert environment is not None
    assert environment.recipe == AUTO
    assert environment.weights in map(str, shipped_weights().values())
    assert RunFolder(out).model.is_file()
