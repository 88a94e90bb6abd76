from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

from swiftseg.core import InputSpec, LabelSet, ModelSpec, SwiftsegError, UsageError
from swiftseg.data.published.camvid import CAMVID_LABELS
from swiftseg.losses.distillation_loss import distillation_loss
from swiftseg.models import create_model
from swiftseg.recipes.recipe import Distillation
from swiftseg.training.teacher import Teacher, load_teacher
from swiftseg.weights import shipped_weights

IGNORE = 11
OF_CAMVID = {"size_hw": (360, 480)}


def test_a_shipped_name_is_a_trained_network():
    teacher = load_teacher(Distillation(teacher="enet-camvid"), CAMVID_LABELS, **OF_CAMVID)
    weights = load_file(shipped_weights()["enet-camvid"])
    assert weights.keys() == teacher.graph.network.state_dict().keys()
    for name, tensor in teacher.graph.network.state_dict().items():
        assert torch.equal(tensor, weights[name]), name


def test_the_teacher_keeps_its_mode_and_its_values():
    network = create_model("enet", num_classes=11)
    spec = ModelSpec("enet", "enet", CAMVID_LABELS, InputSpec((32, 32), mean=(0.5, 0.5, 0.5)))
    recipe = Distillation(teacher="x", weight=2.0, temperature=3.0)
    teacher = Teacher(network, spec, recipe, size_hw=(32, 32), ignore_index=IGNORE)
    step = torch.nn.ModuleList([teacher]).train()
    assert not any(module.training for module in step[0].modules())
    assert not any(parameter.requires_grad for parameter in step.parameters())
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    frames = torch.randint(0, 256, (2, 32, 32, 3), dtype=torch.uint8)
    logits = torch.randn(2, 11, 4, 4, requires_grad=True)
    mask = torch.randint(0, 12, (2, 4, 4))
    loss_sum, count = step[0](frames, logits, mask)
    loss_sum.backward()
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    # The teacher's logits at the pixels that stand for the smaller mask's: the middle of 8 x 8.
    with torch.no_grad():
        taught = network(frames.movedim(-1, 1).float() / 255 - 0.5)[..., 4::8, 4::8]
    expected, counted = distillation_loss(
        logits, taught, mask, temperature=3.0, ignore_index=IGNORE
    )
    torch.testing.assert_close(loss_sum, 2 * expected)
    assert count == counted == step[0].normalizer(mask)


def test_a_teacher_of_larger_frames_sees_crops_enlarged_alike():
    network = create_model("fast_scnn", num_classes=11)
    spec = ModelSpec("fast_scnn", "fast_scnn", CAMVID_LABELS, InputSpec((128, 192)))
    recipe = Distillation(teacher="x")
    teacher = Teacher(network, spec, recipe, size_hw=(64, 64), ignore_index=IGNORE)
    frames = torch.randint(0, 256, (2, 32, 48, 3), dtype=torch.uint8)
    with torch.no_grad():
        images = frames.movedim(-1, 1).float() / 255
        enlarged = F.interpolate(images, size=(64, 144), mode="bilinear")
        expected = F.interpolate(network.eval()(enlarged), size=(32, 48), mode="bilinear")
    torch.testing.assert_close(teacher.logits(frames), expected)


def test_a_teacher_of_other_classes_is_refused():
    labels = LabelSet(("road", "sky"), ((0, 0, 0), (1, 1, 1)))
    with pytest.raises(SwiftsegError, match=r"enet-camvid has the classes sky, .*data have road"):
        load_teacher(Distillation(teacher="enet-camvid"), labels, **OF_CAMVID)


@pytest.mark.parametrize(
    ("teacher", "error", "message"),
    [
        ("enet-camvit", UsageError, "unknown model 'enet-camvit'; did you mean enet-camvid"),
        ("gone.pt", UsageError, r"gone\.pt: no such file of weights"),
        ("model.onnx", UsageError, r"model\.onnx: expected a checkpoint \(\.pt\) or a"),
    ],
)
def test_a_teacher_that_is_not_there(teacher: str, error: type, message: str, tmp_path: Path):
    with pytest.raises(error, match=message):
        load_teacher(Distillation(teacher=teacher), CAMVID_LABELS, **OF_CAMVID)


def test_reading_a_teacher_leaves_torchs_random_state():
    before = torch.get_rng_state()
    load_teacher(Distillation(teacher="enet-camvid"), CAMVID_LABELS, **OF_CAMVID)
    assert torch.equal(torch.get_rng_state(), before)
