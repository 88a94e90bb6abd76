"""Training the family on a device, tried on the CPU with a small data set."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.optim.swa_utils import AveragedModel
from torchvision.transforms.v2 import functional as V

from benchmarks.gpu import train_family
from benchmarks.gpu.batch_augment import BatchAugment
from benchmarks.gpu.captured_step import MovingAverage
from benchmarks.gpu.device_frames import RecipeData, stacked
from benchmarks.gpu.family_plan import (
    GROUPS,
    RUNS,
    Run,
    estimated_seconds,
    time_for,
    tiny_overrides,
)
from benchmarks.gpu.family_training import StageRun, is_scored
from benchmarks.gpu.network_changes import CHANGES, DropBranch
from benchmarks.gpu.weight_shards import WeightShards, read_run
from swiftseg.data import open_dataset
from swiftseg.data.views.void_class import WithVoidClass
from swiftseg.evaluation import evaluate
from swiftseg.inference import Segmenter
from swiftseg.layers.vgg16 import CONVOLUTIONS
from swiftseg.metrics import scores
from swiftseg.models import NETWORKS, create_model
from swiftseg.recipes.recipe import Augmentation
from swiftseg.runtimes.torch_backend import TorchBackend
from swiftseg.trained.checkpoint import TrainingState, model_spec
from swiftseg.training.stage import warmed_up_average
from swiftseg.training.stage_data import open_stage_data
from swiftseg.training.training_data import split_opener
from swiftseg.training.validation import recipe_protocol
from tests.support.dataset_trees import make_idd_lite, make_labelmefacade
from tests.support.tiny_camvid import make_tiny_camvid

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def camvid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_camvid(tmp_path_factory.mktemp("camvid"))


def frames(
    count: int = 4, size_hw: tuple[int, int] = (24, 32)
) -> tuple[torch.Tensor, torch.Tensor]:
    """Frames whose pixels tell their own mask value: image = 20 * mask in each channel."""
    mask = (torch.arange(size_hw[1]).repeat(count, size_hw[0], 1) // 4 + 1).to(torch.uint8)
    return (20 * mask)[..., None].repeat(1, 1, 1, 3), mask


def sizes(masks: torch.Tensor) -> torch.Tensor:
    return torch.tensor(masks.shape[1:]).float().expand(len(masks), 2)


def augment(size_hw: tuple[int, int] = (24, 32), seed: int = 0, **fields: object) -> BatchAugment:
    recipe = Augmentation.model_validate(fields)
    return BatchAugment(recipe, size_hw, ignore_index=255, device=CPU, seed=seed)


def test_nothing_to_draw_changes_nothing():
    images, masks = frames()
    changed, moved = augment()(images, masks, sizes(masks))
    assert torch.equal(moved, masks)
    # Each pixel is the mean of four samples around its center, which lie on a line here.
    assert (changed.int() - images.int()).abs()[:, :, 1:-1].max() <= 20 / 4


def test_image_and_mask_are_moved_alike():
    images, masks = frames()
    draw = augment(scale=(0.7, 1.6), horizontal_flip=0.5, rotation_degrees=10.0)
    changed, moved = draw(images, masks, sizes(masks))
    inside = moved != 255
    assert 0.3 < float(inside.float().mean()) < 1
    assert not changed[~inside].any()
    off = (changed[..., 0].float() - 20 * moved.float()).abs()[inside]
    assert float((off <= 20).float().mean()) > 0.97  # but for the frame's rim and turned edges


def test_frames_in_a_corner_are_drawn_as_if_they_were_alone():
    images, masks = frames(2)
    wide_images = torch.full((2, 30, 50, 3), 7, dtype=torch.uint8)
    wide_masks = torch.full((2, 30, 50), 7, dtype=torch.uint8)
    wide_images[:, :24, :32], wide_masks[:, :24, :32] = images, masks
    fields = {"scale": (0.7, 1.6), "horizontal_flip": 0.5, "rotation_degrees": 10.0}
    alone = augment(**fields)(images, masks, sizes(masks))
    in_corner = augment(**fields)(wide_images, wide_masks, sizes(masks))
    torch.testing.assert_close(in_corner[0], alone[0], atol=1, rtol=0)
    assert torch.equal(in_corner[1], alone[1])


def test_light_changes_within_the_limits_of_one_frames():
    level = torch.full((64, 8, 8, 3), 64, dtype=torch.uint8)
    masks = torch.zeros(64, 8, 8, dtype=torch.uint8)
    draw = augment(size_hw=(8, 8), gamma=0.5, white_balance=0.15)
    changed = draw(level, masks, sizes(masks))[0][:, 4, 4].float()  # (64, 3)
    green = changed[:, 1]
    assert 255 * (64 / 255) ** 1.5 - 1 <= float(green.min()) < 50
    assert 80 < float(green.max()) <= 255 * (64 / 255) ** (1 / 1.5) + 1
    ratio = changed[:, 0] / changed[:, 2]
    assert 1 / 1.16**2 - 0.05 < float(ratio.min()) < 0.9
    assert 1.1 < float(ratio.max()) < 1.16**2 + 0.05
    dark = augment(size_hw=(8, 8), dusk=1.0)(level, masks, sizes(masks))[0].float()
    assert float(dark.mean()) < 0.75 * 64
    assert float(dark.std(dim=(1, 2)).mean()) > 1  # noise


def test_a_flip_mirrors():
    images, masks = frames()
    changed, moved = augment(horizontal_flip=1.0)(images, masks, sizes(masks))
    assert torch.equal(moved, masks.flip(2))
    assert torch.equal(changed, augment()(images, masks, sizes(masks))[0].flip(2))


def test_a_doubled_frame_is_torchvisions():
    torch.manual_seed(0)
    image = torch.rand(1, 3, 12, 16).mul(255)
    images = image.permute(0, 2, 3, 1).to(torch.uint8)
    masks = torch.zeros(1, 12, 16, dtype=torch.uint8)
    draw = augment(size_hw=(24, 32), scale=(1.0, 1.0), base_short_side=24)
    changed, _ = draw(images, masks, sizes(masks))
    expected = V.resize(images.permute(0, 3, 1, 2), [24, 32], antialias=True)
    smoothed = torch.nn.functional.avg_pool2d(expected.float(), 2)
    ours = torch.nn.functional.avg_pool2d(changed.permute(0, 3, 1, 2).float(), 2)
    assert (ours - smoothed).abs().mean() < 4


def test_colors_change_as_torchvision_changes_them():
    torch.manual_seed(0)
    images = torch.randint(60, 180, (1, 24, 32, 3), dtype=torch.uint8)
    masks = torch.zeros(1, 24, 32, dtype=torch.uint8)
    plain = augment()(images, masks, sizes(masks))[0].permute(0, 3, 1, 2)

    class Fixed(BatchAugment):
        def factor(self, strength: float, crops: torch.Tensor) -> torch.Tensor:
            return torch.full((1, 1, 1, 1), 1.25)

    for name, changed_by in (
        ("brightness", V.adjust_brightness),
        ("contrast", V.adjust_contrast),
        ("saturation", V.adjust_saturation),
    ):
        recipe = Augmentation.model_validate({name: 0.5})
        fixed = Fixed(recipe, (24, 32), ignore_index=255, device=CPU, seed=0)
        changed = fixed(images, masks, sizes(masks))[0].permute(0, 3, 1, 2)
        assert (changed.int() - changed_by(plain, 1.25).int()).abs().max() <= 2, name


def test_a_blur_is_torchvisions(monkeypatch: pytest.MonkeyPatch):
    from benchmarks.gpu.batch_augment import blurred

    image = torch.rand(2, 3, 9, 11)
    both = blurred(image, torch.tensor([0.3, 1.0]))
    for index, radius in enumerate((0.3, 1.0)):
        expected = V.gaussian_blur(image[index], [5, 5], [radius, radius])
        torch.testing.assert_close(both[index], expected)


def test_averages_are_those_of_swiftsegs_training():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3))
    expected = AveragedModel(network, multi_avg_fn=warmed_up_average(0.9), use_buffers=True)
    ours = MovingAverage(network, 0.9)
    for _ in range(12):
        with torch.no_grad():
            for parameter in network.parameters():
                parameter += torch.randn_like(parameter)
        expected.update_parameters(network)
        ours.update()
    with ours.in_place():
        for name, tensor in expected.module.state_dict().items():
            if tensor.is_floating_point():
                torch.testing.assert_close(network.state_dict()[name], tensor)


def test_shares_divide_what_is_left():
    first, second, third = RUNS[:3]
    row = GROUPS["rows"][0]
    assert time_for(row, RUNS, 100.0) == 100.0  # rows of a table are as long as each other
    whole = first.share + second.share + third.share
    assert time_for(first, RUNS[:3], 100.0) == pytest.approx(100 * first.share / whole)
    assert time_for(third, (third,), 7.0) == 7.0
    assert estimated_seconds(gmacs=2.0, frames=1000, tflops=12.0) == pytest.approx(1.0)


def test_each_network_of_the_papers_has_a_run_of_either_kind():
    networks = {run.recipe().stages[-1].network: set() for run in RUNS}
    for run in (*GROUPS["papers"], *GROUPS["wide"], *GROUPS["narrow"]):
        networks[run.recipe().stages[-1].network].add(run.name.split()[1])
    variants = {"enet_encoder", "bayesian_segnet", "bayesian_segnet_basic", "shelfnet101"}
    assert networks.keys() == NETWORKS.keys() - variants
    assert all(kinds >= {"paper", "ours"} for kinds in networks.values())


def test_six_networks_get_most_of_the_time():
    first = {run.recipe().stages[-1].network for run in RUNS[:6]}
    assert first == {"enet", "segnet", "segnet_basic", "fcn8s", "shelfnet50", "fast_scnn"}
    for count in (5, 7, 40):
        assert sum(is_scored(epoch, count) for epoch in range(1, count + 1)) <= 6
        assert is_scored(count, count)


def test_a_stage_learns(camvid: Path):
    run = next(run for run in RUNS if run.name == "fast_scnn ours")
    overrides = (*tiny_overrides(run), "batch_size=6", "stages.0.epochs=30", "ema=0.9")
    recipe = run.recipe(overrides)
    stage = StageRun(
        recipe,
        0,
        RecipeData(recipe, {"camvid": camvid}, CPU),
        start={},
        change=None,
        backbones=None,
        compiled=False,
        captured=True,
    )
    result = stage.run(1000.0)
    losses = [row["loss"] for row in result.facts["curve"]]
    assert losses[-1] < losses[0] / 2
    assert result.facts["epochs_done"] == 30


def test_scores_are_those_of_the_evaluator(camvid: Path):
    run = next(run for run in RUNS if run.name == "segfast paper")
    recipe = run.recipe(("input.size_hw=[20, 28]", "batch_size=2"))
    data = RecipeData(recipe, {"camvid": camvid}, CPU)
    stage = StageRun(
        recipe, 0, data, start={}, change=None, backbones=None, compiled=False, captured=False
    )
    val_set = WithVoidClass(open_dataset(camvid, "val"))
    spec = model_spec(recipe, val_set.labels, TrainingState())
    segmenter = Segmenter(TorchBackend(stage.network, spec))

    expected = evaluate(segmenter, val_set, protocol=recipe_protocol(recipe), show_progress=False)

    assert np.array_equal(stage.scored()["native"].numpy(), expected.matrix)


def test_the_family_is_trained_end_to_end(camvid: Path, tmp_path: Path):
    torch.manual_seed(0)
    names = "enet paper;segfast paper;enet ours"
    train_family.main(
        [
            "--data",
            str(camvid),
            "--out",
            str(tmp_path),
            "--device",
            "cpu",
            "--tiny",
            "--only",
            names,
        ]
    )
    told = json.loads((tmp_path / "train_family.json").read_text("utf-8"))
    assert told["state"] == "done"
    assert [row["run"] for row in told["runs"]] == names.split(";")
    enet, segfast, ours = told["runs"]
    assert [stage["stage"] for stage in enet["stages"]] == ["encoder", "full"]
    assert enet["stages"][1]["started_from_tensors"] > 100
    assert ours["starts_from"] == "enet paper"
    assert ours["stages"][0]["started_from_tensors"] == len(read_run(tmp_path, "enet paper"))
    assert segfast["scores"].keys() == {"native", "segfast"}
    for row in told["runs"]:
        matrix = np.array(row["confusion"]["native"])
        assert row["scores"]["native"]["mean_iou"] == pytest.approx(scores(matrix).mean_iou)
    assert segfast["weights"]


def test_a_run_that_fails_costs_itself_alone(
    camvid: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    train, tried = train_family.Family.train, []

    def failing(self: train_family.Family, run: Run, seconds: float) -> None:
        tried.append(run.name)
        if len(tried) == 1:
            raise RuntimeError("out of memory\nand so on")
        train(self, run, seconds)

    monkeypatch.setattr(train_family.Family, "train", failing)
    names = "segfast paper;segfast_basic paper"
    train_family.main(
        [
            "--data",
            str(camvid),
            "--out",
            str(tmp_path),
            "--device",
            "cpu",
            "--tiny",
            "--only",
            names,
        ]
    )
    first, second = json.loads((tmp_path / "train_family.json").read_text("utf-8"))["runs"]
    assert first == {"run": "segfast paper", "failed": "RuntimeError: out of memory"}
    assert "native" in second["scores"]


def test_convolutions_start_from_a_backbones_file(camvid: Path, tmp_path: Path):
    run = next(run for run in RUNS if run.name == "segnet paper")
    recipe = run.recipe(tiny_overrides(run))
    from benchmarks.gpu.family_plan import unfilled_network

    encoder = unfilled_network(recipe.stages[0], 11).encoder
    convolutions = [module for module in encoder.modules() if isinstance(module, nn.Conv2d)]
    weights = {}
    for name, conv in zip(CONVOLUTIONS, convolutions, strict=True):
        weights[f"{name}.weight"] = torch.full_like(conv.weight, 0.5).half()
        weights[f"{name}.bias"] = torch.full_like(conv.bias, 0.25).half()
    save_file(weights, tmp_path / "vgg16-convolutions.safetensors")
    stage = StageRun(
        recipe,
        0,
        RecipeData(recipe, {"camvid": camvid}, CPU),
        start={},
        change=None,
        backbones=tmp_path,
        compiled=False,
        captured=False,
    )
    for module in stage.network.encoder.modules():
        if isinstance(module, nn.Conv2d):
            assert bool((module.weight == 0.5).all())
            assert bool((module.bias == 0.25).all())


def test_choices_of_the_enet_paper_are_undone():
    sizes = {}
    for change in (None, *CHANGES):
        network = create_model("enet", num_classes=11)
        if change:
            CHANGES[change](network)
        sizes[change] = sum(p.numel() for p in network.parameters())
        assert network.train()(torch.rand(2, 3, 64, 96)).shape == (2, 11, 64, 96)
        dilated = [m for m in network.modules() if getattr(m, "dilation", (1, 1)) == (2, 2)]
        assert bool(dilated) == (change != "without dilation")
        inside = [type(module) for module in network.encoder.modules()]
        assert (nn.PReLU in inside) == (change != "ReLU in the encoder")
    # Two projections of 16 to 16 and 64 to 32 maps see one pixel in place of four.
    assert sizes[None] - sizes["1x1 projection"] == 3 * (16 * 16 + 64 * 32)
    assert sizes["without dilation"] == sizes["stochastic depth"] == sizes[None]


def test_stochastic_depth_drops_whole_branches_and_keeps_the_mean():
    torch.manual_seed(0)
    drop = DropBranch(0.25).train()
    dropped = drop(torch.ones(4000, 2, 3, 3))
    assert dropped.unique().tolist() == pytest.approx([0.0, 1 / 0.75])
    assert bool((dropped == dropped[:, :1, :1, :1]).all())
    assert float(dropped.mean()) == pytest.approx(1, abs=0.05)
    assert bool((drop.eval()(dropped) == dropped).all())


def test_weights_are_kept_in_files_of_a_limited_size(tmp_path: Path):
    shards = WeightShards(tmp_path, file_mib=0.05, run_mib=0.2, total_mib=0.3)
    small = {f"conv.{i}.weight": torch.randn(100, 100) for i in range(5)}
    assert shards.add("a b", small) == [f"weights-{i}.safetensors" for i in range(3)]
    assert shards.add("large", {"w": torch.randn(1000, 1000)}) == []
    assert max(path.stat().st_size for path in tmp_path.iterdir()) < 0.05 * (1 << 20) + 400
    read = read_run(tmp_path, "a b")
    assert read.keys() == small.keys()
    for name, tensor in small.items():
        torch.testing.assert_close(read[name], tensor, rtol=1e-3, atol=1e-3)
    with pytest.raises(KeyError):
        read_run(tmp_path, "a")


def test_frames_are_those_of_the_data_set(camvid: Path):
    run = next(run for run in RUNS if run.name == "segfast paper")
    recipe = run.recipe(("input.size_hw=[16, 16]",))
    data = RecipeData(recipe, {"camvid": camvid}, CPU)
    assert data.train[0].shape == (6, 16, 16, 3)
    assert data.val_masks.shape == (2, 24, 32)
    assert int(data.val_masks.max()) == 11  # void as a class
    labels = data.small_val_masks
    matrices = data.confusions(labels)
    assert scores(matrices["segfast"].numpy()).global_accuracy == 1.0
    assert stacked(data.read("train", (16, 16)))[0].shape == (6, 16, 16, 3)


def test_streets_lie_as_they_are_and_come_in_the_trainings_order(camvid: Path, tmp_path: Path):
    folders = {
        "camvid": camvid,
        "idd_lite": make_idd_lite(tmp_path / "idd"),
        "labelmefacade": make_labelmefacade(tmp_path / "facades"),
    }
    run = next(run for run in RUNS if run.name == "fast_scnn streets")
    held_out = [f"datasets.{index}.hold_out_share=0.5" for index in (1, 2)]
    recipe = run.recipe((*tiny_overrides(run), *held_out))
    data = RecipeData(recipe, folders, CPU)
    opened = split_opener("streets", {name: str(path) for name, path in folders.items()})
    [expected] = open_stage_data(recipe, opened, 1)

    images, masks, frame_hw = data.train

    for index, (height, width) in enumerate(frame_hw.int().tolist()):
        image, mask = expected.frames[index]
        assert torch.equal(images[index, :height, :width], image)
        assert torch.equal(masks[index, :height, :width], mask)
    assert len({tuple(size) for size in frame_hw.tolist()}) > 1
    batches = [[draw % len(images) for draw in batch] for batch in expected.batches((0, 0, 3))]
    assert data.batches(2, (0, 0, 3)) == batches
