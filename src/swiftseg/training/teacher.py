"""The trained network that a recipe's distillation learns from."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from swiftseg.core import LabelSet, ModelSpec, SwiftsegError
from swiftseg.inference.found_model import find_weights
from swiftseg.layers.resizing import upsample_to
from swiftseg.losses.distillation_loss import distillation_loss
from swiftseg.losses.set_losses import members_of
from swiftseg.recipes.recipe import Distillation
from swiftseg.runtimes.torch_backend import FrameGraph
from swiftseg.trained import load_trained
from swiftseg.training.criterion import padding_index


class Teacher(nn.Module):
    """A trained network and how much is learned from it; it stays in eval mode and as it is.

    Args:
        network: Maps float32 (N, 3, H, W) to logits (N, C, H, W).
        spec: Describes it; frames are normalized as it says, whatever the student's recipe says.
        settings: Weight and temperature.
        size_hw: The student's input. A teacher trained at twice that size sees its frames and
            crops enlarged to twice their size, so that things look as large as it knows them.
        ignore_index: The mask value that counts nowhere.
        members: bool (256, C), which classes each mask value may be; None where each is one.
    """

    members: Tensor | None

    def __init__(
        self,
        network: nn.Module,
        spec: ModelSpec,
        settings: Distillation,
        *,
        size_hw: tuple[int, int],
        ignore_index: int,
        members: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.register_buffer("members", members, persistent=False)
        network = network.to(memory_format=torch.channels_last)
        self.graph = FrameGraph(network, spec.input, "logits").eval().requires_grad_(False)
        self.settings = settings
        self.teacher_hw, self.student_hw = spec.input.size_hw, size_hw
        self.ignore_index = ignore_index

    def train(self, mode: bool = True) -> "Teacher":
        """Stay in eval mode, whatever mode the training step is put in."""
        return super().train(mode=False)

    def forward(self, frames: Tensor, logits: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Compare a student's logits with the teacher's on the same frames.

        Args:
            frames: uint8 (N, H, W, 3), what the student has seen.
            logits: float (N, C, h, w); the teacher's are taken at the same pixels as the mask's.
            mask: int64 (N, h, w).

        Returns:
            The weighted sum of divergences, and the number of counted pixels.
        """
        with torch.no_grad():
            taught = self.logits(frames)
            if taught.shape[-2:] != logits.shape[-2:]:
                taught = F.interpolate(taught, size=logits.shape[-2:], mode="nearest-exact")
        loss_sum, normalizer = distillation_loss(
            logits,
            taught,
            mask,
            temperature=self.settings.temperature,
            ignore_index=self.ignore_index,
            members=self.members,
        )
        return self.settings.weight * loss_sum, normalizer

    def logits(self, frames: Tensor) -> Tensor:
        """Return the teacher's logits, float32 (N, C, H, W), on frames uint8 (N, H, W, 3)."""
        if self.teacher_hw == self.student_hw:
            return self.graph.logits(frames)
        size_hw = frames.shape[1:3]
        ratios = zip(size_hw, self.teacher_hw, self.student_hw, strict=True)
        images = F.interpolate(
            frames.movedim(-1, 1).float(),
            size=[max(1, round(size * theirs / ours)) for size, theirs, ours in ratios],
            mode="bilinear",
            antialias=True,
        )
        return upsample_to(self.graph.logits(images.movedim(1, -1)), size_hw)

    def normalizer(self, mask: Tensor) -> Tensor:
        """Count the pixels that are compared."""
        return (mask != self.ignore_index).sum().float()


def load_teacher(settings: Distillation, labels: LabelSet, *, size_hw: tuple[int, int]) -> Teacher:
    """Read the teacher that a recipe names; see `Teacher` for the sizes.

    Raises:
        UsageError: There are no weights of that name.
        SwiftsegError: Its file is missing or damaged, or its classes are not `labels`.
    """
    network, spec = load_trained(find_weights(settings.teacher))
    if spec.labels.names != labels.names:
        raise SwiftsegError(
            f"teacher {settings.teacher} has the classes {', '.join(spec.labels.names)} where the "
            f"data have {', '.join(labels.names)}; a teacher must be trained on the same classes"
        )
    return Teacher(
        network,
        spec,
        settings,
        size_hw=size_hw,
        ignore_index=padding_index(labels),
        members=members_of(labels),
    )
