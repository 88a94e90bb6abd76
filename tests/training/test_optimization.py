import pytest
import torch
from torch import nn

from swiftseg.models import create_model
from swiftseg.recipes.recipe import Optimizer, Schedule
from swiftseg.training.optimization import build_optimizer, build_schedule, parameter_groups


def sgd(**fields: object) -> Optimizer:
    return Optimizer.model_validate({"name": "sgd", "lr": 1.0, "weight_decay": 0.1, **fields})


def test_fast_scnn_has_no_decay_on_its_14_depthwise_weights():
    network = create_model("fast_scnn", num_classes=19)
    groups = parameter_groups(sgd(no_decay=["depthwise"]), network, 1.0)
    free = next(group for group in groups if group["weight_decay"] == 0.0)
    assert len(free["params"]) == 14
    assert all(p.ndim == 4 and p.shape[1] == 1 for p in free["params"])


def test_every_parameter_is_in_one_group():
    network = create_model("segfast", num_classes=12)
    recipe = sgd(no_decay=["norm", "bias"], bias_lr_factor=2.0)
    groups = parameter_groups(recipe, network, 0.5)
    grouped = [id(p) for group in groups for p in group["params"]]
    assert sorted(grouped) == sorted(id(p) for p in network.parameters())
    rates = {(group["lr"], group["weight_decay"]) for group in groups}
    assert rates == {(0.5, 0.1), (1.0, 0.0), (0.5, 0.0)}


def test_the_head_learns_faster_than_the_backbone():
    network = create_model("shelfnet18_lw", num_classes=19)
    groups = parameter_groups(sgd(head_lr_factor=10.0), network, 0.01)
    rate = {id(p): group["lr"] for group in groups for p in group["params"]}
    backbone = getattr(network, "backbone")  # noqa: B009 create_model gives a plain Module
    slow = {id(p) for p in backbone.parameters()}
    assert all(rate[i] == (0.01 if i in slow else 0.1) for i in rate)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"name": "constant"}, [1.0] * 8),
        ({"name": "step", "every": 2, "gamma": 0.5}, [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5]),
        ({"name": "poly", "power": 0.9}, [(1 - t / 8) ** 0.9 for t in range(8)]),
        ({"name": "constant", "warmup_steps": 4}, [0.001, 0.25075, 0.5005, 0.75025, 1, 1, 1, 1]),
    ],
)
def test_schedules_step_by_step(fields: dict[str, object], expected: list[float]):
    optimizer = build_optimizer(sgd(), nn.Linear(2, 2), lr=1.0)
    schedule = build_schedule(
        Schedule.model_validate(fields), optimizer, epochs=4, steps_per_epoch=2
    )
    rates: list[float] = []
    for _ in range(8):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates == pytest.approx(expected)


def test_one_cycle_rises_and_falls():
    optimizer = build_optimizer(sgd(name="adamw"), nn.Linear(2, 2), lr=1.0)
    recipe = Schedule(name="one_cycle", warmup=0.25)
    schedule = build_schedule(recipe, optimizer, epochs=4, steps_per_epoch=5)
    rates: list[float] = []
    for _ in range(20):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert max(rates) == pytest.approx(1.0)
    assert rates.index(max(rates)) == 4
    assert rates[-1] < 0.01 * max(rates)


def test_adam_couples_weight_decay_and_adamw_does_not():
    parameter = {}
    for name in ("adam", "adamw"):
        layer = nn.Linear(1, 1, bias=False)
        nn.init.ones_(layer.weight)
        optimizer = build_optimizer(sgd(name=name), layer, lr=0.01)
        layer.weight.grad = torch.full_like(layer.weight, 100.0)
        optimizer.step()
        parameter[name] = layer.weight.item()
    # Adam's first step is lr whatever the gradient's size; decoupled decay comes on top of it.
    assert parameter["adam"] == pytest.approx(0.99)
    assert parameter["adamw"] == pytest.approx(0.99 - 0.01 * 0.1, abs=1e-6)


@pytest.mark.parametrize("steps", range(1, 12))
def test_one_cycle_of_few_steps_learns_and_reaches_its_rate(steps: int):
    settings = Schedule.model_validate({"name": "one_cycle", "warmup": 0.2})
    optimizer = build_optimizer(sgd(), nn.Linear(2, 2), lr=1.0)
    schedule = build_schedule(settings, optimizer, epochs=1, steps_per_epoch=steps)
    rates: list[float] = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert max(rates) > 0.5
    assert min(rates) > 0
