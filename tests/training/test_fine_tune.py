from collections.abc import Iterator

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from swiftseg.core import InputSpec, LabelSet, Sample, SwiftsegError, UsageError
from swiftseg.inference import Segmenter
from swiftseg.inference.found_model import find_weights
from swiftseg.trained.trained_networks import origin_of_weights
from swiftseg.training.fine_tune import MEAN, averaging_decay, fine_tuning_recipe, input_size_hw
from swiftseg.weights import shipped_weights
from tests.support.exported import write_shade_model


class Frames:
    """Frames of one size, made when asked for."""

    labels = LabelSet(("soil", "crop"), ((0, 0, 0), (0, 200, 0)), 255)

    def __init__(self, count: int, size_hw: tuple[int, int] = (120, 200)) -> None:
        self.count, self.size_hw = count, size_hw

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int, /) -> Sample:
        mask = np.zeros(self.size_hw, np.uint8)
        return Sample(str(index), np.zeros((*self.size_hw, 3), np.uint8), mask)

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))


def recipe_for(count: int, *overrides: str, learned_with: InputSpec | None = None):
    return fine_tuning_recipe(
        "enet",
        Frames(count),
        name="enet-field",
        source="field",
        learned_with=learned_with,
        overrides=overrides,
    )


@pytest.mark.parametrize(("count", "epochs"), [(2, 400), (24, 400), (800, 20), (100_000, 10)])
def test_epochs_follow_the_number_of_images(count: int, epochs: int):
    assert recipe_for(count).stages[0].epochs == epochs


def test_what_follows_from_the_epochs_follows_from_those_asked_for():
    recipe = recipe_for(800, "epochs=200")
    assert (recipe.stages[0].epochs, recipe.validate_every) == (200, 10)
    assert recipe.ema == averaging_decay(200 * 100)
    assert recipe_for(800, "epochs=200", "validate_every=3").validate_every == 3


def test_the_batch_is_never_larger_than_the_data():
    assert recipe_for(3).batch_size == 3
    assert recipe_for(300).batch_size == 8


def test_classes_come_from_the_data_and_overrides_win():
    recipe = recipe_for(30, "optimizer.lr=0.5")
    assert (recipe.num_classes, recipe.optimizer.lr) == (2, 0.5)
    with pytest.raises(UsageError, match="did you mean batch_size"):
        recipe_for(30, "batchsize=3")


def test_the_input_stays_what_the_weights_have_learned_with():
    assert recipe_for(9).input.mean == MEAN
    learned_with = origin_of_weights(shipped_weights()["enet-camvid"])[1]
    assert learned_with == Segmenter.load("enet-camvid").spec.input
    recipe = recipe_for(9, learned_with=learned_with)
    assert (recipe.input.mean, recipe.input.std) == ((0.0,) * 3, (1.0,) * 3)
    assert recipe.input.size_hw == (128, 192)  # that of the data


def test_weights_that_do_not_tell_their_input(tmp_path):
    alone = tmp_path / "alone.safetensors"
    save_file({"a": torch.zeros(1)}, alone)
    assert origin_of_weights(alone)[1] is None
    with pytest.raises(UsageError, match="has its layers folded together"):
        find_weights(write_shade_model(tmp_path / "no_start.onnx"))


@pytest.mark.parametrize(
    ("size_hw", "expected"),
    [((120, 200), (128, 192)), ((10, 10), (32, 32)), ((1080, 1920), (384, 672)), ((512, 512),) * 2],
)
def test_sizes_are_multiples_of_the_stride(size_hw: tuple[int, int], expected: tuple[int, int]):
    assert input_size_hw(Frames(3, size_hw)) == expected


def test_the_average_forgets_the_start_of_short_and_long_trainings():
    for steps in (1, 20, 500, 100_000):
        assert averaging_decay(steps) ** steps < 0.6
        assert 0 < averaging_decay(steps) < 1


def test_one_image_is_too_few():
    with pytest.raises(SwiftsegError, match="1 training image; training needs 2 or more"):
        recipe_for(1)


def test_an_unknown_network_is_named():
    with pytest.raises(UsageError, match="unknown network 'enett'; did you mean enet"):
        fine_tuning_recipe("enett", Frames(9), name="a", source="b")
