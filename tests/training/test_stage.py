"""One step of a training against torch alone, and exact resume with all that a recipe can ask."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.data.published.camvid import CAMVID_LABELS
from swiftseg.losses.cross_entropy import WeightedCrossEntropy
from swiftseg.models import NETWORKS, create_model
from swiftseg.recipes.recipe import Distillation
from swiftseg.runs.state import StoppedError
from swiftseg.trained.checkpoint import (
    Checkpoint,
    TrainingState,
    load_checkpoint,
    save_checkpoint,
)
from swiftseg.training.criterion import Criterion
from swiftseg.training.stage import warmed_up_average
from swiftseg.training.teacher import load_teacher
from tests.support import plain_training
from tests.support.plain_training import (
    CLASS_WEIGHTS,
    LR,
    Plain,
    after_steps,
    all_losses,
    noise_batch,
    plain_recipe,
    plain_teacher,
)
from tests.support.tiny_training import run_tiny, stop_after, tiny_recipe


@pytest.fixture(autouse=True)
def plain_network(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(NETWORKS, "plain", Plain)  # type: ignore[arg-type]


def assert_close(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    for name, tensor in theirs.items():
        torch.testing.assert_close(ours[name], tensor, atol=2e-6, rtol=2e-5)


def test_a_step_is_torchs_own_gradient_step():
    cross_entropy = WeightedCrossEntropy(CLASS_WEIGHTS, ignore_index=255)
    ours, loss = after_steps(plain_recipe(), Criterion([(1.0, cross_entropy)]))
    torch.manual_seed(0)
    network = Plain(3)
    frames, masks = noise_batch()
    logits = network(frames.movedim(-1, 1).float() / 255)
    expected = F.cross_entropy(logits, masks.long(), CLASS_WEIGHTS, ignore_index=255)
    expected.backward()
    assert loss == pytest.approx(expected.item())
    with torch.no_grad():
        for parameter in network.parameters():
            parameter -= LR * parameter.grad
    assert_close(ours, network.state_dict())


@pytest.mark.parametrize("parts", [2, 4, 6])
@pytest.mark.parametrize("coarse", [False, True])
def test_a_batch_in_parts_has_the_gradient_of_the_whole(parts: int, coarse: bool):
    stage, teacher = {"coarse": coarse}, plain_teacher()
    whole, loss = after_steps(plain_recipe(stage=stage), all_losses(), teacher)
    in_parts = plain_recipe(stage=stage, accumulate=parts)
    divided, same_loss = after_steps(in_parts, all_losses(), teacher)
    assert same_loss == pytest.approx(loss, rel=1e-5)
    assert_close(divided, whole)


@pytest.mark.parametrize("parts", [1, 2])
def test_two_processes_take_the_steps_of_one(parts: int, tmp_path: Path):
    """Every loss, distillation and accumulation included; the processes speak gloo."""
    out = tmp_path / "weights.pt"
    script = Path(plain_training.__file__)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command = [*launcher, "--nproc-per-node", "2", str(script), str(out), str(parts)]
    environment = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    subprocess.run(command, check=True, env=environment, capture_output=True, timeout=600)
    found = torch.load(out, weights_only=True)
    weights, loss = after_steps(plain_recipe(), all_losses(), plain_teacher(), steps=3)
    assert found["processes"] == 2
    assert found["loss"] == pytest.approx(loss, rel=1e-5)
    assert_close(found["weights"], weights)


def test_the_average_of_few_steps_forgets_the_start_and_that_of_many_decays_as_told():
    network = torch.nn.Linear(1, 1, bias=False)
    averaged = AveragedModel(network, multi_avg_fn=warmed_up_average(0.9))
    expected = 0.0
    for step in range(200):
        with torch.no_grad():
            network.weight.fill_(float(step % 7))
        averaged.update_parameters(network)
        # The first update copies; TensorFlow's decay is min(0.9, (1 + n) / (10 + n)) from then on.
        decay = min(0.9, (1 + step) / (10 + step)) if step else 0.0
        expected = decay * expected + (1 - decay) * (step % 7)
        assert averaged.module.weight.item() == pytest.approx(expected, abs=1e-5)


def test_frozen_modules_stay_to_the_bit():
    fresh, _ = after_steps(plain_recipe(), all_losses(), steps=0)
    after, _ = after_steps(plain_recipe(stage={"freeze": ["backbone"]}), all_losses())
    for name, tensor in fresh.items():
        assert torch.equal(after[name], tensor) == name.startswith("backbone"), name


def test_too_many_parts_and_a_wrong_name_are_said_before_anything_is_written(tmp_path: Path):
    with pytest.raises(SwiftsegError, match=r"batch of 2 .* in 3 parts; set accumulate to 2 or"):
        run_tiny(tmp_path, tiny_recipe("accumulate=3"))
    with pytest.raises(UsageError, match="unknown module to freeze 'decoderr'; did you mean dec"):
        run_tiny(tmp_path, tiny_recipe("stages.1.freeze=[decoderr]"))
    with pytest.raises(UsageError, match="unknown network 'enett'; did you mean enet"):
        run_tiny(tmp_path, tiny_recipe("stages.1.network=enett"))
    assert not (tmp_path / "run").exists()


def save_teacher(path: Path) -> Path:
    torch.manual_seed(4)
    weights = create_model("enet", num_classes=11).state_dict()
    save_checkpoint(Checkpoint(tiny_recipe(), CAMVID_LABELS, TrainingState(1, 1), weights), path)
    return path


def test_stop_and_resume_with_all_that_a_recipe_can_ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    asked = tiny_recipe(
        "ema=0.9",
        "augmentation={scale: [0.8, 1.6], class_balanced: 0.5}",
        "loss={lovasz_weight: 0.5, dice_weight: 0.5}",
        f"distillation={{teacher: {save_teacher(tmp_path / 'teacher.pt')}, temperature: 2}}",
        "accumulate=2",
        "reestimate_batch_norm=true",
        "sync_batch_norm=true",
        "stages.1.freeze=[encoder.initial]",
    )
    through, _ = run_tiny(tmp_path, asked, name="through")
    with stop_after(5, monkeypatch), pytest.raises(StoppedError):
        run_tiny(tmp_path, asked, name="stopped")
    stopped, _ = run_tiny(tmp_path, asked, resume=True, name="stopped")
    for path in ("best.pt", "last.pt", "best_encoder.pt"):
        ours, theirs = (load_checkpoint(run.path / path) for run in (stopped, through))
        for part in ("network", "averaged"):
            for key, tensor in getattr(theirs, part).items():
                assert torch.equal(getattr(ours, part)[key], tensor), f"{path}: {part} {key}"
    # What is frozen starts from the stage before, and its statistics stay as well.
    encoder = load_checkpoint(through.stage_best(asked, 0))
    last = load_checkpoint(through.last)
    for key in (key for key in encoder.network if key.startswith("encoder.initial.")):
        assert torch.equal(last.network[key], encoder.network[key]), key
    teaching = Distillation(teacher=str(through.best))
    load_teacher(teaching, last.labels, size_hw=asked.input.size_hw)
