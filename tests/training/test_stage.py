"""One step of a training against torch alone, and exact resume with all that a recipe can ask."""

from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn import functional as F

from swiftseg.core import InputSpec, LabelSet, ModelSpec, SwiftsegError, UsageError
from swiftseg.data.camvid import CAMVID_LABELS
from swiftseg.losses import DiceLoss, LovaszSoftmax, WeightedCrossEntropy
from swiftseg.models import NETWORKS, create_model
from swiftseg.training import Recipe
from swiftseg.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from swiftseg.training.criterion import Criterion
from swiftseg.training.distillation import Teacher, load_teacher
from swiftseg.training.recipe import Distillation
from swiftseg.training.stage import StageTraining
from swiftseg.training.stopping import StoppedError
from tests.support.tiny_training import run_tiny, stop_after, tiny_recipe

LABELS = LabelSet(("a", "b", "c"), ((0, 0, 0), (1, 1, 1), (2, 2, 2)), 255)
LR = 0.5
CLASS_WEIGHTS = torch.tensor([1.0, 2.0, 5.0])


class Plain(nn.Module):
    """A network without batch normalization and dropout."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.backbone = nn.Conv2d(3, 4, 3, padding=1)
        self.head = nn.Conv2d(4, num_classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.backbone(image).relu())

    def forward_coarse(self, image: Tensor) -> Tensor:
        return self(image)[..., ::2, ::2]


def recipe(**fields: Any) -> Recipe:
    stage = {"name": "full", "network": "plain", "epochs": 1, "schedule": {"name": "constant"}}
    stage |= fields.pop("stage", {})
    base: dict[str, Any] = {
        "name": "plain", "training_data": "noise", "license_note": "none", "num_classes": 3,
        "input": {"size_hw": (8, 10)}, "batch_size": 5, "stages": [stage],
        "optimizer": {"name": "sgd", "lr": LR, "momentum": 0.0},
    }  # fmt: skip
    return Recipe.model_validate(base | fields)


def batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    frames = torch.randint(0, 256, (5, 8, 10, 3), generator=generator, dtype=torch.uint8)
    masks = torch.randint(0, 3, (5, 8, 10), generator=generator, dtype=torch.uint8)
    masks[0, :6] = masks[3, 2] = masks[4] = 255  # parts with more and with less void
    return frames, masks


def criterion() -> Criterion:
    cross_entropy = WeightedCrossEntropy(CLASS_WEIGHTS, ignore_index=255)
    dice, lovasz = DiceLoss(ignore_index=255), LovaszSoftmax(ignore_index=255)
    return Criterion([(1.0, cross_entropy), (0.5, dice), (0.3, lovasz)])


def after_a_step(
    of: Recipe, terms: Criterion, teacher: Teacher | None = None
) -> tuple[dict[str, Tensor], float]:
    training = StageTraining(of, 0, LABELS, terms, Accelerator(cpu=True), 1, teacher)
    loss, _ = training.run_step(*batch(), stop=False)
    return training.network.state_dict(), loss


@pytest.fixture(autouse=True)
def plain_network(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(NETWORKS, "plain", Plain)  # type: ignore[arg-type]


def assert_close(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    for name, tensor in theirs.items():
        torch.testing.assert_close(ours[name], tensor, atol=2e-6, rtol=2e-5)


def test_a_step_is_torchs_own_gradient_step():
    ours, loss = after_a_step(
        recipe(), Criterion([(1.0, WeightedCrossEntropy(CLASS_WEIGHTS, ignore_index=255))])
    )
    torch.manual_seed(0)
    network = Plain(3)
    frames, masks = batch()
    logits = network(frames.movedim(-1, 1).float() / 255)
    expected = F.cross_entropy(logits, masks.long(), CLASS_WEIGHTS, ignore_index=255)
    expected.backward()
    assert loss == pytest.approx(expected.item())
    with torch.no_grad():
        for parameter in network.parameters():
            parameter -= LR * parameter.grad
    assert_close(ours, network.state_dict())


@pytest.mark.parametrize("parts", [2, 3, 5])
@pytest.mark.parametrize("coarse", [False, True])
def test_a_batch_in_parts_has_the_gradient_of_the_whole(parts: int, coarse: bool):
    teaching = Distillation(teacher="none", weight=0.7, temperature=2.0)
    torch.manual_seed(9)
    spec = ModelSpec("plain", "plain", LABELS, InputSpec((8, 10), mean=(0.5, 0.5, 0.5)))
    teacher = Teacher(Plain(3), spec, teaching, ignore_index=255)
    stage = {"coarse": coarse}
    whole, loss = after_a_step(recipe(stage=stage), criterion(), teacher)
    divided, same_loss = after_a_step(recipe(stage=stage, accumulate=parts), criterion(), teacher)
    assert same_loss == pytest.approx(loss, rel=1e-5)
    assert_close(divided, whole)


def test_frozen_modules_stay_to_the_bit():
    before = StageTraining(recipe(), 0, LABELS, criterion(), Accelerator(cpu=True), 1)
    fresh = {name: tensor.clone() for name, tensor in before.network.state_dict().items()}
    after, _ = after_a_step(recipe(stage={"freeze": ["backbone"]}), criterion())
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
    save_checkpoint(Checkpoint(tiny_recipe(), CAMVID_LABELS, 1, 1, weights), path)
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
    encoder = load_checkpoint(through.stage_best("encoder"))
    last = load_checkpoint(through.last)
    for key in (key for key in encoder.network if key.startswith("encoder.initial.")):
        assert torch.equal(last.network[key], encoder.network[key]), key
    load_teacher(Distillation(teacher=str(through.best)), last.labels, ignore_index=11)
