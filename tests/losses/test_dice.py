import pytest
import torch
from torchmetrics.functional.segmentation import dice_score

from swiftseg.losses.dice import DiceLoss

IGNORE = 255


def test_of_certain_predictions_it_is_one_less_torchmetrics_dice():
    generator = torch.Generator().manual_seed(0)
    mask = torch.randint(0, 4, (3, 6, 7), generator=generator)
    label_map = torch.randint(0, 4, (3, 6, 7), generator=generator)
    logits = 1e4 * torch.nn.functional.one_hot(label_map, 4).permute(0, 3, 1, 2).float()
    loss_sum, images = DiceLoss(ignore_index=IGNORE)(logits, mask)
    scores = dice_score(label_map, mask, num_classes=4, average="none", input_format="index")
    torch.testing.assert_close(loss_sum / images, 1 - scores.mean())


def test_sets_by_hand_with_void_and_an_absent_class():
    # Class 1 is true in 2 pixels and predicted in 2, 1 of them common: 2 * 1 / (2 + 2). Class 0 is
    # true in 2 and predicted in 1, common: 2 / 3. Class 2 is predicted, but is not in the image.
    mask = torch.tensor([[[0, 0, 1, 1, IGNORE, IGNORE]]])
    label_map = torch.tensor([[[0, 1, 1, 2, 0, 1]]])
    logits = 1e4 * torch.nn.functional.one_hot(label_map, 3).permute(0, 3, 1, 2).float()
    loss_sum, images = DiceLoss(ignore_index=IGNORE)(logits, mask)
    assert float(images) == 1
    assert float(loss_sum) == pytest.approx(((1 - 1 / 2) + (1 - 2 / 3)) / 2)


def test_probabilities_by_hand():
    # One pixel of class 0 at p = (0.8, 0.2), one of class 1 at p = (0.4, 0.6).
    probabilities = torch.tensor([[0.8, 0.4], [0.2, 0.6]])
    mask = torch.tensor([[[0, 1]]])
    loss_sum, _ = DiceLoss(ignore_index=IGNORE)(probabilities.log()[None, :, None], mask)
    expected = 1 - (2 * 0.8 / (1.2 + 1) + 2 * 0.6 / (0.8 + 1)) / 2
    assert float(loss_sum) == pytest.approx(expected)


def test_images_add_up():
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(3, 4, 5, 5, generator=generator)
    mask = torch.randint(0, 4, (3, 5, 5), generator=generator)
    mask[1] = IGNORE
    loss = DiceLoss(ignore_index=IGNORE)
    whole, images = loss(logits, mask)
    parts = [loss(logits[i : i + 1], mask[i : i + 1]) for i in range(3)]
    assert float(images) == sum(float(part[1]) for part in parts) == 2
    torch.testing.assert_close(whole, torch.stack([part[0] for part in parts]).sum())
