import pytest

from swiftseg.recipes import load_recipe, shipped_recipes
from swiftseg.training.preset import changes, tiny_overrides


@pytest.mark.parametrize("num_images", [1, 3, 12, 40])
@pytest.mark.parametrize("name", shipped_recipes())
def test_every_recipe_can_be_made_fit_for_few_images(name: str, num_images: int):
    before = load_recipe(name)
    after = load_recipe(name, tiny_overrides(before, num_images))
    assert after.batch_size <= min(4, num_images)
    assert after.early_stopping is None
    for stage in after.stages:
        assert stage.batch_size is None
        steps = stage.epochs * (num_images // after.batch_size)
        assert 1500 <= steps < 1600
    assert after.augmentation is not None
    if before.augmentation:
        assert after.augmentation.crop_hw == before.augmentation.crop_hw
    assert [stage.network for stage in after.stages] == [stage.network for stage in before.stages]
    assert after.optimizer == before.optimizer


def test_changes_name_each_value_that_differs():
    before = load_recipe("segfast_camvid")
    after = load_recipe(
        "segfast_camvid",
        ["seed=5", "early_stopping=null", "augmentation={blur: 0.5}", "stages.0.epochs=2"],
    )
    assert changes(before, after) == [
        "augmentation.scale: [1.0, 1.0]",
        "augmentation.blur: 0.5",
        "seed: 0 -> 5",
        "early_stopping: none",
        f"stages.0.epochs: {before.stages[0].epochs} -> 2",
    ]
    assert changes(before, before) == []
