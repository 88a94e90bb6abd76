"""Training on several data sets at once."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.data.views.mixture import Mixture
from swiftseg.recipes import Recipe, load_recipe
from swiftseg.recipes.recipe import Augmentation
from swiftseg.runs import RunFolder
from swiftseg.trained.checkpoint import load_checkpoint
from swiftseg.training.augmentation import Augment
from swiftseg.training.criterion import build_pixel_loss, spread_over_sets
from swiftseg.training.frames import EpochFrames, epoch_batches
from swiftseg.training.loop import train_recipe
from swiftseg.training.run_log import environment
from swiftseg.training.stage_data import open_stage_data
from swiftseg.training.training_data import split_opener
from tests.support.dataset_trees import make_idd_lite, make_labelmefacade
from tests.support.tiny_camvid import make_tiny_camvid

SMALL = (
    "input.size_hw=[24, 32]",
    "augmentation.crop_hw=[24, 32]",
    "batch_size=2",
    "epochs=1",
    "validate_every=1",
    "datasets.1.hold_out_share=0.5",
    "datasets.2.hold_out_share=0.5",
)


def small_recipe(*overrides: str) -> Recipe:
    return load_recipe("fast_scnn_streets", [*SMALL, *overrides])


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("streets")
    return {
        "camvid": str(make_tiny_camvid(root / "camvid")),
        "idd_lite": str(make_idd_lite(root / "idd")),
        "labelmefacade": str(make_labelmefacade(root / "facades")),
    }


def test_a_recipe_of_three_sets_trains_and_scores_rows_of_sets(
    folders: dict[str, str], tmp_path: Path
):
    run = RunFolder(tmp_path / "run")
    opened = split_opener("fast_scnn_streets", folders)
    evaluation = train_recipe(small_recipe(), opened, run, environment=environment(["train"]))
    assert "vehicles (car or bicyclist)" in evaluation.to_dict()["rows_of_sets"]
    labels = load_checkpoint(run.best).labels
    assert len(labels) == 11
    assert not labels.sets  # a model has classes alone


def test_batches_mix_the_sets_by_their_shares():
    sizes, shares = (100, 30, 70), (0.5, 0.25, 0.25)
    batches = epoch_batches(200, 8, (0, 0, 3), sizes=sizes, shares=shares)
    draws = [draw for batch in batches for draw in batch]
    assert len(draws) == len(set(draws)) == 200
    parts = Counter(np.searchsorted([100, 130], draw % 200, side="right") for draw in draws)
    assert parts == {0: 100, 1: 50, 2: 50}
    times = Counter(draw % 200 for draw in draws if 100 <= draw % 200 < 130)
    assert set(times.values()) == {1, 2}  # 50 draws of 30 frames: each once, then some again
    assert len(times) == 30
    mixed = [
        len({np.searchsorted([100, 130], draw % 200, side="right") for draw in b}) for b in batches
    ]
    assert sum(count > 1 for count in mixed) > 20
    assert batches == epoch_batches(200, 8, (0, 0, 3), sizes=sizes, shares=shares)
    assert batches != epoch_batches(200, 8, (0, 0, 4), sizes=sizes, shares=shares)


def test_each_set_has_its_own_augmentation_and_each_draw_another_crop(folders: dict[str, str]):
    dusk = "{crop_hw: [24, 32], dusk: 1.0}"
    plain = "augmentation={crop_hw: [24, 32], horizontal_flip: 0.5, scale: [1.0, 2.0]}"
    recipe = small_recipe(plain, f"datasets.1.augmentation={dusk}")
    [data] = open_stage_data(recipe, split_opener("x", folders), 1)
    epoch = EpochFrames(data.frames, data.augment, (0, 0, 0))
    dark, light = epoch[6][0], data.frames[6][0]  # the first frame of the second set
    assert dark.float().mean() < 0.8 * light.float().mean()
    total = len(data.frames)
    assert not torch.equal(epoch[0][0], epoch[total][0])
    assert torch.equal(epoch[0][0], EpochFrames(data.frames, data.augment, (0, 0, 0))[0][0])


def test_a_sets_pixels_count_in_equal_parts_for_its_classes(folders: dict[str, str]):
    [data] = open_stage_data(small_recipe(), split_opener("x", folders), 1)
    assert isinstance(data.frames.dataset, Mixture)
    labels = data.frames.dataset.labels
    vehicles = labels.set_values[[s.name for s in labels.sets].index("vehicles")]
    counts = np.zeros(256, np.int64)
    counts[[8, vehicles]] = 10, 8
    spread = spread_over_sets(counts, labels)
    assert (spread[8], spread[10], spread[vehicles]) == (14, 4, 0)


def test_losses_of_regions_leave_out_the_pixels_of_sets(folders: dict[str, str]):
    [data] = open_stage_data(
        small_recipe("class_weights=null", "loss={name: dice}"), split_opener("x", folders), 1
    )
    labels = data.frames.dataset.labels
    criterion = build_pixel_loss(
        small_recipe("class_weights=null", "loss={name: dice}"), data.frames
    )
    logits = torch.randn(1, 11, 2, 4)
    mask = torch.tensor([[[0, 1, 2, 3]] * 2])
    with_sets, void = mask.clone(), mask.clone()
    with_sets[..., 3], void[..., 3] = labels.set_values[0], 11
    assert torch.equal(criterion(logits, with_sets)[0], criterion(logits, void)[0])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("datasets.1.name=camvid", "datasets repeat: camvid, camvid"),
        ("dataset=camvid", "datasets stand in the place of dataset"),
        ("datasets.0.labels={sky: road}", "camvid is the first and gives the classes"),
        ("void_as_class=true", "void_as_class does not go with datasets"),
        ("datasets.1.augmentation={crop_hw: [9, 9]}", "idd_lite has another crop_hw"),
    ],
)
def test_a_recipe_that_contradicts_itself_is_refused(override: str, message: str):
    with pytest.raises(UsageError, match=message):
        small_recipe(override)


def test_a_group_is_held_out_of_the_set_that_has_it(folders: dict[str, str]):
    opened = split_opener("x", folders)
    [data] = open_stage_data(small_recipe("hold_out='112'"), opened, 1)
    assert len(data.frames) == 6 + 2 + 1
    with pytest.raises(UsageError, match="'nowhere' exists in none of camvid, idd_lite"):
        open_stage_data(small_recipe("hold_out=nowhere"), opened, 1)


def test_presence_cannot_be_told_from_sets(folders: dict[str, str]):
    recipe = small_recipe("loss={name: cross_entropy, presence_weight: 0.1}")
    [data] = open_stage_data(recipe, split_opener("x", folders), 1)
    with pytest.raises(SwiftsegError, match="'non-drivable' stands for several"):
        build_pixel_loss(recipe, data.frames)


def test_light_changes_are_curves_of_each_channel():
    """Gamma alone: every value becomes one other, as the formula says."""
    image = torch.arange(256, dtype=torch.uint8).view(16, 16, 1).expand(16, 16, 3)
    mask = torch.zeros(16, 16, dtype=torch.uint8)
    augment = Augment(Augmentation(gamma=1.0), (16, 16), ignore_index=255)
    found = set()
    for seed in range(8):
        changed, _ = augment(image, mask, (seed,))
        assert torch.equal(changed[..., 0], changed[..., 2])
        exponent = np.log(float(changed[8, 0, 0]) / 255) / np.log(128 / 255)
        assert 0.49 < exponent < 2.02
        expected = 255 * (np.arange(256) / 255) ** exponent
        np.testing.assert_allclose(changed[..., 0].flatten().numpy(), expected, atol=1.6)
        found.add(round(exponent, 2))
    assert len(found) > 4


def test_white_balance_moves_red_and_blue_apart():
    image = torch.full((16, 16, 3), 100, dtype=torch.uint8)
    augment = Augment(Augmentation(white_balance=0.5), (16, 16), ignore_index=255)
    for seed in range(5):
        red, green, blue = augment(image, image[..., 0], (seed,))[0][0, 0].tolist()
        assert green == 100
        assert red * blue == pytest.approx(100 * 100, rel=0.02)
