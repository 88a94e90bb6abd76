"""Steps of a network that is plain enough to know its gradient by torch alone.

Run by torchrun, each process takes its share of the batch: `plain_training.py OUT PARTS` writes
what the steps have made of the weights.
"""

import sys
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from swiftseg.core import InputSpec, LabelSet, ModelSpec
from swiftseg.layers.training_outputs import TrainingOutputs
from swiftseg.losses.cross_entropy import WeightedCrossEntropy
from swiftseg.losses.dice import DiceLoss
from swiftseg.losses.lovasz import LovaszSoftmax
from swiftseg.models import NETWORKS
from swiftseg.recipes.recipe import Distillation, Recipe
from swiftseg.training.criterion import Criterion
from swiftseg.training.stage import StageTraining
from swiftseg.training.teacher import Teacher

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

    def training_outputs(self, image: Tensor) -> TrainingOutputs:
        logits = self(image)
        return TrainingOutputs(logits, coarse=logits[..., ::2, ::2])


def plain_recipe(**fields: Any) -> Recipe:
    stage = {"name": "full", "network": "plain", "epochs": 1, "schedule": {"name": "constant"}}
    stage |= fields.pop("stage", {})
    base: dict[str, Any] = {
        "name": "plain", "training_data": "noise", "license_note": "none", "num_classes": 3,
        "input": {"size_hw": (8, 10)}, "batch_size": 6, "stages": [stage],
        "optimizer": {"name": "sgd", "lr": LR, "momentum": 0.0},
    }  # fmt: skip
    return Recipe.model_validate(base | fields)


def noise_batch() -> tuple[Tensor, Tensor]:
    """Return frames uint8 (6, 8, 10, 3) and masks uint8 (6, 8, 10), some with much void."""
    generator = torch.Generator().manual_seed(0)
    frames = torch.randint(0, 256, (6, 8, 10, 3), generator=generator, dtype=torch.uint8)
    masks = torch.randint(0, 3, (6, 8, 10), generator=generator, dtype=torch.uint8)
    masks[0, :6] = masks[3, 2] = masks[4] = 255
    return frames, masks


def all_losses() -> Criterion:
    cross_entropy = WeightedCrossEntropy(CLASS_WEIGHTS, ignore_index=255)
    dice, lovasz = DiceLoss(ignore_index=255), LovaszSoftmax(ignore_index=255)
    return Criterion([(1.0, cross_entropy), (0.5, dice), (0.3, lovasz)])


def plain_teacher() -> Teacher:
    teaching = Distillation(teacher="none", weight=0.7, temperature=2.0)
    torch.manual_seed(9)
    spec = ModelSpec("plain", "plain", LABELS, InputSpec((8, 10), mean=(0.5, 0.5, 0.5)))
    return Teacher(Plain(3), spec, teaching, size_hw=(8, 10), ignore_index=255)


def after_steps(
    recipe: Recipe, criterion: Criterion, teacher: Teacher | None = None, *, steps: int = 1
) -> tuple[dict[str, Tensor], float]:
    """Return the weights after some steps on the same batch, and the last loss."""
    accelerator = Accelerator(cpu=True)
    training = StageTraining(recipe, 0, LABELS, criterion, accelerator, 1, teacher)
    rank, count = accelerator.process_index, accelerator.num_processes
    frames, masks = (tensor[rank::count] for tensor in noise_batch())
    loss = 0.0
    for _ in range(steps):
        loss, _ = training.run_step(frames, masks, stop=False)
    return training.network.state_dict(), loss


def main(out: str, parts: str) -> None:
    NETWORKS["plain"] = Plain  # type: ignore[index]
    recipe = plain_recipe(accumulate=int(parts))
    weights, loss = after_steps(recipe, all_losses(), plain_teacher(), steps=3)
    processes = torch.distributed.get_world_size()
    if torch.distributed.get_rank() == 0:
        torch.save({"weights": weights, "loss": loss, "processes": processes}, out)
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
