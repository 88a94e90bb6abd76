import pytest

from swiftseg.core import UsageError
from swiftseg.models import create_model
from swiftseg.recipes.recipe import Optimizer
from swiftseg.training.freezing import freeze
from swiftseg.training.optimization import parameter_groups


def test_named_modules_and_what_is_in_them_stay():
    network = create_model("enet", num_classes=11)
    frozen = freeze(network, ("encoder.initial", "decoder.up_5"))
    fixed = {name for name, p in network.named_parameters() if not p.requires_grad}
    assert fixed == {
        name
        for name, _ in network.named_parameters()
        if name.startswith(("encoder.initial.", "decoder.up_5."))
    }
    assert frozen == [network.get_submodule(n) for n in ("encoder.initial", "decoder.up_5")]


def test_the_optimizer_leaves_them_out():
    network = create_model("shelfnet18_lw", num_classes=5)
    freeze(network, ("backbone",))
    groups = parameter_groups(Optimizer(name="sgd", lr=1.0, head_lr_factor=10.0), network, 1.0)
    learning = [p for group in groups for p in group["params"]]
    assert all(p.requires_grad for p in learning)
    assert {group["lr"] for group in groups} == {10.0}
    assert len(learning) == sum(p.requires_grad for p in network.parameters())


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("backbone",), "unknown module to freeze 'backbone'; choose from decoder, encoder$"),
        (("encoder.initail",), "did you mean encoder.initial"),
        (("encoder", "decoder"), "freeze encoder, decoder: no parameter is left to learn"),
    ],
)
def test_a_name_that_is_none_and_a_network_that_cannot_learn(names: tuple[str, ...], message: str):
    with pytest.raises(UsageError, match=message):
        freeze(create_model("enet", num_classes=11), names)
