from pathlib import Path

import pytest
import yaml

from swiftseg.core import UsageError
from swiftseg.models import NETWORKS
from swiftseg.recipes import load_recipe, shipped_recipes


@pytest.mark.parametrize("name", shipped_recipes())
def test_shipped_recipes_load_and_name_known_networks(name: str):
    recipe = load_recipe(name)
    assert all(stage.network in NETWORKS for stage in recipe.stages)


def test_enet_camvid_is_the_papers():
    recipe = load_recipe("enet_camvid")
    assert [(s.network, s.coarse) for s in recipe.stages] == [
        ("enet_encoder", True),
        ("enet", False),
    ]
    assert (recipe.optimizer.name, recipe.optimizer.lr, recipe.optimizer.weight_decay) == (
        "adam",
        5e-4,
        2e-4,
    )
    assert recipe.class_weights is not None
    assert recipe.class_weights.c == 1.02
    assert (recipe.batch_size, recipe.num_classes, recipe.input.size_hw) == (10, 11, (360, 480))


def test_overrides_reach_nested_values_and_lists():
    recipe = load_recipe("enet_camvid", ["optimizer.lr=0.02", "stages.1.epochs=3", "seed=7"])
    assert (recipe.optimizer.lr, recipe.stages[1].epochs, recipe.seed) == (0.02, 3, 7)
    assert recipe.stages[0].epochs != 3


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("optimizer.lrr=1", r"optimizer: unknown key 'lrr'; did you mean lr"),
        ("batchsize=1", r"unknown key 'batchsize'; did you mean batch_size"),
        ("optimizer.lr=fast", r"optimizer\.lr: .* got 'fast'"),
        ("optimizer.lr=-1", r"optimizer\.lr: .* got -1"),
        ("stages.9.epochs=1", r"the recipe has no place 'stages\.9\.epochs'"),
        ("stages.full.epochs=1", r"the recipe has no place"),
        ("loss={name: dice}", r"class_weights belong to cross entropy, and loss dice weighs"),
        ("seed", r"expected key=value"),
        ("seed={", r"no place|not YAML"),
    ],
)
def test_a_bad_override_is_one_clear_line(override: str, message: str):
    with pytest.raises(UsageError, match=message) as caught:
        load_recipe("enet_camvid", [override])
    assert "\n" not in str(caught.value)


def test_a_plain_key_of_the_only_stage_is_that_stages():
    recipe = load_recipe("segfast_camvid", ["epochs=5", "lr=0.5", "batch_size=3", "freeze=[a]"])
    [stage] = recipe.stages
    assert (stage.epochs, stage.lr, stage.freeze, stage.batch_size) == (5, 0.5, ("a",), None)
    assert recipe.batch_size == 3


def test_a_plain_key_takes_effect_where_the_only_stage_has_its_own_value(tmp_path: Path):
    own = load_recipe("segfast_camvid", ["stages.0.batch_size=6"])
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(own.model_dump(mode="json")))
    recipe = load_recipe(str(path), ["batch_size=2"])
    assert recipe.stages[0].batch_size == 2


def test_a_plain_key_of_several_stages_lists_their_places():
    with pytest.raises(UsageError) as caught:
        load_recipe("enet_camvid", ["epochs=5"])
    told = "the recipe has 2 stages; set one of stages.0.epochs, stages.1.epochs"
    assert str(caught.value) == f"--set epochs=...: {told}"
    assert load_recipe("enet_camvid", ["batch_size=3"]).batch_size == 3


def test_a_recipe_that_is_no_text_is_one_line(tmp_path: Path):
    (tmp_path / "mine.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"mine\.yaml: cannot be read"):
        load_recipe(str(tmp_path / "mine.yaml"))


def test_unknown_recipes_name_the_nearest():
    with pytest.raises(UsageError, match="unknown recipe 'enet_canvid'; did you mean enet_camvid"):
        load_recipe("enet_canvid")
    with pytest.raises(UsageError, match=r"nowhere\.yaml: no such recipe file"):
        load_recipe("nowhere.yaml")


@pytest.mark.parametrize("text", ["", "[1, 2]", "a: [", "network: enet"])
def test_a_file_that_is_no_recipe(tmp_path: Path, text: str):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"mine\.yaml: ") as caught:
        load_recipe(str(path))
    assert "\n" not in str(caught.value)


def test_a_key_that_is_given_twice(tmp_path: Path):
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\nseed: 1\nseed: 2\n")
    with pytest.raises(UsageError, match=r"mine\.yaml: not YAML: the key seed is given twice"):
        load_recipe(str(path))
