import pytest
import torch
from torch import Tensor

from swiftseg.recipes.recipe import Augmentation
from swiftseg.training.augmentation import Augment

SIZE_HW = (24, 32)
STRONG = {
    "scale": (0.5, 2.0), "rotation_degrees": 10, "horizontal_flip": 0.5, "brightness": 0.3,
    "contrast": 0.2, "saturation": 0.2, "hue": 0.1, "channel_noise": 0.05, "blur": 0.5,
}  # fmt: skip


def frame(size_hw: tuple[int, int] = SIZE_HW) -> tuple[Tensor, Tensor]:
    """A frame whose pixels tell their own mask value: image = 20 * mask in each channel."""
    height, width = size_hw
    mask = (torch.arange(width).repeat(height, 1) // 4 + 1).to(torch.uint8)
    return (20 * mask)[..., None].repeat(1, 1, 3), mask


def augment(ignore_index: int = 255, **fields: object) -> Augment:
    return Augment(Augmentation.model_validate(fields), SIZE_HW, ignore_index=ignore_index)


@pytest.mark.parametrize("size_hw", [(24, 32), (11, 60), (90, 70)])
def test_what_comes_out_has_the_networks_size(size_hw: tuple[int, int]):
    image, mask = augment(**STRONG)(*frame(size_hw), (0, 1))
    assert (image.shape, mask.shape) == ((*SIZE_HW, 3), SIZE_HW)
    assert image.dtype == mask.dtype == torch.uint8
    assert type(image) is type(mask) is Tensor


def test_a_crop_need_not_have_the_networks_size():
    image, mask = augment(crop_hw=(16, 20), scale=(0.5, 2.0))(*frame(), (0, 1))
    assert (image.shape, mask.shape) == ((16, 20, 3), (16, 20))
    # The short side is still the input's: a frame of its size is cropped, not shrunk to the crop.
    image, mask = augment(crop_hw=(16, 20), base_short_side=24)(*frame(), (0, 1))
    assert torch.equal(image[..., 0], 20 * mask)


def test_the_same_seed_gives_the_same_draw_and_leaves_torchs_own_state():
    transform = augment(**STRONG)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, again = (transform(*frame(), (1, 2, 3)) for _ in range(2))
    other = transform(*frame(), (1, 2, 4))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])


@pytest.mark.parametrize(
    "fields", [{"horizontal_flip": 1.0}, {"scale": (2.0, 2.0)}, {"scale": (0.5, 0.5)}]
)
def test_mask_and_image_move_together(fields: dict[str, object]):
    for seed in range(8):
        image, mask = augment(**fields)(*frame(), (seed,))
        inside = mask != 255
        # Bilinear resizing mixes neighbors at the borders of the bands, never by more than one.
        apart = (image[..., 0].int() - 20 * mask.int()).abs()[inside]
        assert inside.any()
        assert apart.max() <= 20
        assert (apart <= 2).float().mean() > 0.5


def test_what_lies_outside_the_frame_is_ignored():
    image, mask = augment(11, scale=(0.5, 0.5))(*frame(), (0,))
    outside = mask == 11
    assert outside.sum() == 24 * 32 - 12 * 16
    assert (image[outside] == 0).all()


def test_colors_change_the_image_alone():
    original, truth = frame()
    image, mask = augment(brightness=0.1, channel_noise=0.2)(original, truth, (1,))
    assert torch.equal(mask, truth)
    shifts = (image.float() - original.float()).mean((0, 1))
    assert len({round(float(shift), 3) for shift in shifts}) == 3


def test_nothing_asked_for_changes_nothing():
    original, truth = frame()
    image, mask = augment()(original, truth, (0,))
    assert torch.equal(image, original)
    assert torch.equal(mask, truth)


def spotted_frame(size_hw: tuple[int, int] = (60, 80)) -> tuple[Tensor, Tensor]:
    """A mask of class 0 with a block of class 1, two pixels of class 2 and a band of void."""
    mask = torch.zeros(size_hw, dtype=torch.uint8)
    mask[:, :5] = 255
    mask[40:50, 20:40] = 1
    mask[30, 60] = mask[31, 50] = 2
    return mask[..., None].repeat(1, 1, 3), mask


def test_class_balanced_crops_have_each_class_as_often_in_their_middle():
    transform = augment(crop_hw=(8, 8), base_short_side=60, class_balanced=1.0)
    image, mask = spotted_frame()
    draws = [transform(image, mask, (seed,)) for seed in range(600)]
    assert all(torch.equal(drawn[..., 0], truth) for drawn, truth in draws)
    middle = torch.tensor([int(truth[4, 4]) for _, truth in draws])
    # 200 of each, with a deviation of 12; a crop at the border is around its class 0 as well.
    assert [round(int((middle == c).sum()) / 200, 1) for c in (0, 1, 2)] == pytest.approx(
        [1, 1, 1], abs=0.2
    )


def test_class_balanced_crops_are_drawn_with_their_probability():
    image, mask = spotted_frame()
    shares: list[float] = []
    for probability in (0.25, 1.0):
        transform = augment(crop_hw=(8, 8), base_short_side=60, class_balanced=probability)
        found = [bool((transform(image, mask, (seed,))[1] == 2).any()) for seed in range(400)]
        shares.append(sum(found) / len(found))
    # A third of the drawn classes is class 2; crops that lie anywhere have it in 3 of 100 cases.
    by_chance = 128 / (53 * 73)
    assert shares[1] == pytest.approx(1 / 3, abs=0.07)
    assert shares[0] == pytest.approx(0.25 / 3 + 0.75 * by_chance, abs=0.05)


def test_class_balanced_crops_of_void_alone_lie_anywhere():
    transform = augment(crop_hw=(8, 8), base_short_side=60, class_balanced=1.0)
    image = torch.arange(60 * 80).remainder(251).to(torch.uint8).view(60, 80, 1).repeat(1, 1, 3)
    void = torch.full((60, 80), 255, dtype=torch.uint8)
    corners = {int(transform(image, void, (seed,))[0][0, 0, 0]) for seed in range(50)}
    assert len(corners) > 30


def test_class_balanced_crops_pad_what_is_smaller():
    transform = augment(class_balanced=1.0, scale=(0.5, 0.5))
    image, mask = transform(*frame(), (3,))
    assert (image.shape, mask.shape) == ((*SIZE_HW, 3), SIZE_HW)
    assert (mask == 255).sum() == 24 * 32 - 12 * 16
