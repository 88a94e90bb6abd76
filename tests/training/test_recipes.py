"""Every shipped recipe is sound as data and runs, two steps a stage, on made-up frames of its set.

What a recipe says is only shrunk: frames, batches and epochs. Networks that are too heavy to train
in a second or two are trained by the slow tests; the fast ones pass images without values through
them.
"""

import json
import re
import shutil
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
import torch

from swiftseg.data import Dataset, open_dataset
from swiftseg.data.toy_street import ToyStreet
from swiftseg.losses.cross_entropy import WeightedCrossEntropy
from swiftseg.recipes import Recipe, load_recipe, shipped_recipes
from swiftseg.runs import RunFolder
from swiftseg.trained.checkpoint import load_checkpoint, stage_network
from swiftseg.training.loop import OpenSplit, train_recipe
from swiftseg.training.run_log import environment
from swiftseg.training.stage_data import open_stage_data
from swiftseg.training.step import TrainingStep
from tests.support.dataset_trees import TREES

HEAVY = {"fcn8s", "segnet", "shelfnet50", "shelfnet101", "shelfnet34_lw"}
SIZE_HW = (32, 32)
IMAGENET_MEAN = (0.485, 0.456, 0.406)


def networks_of(name: str) -> set[str]:
    return {stage.network for stage in load_recipe(name).stages}


NAMES = shipped_recipes()
OF_PAPERS = [name for name in NAMES if name != "enet_toystreet"]


def shrunk(name: str) -> Recipe:
    """Return a recipe that trains two steps a stage, from nothing that must be downloaded."""
    return load_recipe(name, [*overrides(load_recipe(name))])


def overrides(recipe: Recipe) -> Iterator[str]:
    yield f"input.size_hw={list(SIZE_HW)}"
    yield from ("batch_size=2", "precision=f32", "compile=false", "validate_every=2")
    if recipe.augmentation:
        yield f"augmentation.base_short_side={SIZE_HW[0]}"
        if recipe.augmentation.crop_hw:
            yield f"augmentation.crop_hw={list(SIZE_HW)}"
    for index, part in enumerate(recipe.datasets):
        if part.hold_out_share:
            yield f"datasets.{index}.hold_out_share=0.5"
    for index, stage in enumerate(recipe.stages):
        options = stage.without_backbone_weights().options
        yield f"stages.{index}.options={json.dumps(options)}"
        yield from (f"stages.{index}.epochs=2", f"stages.{index}.batch_size=2")


def made_up(recipe: Recipe, folder: Path) -> OpenSplit:
    """Opens two frames or so of each data set a recipe names, in that set's own tree."""

    def open_split(dataset: str | None, split: str) -> Dataset:
        if recipe.data == "toystreet":
            return ToyStreet(split, 2)
        root = folder / (dataset or "camvid")
        if not root.exists():
            TREES[root.name](root)
        return open_dataset(root, split, dataset)

    return open_split


@pytest.mark.parametrize("name", OF_PAPERS)
def test_the_header_tells_what_the_file_does_not(name: str):
    text = (files("swiftseg") / "recipes" / f"{name}.yaml").read_text(encoding="utf-8")
    header = re.match(r"(#.*\n)+", text)
    assert header is not None
    command = rf"^# command:   swiftseg train {name}( --(data|weights) \S+)*$"
    assert re.search(command, header[0], re.M)
    for key in ("expected", "hardware", "deviates"):
        assert re.search(rf"^# {key}:  \S", header[0], re.M), key
    assert load_recipe(name).name.replace("-", "_") == name


@pytest.mark.parametrize("name", NAMES)
def test_the_data_have_the_recipes_splits_and_classes(name: str, tmp_path: Path):
    recipe = shrunk(name)
    for data in open_stage_data(recipe, made_up(recipe, tmp_path), num_processes=1):
        assert len(data.val_set.labels) == recipe.num_classes
        assert data.steps_per_epoch >= 1


@pytest.mark.parametrize("name", [name for name in NAMES if networks_of(name) & HEAVY])
def test_the_networks_have_what_the_loss_asks_for(name: str):
    recipe = load_recipe(name)
    loss = WeightedCrossEntropy(None, ignore_index=255)
    cropped = recipe.augmentation and recipe.augmentation.crop_hw
    height, width = cropped or recipe.input.size_hw
    for stage in recipe.stages:
        with torch.device("meta"):
            network = stage_network(stage.without_backbone_weights(), recipe.num_classes)
            image = torch.empty(2, 3, height, width)
        spec = recipe.input.to_spec()
        step = TrainingStep(network, loss, recipe.loss, spec, coarse=stage.coarse)
        logits, aux_logits, presence, _ = step.outputs(image)
        factor = 8 if stage.coarse else 1
        assert logits.shape == (2, recipe.num_classes, height // factor, width // factor)
        assert all(aux.shape == logits.shape for aux in aux_logits)
        assert bool(aux_logits) == bool(recipe.loss.aux_weight)
        assert (presence is not None) == bool(recipe.loss.presence_weight)


@pytest.mark.parametrize("name", NAMES)
def test_only_the_first_stage_starts_from_imagenet_on_frames_as_imagenet_has_them(name: str):
    recipe = load_recipe(name)
    starts = ["backbone_weights" in stage.options for stage in recipe.stages]
    assert not any(starts[1:])
    if starts[0]:
        assert recipe.input.mean == IMAGENET_MEAN


@pytest.mark.parametrize(
    ("name", "frames", "iterations"),
    [
        ("segnet_camvid", 367, 40_000),
        ("segnet_cityscapes", 2_975, 40_000),
        ("segnet_sun_rgbd", 5_285, 40_000),
        ("segnet_basic_camvid", 367, 10_000),
        ("shelfnet18_lw_cityscapes", 2_975, 80_000),
        ("shelfnet34_lw_cityscapes", 2_975, 80_000),
    ],
)
def test_epochs_are_the_published_iterations(name: str, frames: int, iterations: int):
    recipe = load_recipe(name)
    [stage] = recipe.stages
    steps_per_epoch = frames // recipe.batch_size
    assert abs(stage.epochs * steps_per_epoch - iterations) <= steps_per_epoch / 2


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if networks_of(name) & HEAVY else name
        for name in NAMES
    ],
)
def test_two_steps_a_stage(name: str, tmp_path: Path):
    recipe = shrunk(name)
    run = RunFolder(tmp_path / "run")
    started = environment(["swiftseg", "train", name])
    evaluation = train_recipe(recipe, made_up(recipe, tmp_path), run, environment=started)
    assert len(evaluation.data_labels) == recipe.num_classes
    last = load_checkpoint(run.last)
    assert [epoch.stage for epoch in last.state.history] == [
        stage.name for stage in recipe.stages for _ in range(2)
    ]
    assert last.schedule["last_epoch"] >= 2
    shutil.rmtree(run.path)  # gigabytes, for FCN-8s
