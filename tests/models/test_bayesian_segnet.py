"""What Bayesian SegNet adds to SegNet; tests/models/test_segnet.py holds the rest."""

import json

import pytest
import torch
from torch import nn

from benchmarks.network_page import NETWORKS as TABLE
from swiftseg.models import create_model
from swiftseg.models.bayesian_segnet import bayesian_segnet, bayesian_segnet_basic
from swiftseg.models.segnet import SegNetBasic
from tests.support.networks import modules_of


def test_bayesian_dropout_stands_where_the_paper_has_it():
    with torch.device("meta"):
        network, basic = bayesian_segnet(3), bayesian_segnet_basic(3)
    assert [isinstance(s.dropout, nn.Dropout) for s in network.encoder] == [False] * 2 + [True] * 3
    assert [isinstance(s.dropout, nn.Dropout) for s in network.decoder] == [True] * 3 + [False] * 2
    assert [isinstance(s.dropout, nn.Dropout) for s in basic.encoder] == [False] * 2 + [True] * 2
    assert [isinstance(s.dropout, nn.Dropout) for s in basic.decoder] == [True] * 2 + [False] * 2
    assert {dropout.p for dropout in modules_of(network, nn.Dropout)} == {0.5}
    assert not modules_of(SegNetBasic(3), nn.Dropout)


def test_bayesian_dropout_draws_in_training_and_rests_in_eval():
    torch.manual_seed(0)
    bayesian, plain = bayesian_segnet_basic(3), SegNetBasic(3)
    plain.load_state_dict(bayesian.state_dict())
    image = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        assert not torch.equal(bayesian(image), bayesian(image))
        plain.load_state_dict(bayesian.state_dict())
        assert torch.equal(bayesian.eval()(image), plain.eval()(image))


def test_options_reach_segnet():
    with torch.device("meta"):
        network = create_model(
            "bayesian_segnet_basic", num_classes=3, bias=False, response_norm=False
        )
    assert {conv.bias is None for conv in modules_of(network, nn.Conv2d)[:-1]} == {True}
    assert isinstance(network.input_norm, nn.Identity)


@pytest.mark.parametrize(
    ("name", "citation"),
    [
        ("segnet", "Badrinarayanan, Kendall, Cipolla, arXiv:1511.00561, 2015"),
        ("segnet_basic", "Badrinarayanan, Kendall, Cipolla, arXiv:1511.00561, 2015"),
        ("bayesian_segnet", "Kendall, Badrinarayanan, Cipolla, arXiv:1511.02680, 2015"),
        ("bayesian_segnet_basic", "Kendall, Badrinarayanan, Cipolla, arXiv:1511.02680, 2015"),
    ],
)
def test_each_is_cited_by_its_own_paper(name: str, citation: str):
    rows = {row["name"]: row for row in json.loads(TABLE.read_text("utf-8"))}
    assert rows[name]["citation"] == citation
