"""Labels that stand for several classes, against probabilities merged by hand in float64."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from swiftseg.core import ClassSet, LabelSet
from swiftseg.losses.cross_entropy import WeightedCrossEntropy
from swiftseg.losses.distillation_loss import distillation_loss
from swiftseg.losses.ohem import OhemCrossEntropy
from swiftseg.losses.set_losses import losses_without_waiting, members_of, pixel_losses

VOID = 6  # in between: the sets' values are 5, 7 and 8
LABELS = LabelSet(
    ("sky", "road", "car", "bicyclist", "tree"),
    ((0, 0, 0),) * 5,
    VOID,
    (
        ClassSet("vehicles", (2, 3)),
        ClassSet("green", (3, 4)),
        ClassSet("anything", (0, 1, 2, 3, 4)),
    ),
)
MEMBERS = {0: [0], 1: [1], 2: [2], 3: [3], 4: [4], 5: [2, 3], 7: [3, 4], 8: [0, 1, 2, 3, 4]}
WEIGHTS = (1.0, 2.0, 4.0, 0.5, 3.0)


@pytest.fixture
def batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = 4 * torch.randn(2, 5, 6, 7, generator=generator)
    return logits, torch.randint(0, 9, (2, 6, 7), generator=generator)


def merged_losses(logits: Tensor, mask: Tensor) -> list[tuple[int, float]]:
    """Each counted pixel's label and -log of the sum of its classes' probabilities."""
    probabilities = logits.double().exp() / logits.double().exp().sum(1, keepdim=True)
    pixels = zip(mask.flatten().tolist(), probabilities.movedim(1, -1).reshape(-1, 5), strict=True)
    return [
        (label, -math.log(sum(float(pixel[index]) for index in MEMBERS[label])))
        for label, pixel in pixels
        if label != VOID
    ]


def weight_of(label: int) -> float:
    weights = [WEIGHTS[index] for index in MEMBERS[label]]
    return sum(weights) / len(weights)


def test_the_values_of_sets_pass_over_the_ignored_one():
    assert LABELS.set_values == (5, 7, 8)
    assert {v: m.nonzero()[0].tolist() for v, m in enumerate(LABELS.members) if m.any()} == MEMBERS


def test_the_loss_of_a_set_is_that_of_merged_probabilities(batch: tuple[Tensor, Tensor]):
    loss_sum, normalizer = WeightedCrossEntropy(
        None, ignore_index=VOID, members=members_of(LABELS)
    )(*batch)
    expected = [loss for _, loss in merged_losses(*batch)]
    assert float(loss_sum) == pytest.approx(sum(expected), rel=1e-5)
    assert float(normalizer) == len(expected)


def test_a_gpus_way_gives_the_same_losses_and_gradients(batch: tuple[Tensor, Tensor]):
    logits, mask = batch
    members = members_of(LABELS)
    assert members is not None
    found: list[tuple[Tensor, Tensor]] = []
    for way in (pixel_losses, losses_without_waiting):
        given = logits.clone().requires_grad_()
        losses = way(given, mask, members, ignore_index=VOID)
        losses.sum().backward()
        assert given.grad is not None
        found.append((losses.detach(), given.grad))
    torch.testing.assert_close(found[1], found[0])


@pytest.mark.parametrize("normalize", ["weights", "pixels"])
def test_a_set_weighs_as_much_as_the_mean_of_its_classes(batch: tuple[Tensor, Tensor], normalize):
    loss = WeightedCrossEntropy(
        torch.tensor(WEIGHTS), ignore_index=VOID, normalize=normalize, members=members_of(LABELS)
    )
    loss_sum, normalizer = loss(*batch)
    losses = merged_losses(*batch)
    expected = sum(weight_of(label) * value for label, value in losses)
    assert float(loss_sum) == pytest.approx(expected, rel=1e-5)
    total = sum(weight_of(label) for label, _ in losses)
    assert float(normalizer) == pytest.approx(total if normalize == "weights" else len(losses))
    assert float(loss.normalizer(batch[1])) == float(normalizer)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_without_pixels_of_sets_it_is_torchs_cross_entropy(
    batch: tuple[Tensor, Tensor], weights: tuple[float, ...] | None, smoothing: float
):
    logits, mask = batch
    mask = mask.masked_fill((mask == 5) | (mask > VOID), VOID)
    weight = None if weights is None else torch.tensor(weights)
    loss_sum, normalizer = WeightedCrossEntropy(
        weight, ignore_index=VOID, label_smoothing=smoothing, members=members_of(LABELS)
    )(logits, mask)
    expected = F.cross_entropy(
        logits.double(),
        mask,
        None if weight is None else weight.double(),
        ignore_index=VOID,
        label_smoothing=smoothing,
    )
    assert float(loss_sum / normalizer) == pytest.approx(float(expected), rel=1e-5)


def test_its_gradient_is_that_of_merged_probabilities_where_they_are_tiny():
    """Both classes of the set have probabilities that float32 rounds to zero."""
    logits = torch.zeros(1, 5, 1, 1)
    logits[0, 2:4] = torch.tensor([-150.0, -151.0])[:, None, None]
    logits.requires_grad_()
    mask = torch.full((1, 1, 1), 5)
    loss = WeightedCrossEntropy(None, ignore_index=VOID, members=members_of(LABELS))
    loss(logits, mask)[0].backward()
    exact = logits.detach().double().flatten()
    share = (exact[2:4] - exact[2:4].logsumexp(0)).exp()
    expected = exact.softmax(0)
    expected[2:4] -= share
    torch.testing.assert_close(logits.grad.flatten().double(), expected, atol=1e-6, rtol=1e-5)


def test_ohem_keeps_the_hard_pixels_of_sets_too(batch: tuple[Tensor, Tensor]):
    loss = OhemCrossEntropy(
        torch.tensor(WEIGHTS),
        ignore_index=VOID,
        threshold=1e-6,
        min_kept=0.25,
        members=members_of(LABELS),
    )
    loss_sum, normalizer = loss(*batch)
    losses = sorted(merged_losses(*batch), key=lambda pixel: -pixel[1])
    kept = losses[: len(losses) // 4]
    total = sum(weight_of(label) for label, _ in kept)
    mean = sum(weight_of(label) * value for label, value in kept) / total
    assert float(loss_sum / normalizer) == pytest.approx(mean, rel=1e-5)


def test_a_teacher_chooses_among_the_classes_of_the_set(batch: tuple[Tensor, Tensor]):
    logits, mask = batch
    taught = logits.flip(1) + 1
    loss_sum, count = distillation_loss(
        logits, taught, mask, temperature=2.0, ignore_index=VOID, members=members_of(LABELS)
    )
    expected = 0.0
    for row, column, frame in [(r, c, n) for n in range(2) for r in range(6) for c in range(7)]:
        label = int(mask[frame, row, column])
        if label == VOID:
            continue
        inside = MEMBERS[label] if label >= 5 else list(range(5))
        teacher = (taught[frame, inside, row, column].double() / 2).softmax(0)
        student = (logits[frame, :, row, column].double() / 2).log_softmax(0)[inside]
        expected += 4 * float((teacher * (teacher.log() - student)).sum())
    assert float(loss_sum) == pytest.approx(expected, rel=1e-5)
    assert float(count) == int((mask != VOID).sum())
