import torch
from torch.distributions import Categorical, kl_divergence

from swiftseg.losses.distillation import distillation_loss

IGNORE = 255


def test_it_is_the_divergence_of_the_softened_probabilities():
    generator = torch.Generator().manual_seed(0)
    logits, taught = (torch.randn(2, 3, 4, 5, generator=generator) for _ in range(2))
    mask = torch.zeros(2, 4, 5, dtype=torch.long)
    mask[:, 1] = IGNORE
    loss_sum, count = distillation_loss(logits, taught, mask, temperature=2.0, ignore_index=IGNORE)
    student, teacher = (Categorical(logits=x.movedim(1, -1) / 2) for x in (logits, taught))
    divergence = kl_divergence(teacher, student)[mask != IGNORE]
    assert float(count) == divergence.numel() == 30
    torch.testing.assert_close(loss_sum, 4 * divergence.sum())


def test_a_student_that_says_the_same_has_no_loss():
    logits = torch.randn(1, 3, 2, 2)
    mask = torch.zeros(1, 2, 2, dtype=torch.long)
    loss_sum, _ = distillation_loss(logits, logits + 5, mask, temperature=3.0, ignore_index=IGNORE)
    torch.testing.assert_close(loss_sum, torch.tensor(0.0), atol=1e-5, rtol=0)
