"""Knowledge distillation: a network learns another one's probabilities."""

import torch
from torch import Tensor
from torch.nn import functional as F

from swiftseg.losses.set_losses import is_of_set

IMPOSSIBLE = -1e4  # a logit whose probability is zero; from an infinite one, none would follow


def distillation_loss(
    logits: Tensor,
    teacher_logits: Tensor,
    mask: Tensor,
    *,
    temperature: float,
    ignore_index: int,
    members: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Sum the Kullback-Leibler divergence from the teacher's probabilities over counted pixels.

    Hinton, Vinyals, Dean, "Distilling the knowledge in a neural network", 2015: both networks'
    logits are divided by the temperature, and the divergence is multiplied by its square, which
    keeps the gradient's size. What the mask ignores is left out: it may lie outside the frame.

    Args:
        logits: float (N, C, H, W).
        teacher_logits: float (N, C, H, W).
        mask: int (N, H, W).
        temperature: Above zero; the larger, the softer.
        ignore_index: The mask value that counts nowhere.
        members: bool (256, C), which classes each mask value may be; None where each is one. Where
            it is one of several, the teacher chooses among these alone.

    Returns:
        The sum, and the number of counted pixels.
    """
    if members is not None:
        impossible = (is_of_set(mask, members)[..., None] & ~members[mask]).movedim(-1, 1)
        teacher_logits = teacher_logits.float().masked_fill(impossible, IMPOSSIBLE * temperature)
    student = F.log_softmax(logits.float() / temperature, dim=1)
    teacher = F.log_softmax(teacher_logits.float() / temperature, dim=1)
    divergence = F.kl_div(student, teacher, reduction="none", log_target=True).sum(1)  # (N, H, W)
    counted = mask != ignore_index
    loss_sum = torch.where(counted, divergence, 0).sum() * temperature**2
    return loss_sum, counted.sum().float()
