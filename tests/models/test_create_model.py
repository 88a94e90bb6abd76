import pytest
import torch
from safetensors.torch import load_file

from swiftseg import create_model
from swiftseg.core import SwiftsegError, UsageError
from swiftseg.weights import shipped_weights


def test_unknown_networks_and_options_name_the_nearest():
    with pytest.raises(UsageError, match="unknown network 'enett'; did you mean enet"):
        create_model("enett", num_classes=11)
    with pytest.raises(UsageError, match="unknown option of enet 'decodr'; did you mean decoder"):
        create_model("enet", num_classes=11, decodr="release")
    with pytest.raises(UsageError, match=r"unknown option of enet_encoder 'decoder'; it has none"):
        create_model("enet_encoder", num_classes=11, decoder="release")


@pytest.mark.parametrize("num_classes", [0, -1, 256])
def test_impossible_class_counts(num_classes: int):
    with pytest.raises(ValueError, match=f"expected 1 to 255 classes, got {num_classes}"):
        create_model("enet", num_classes=num_classes)


def test_impossible_option_values():
    with pytest.raises(ValueError, match="unknown ENet decoder 'big'; choose paper or release"):
        create_model("enet", num_classes=11, decoder="big")


def test_shipped_weights_fill_all_but_the_classifier(capsys: pytest.CaptureFixture[str]):
    network = create_model("enet", weights="enet-camvid", num_classes=3).eval()
    assert network(torch.zeros(1, 3, 64, 64)).shape == (1, 3, 64, 64)
    told = capsys.readouterr().err
    assert "enet starts from enet-camvid: " in told
    shipped = load_file(shipped_weights()["enet-camvid"])
    own = network.state_dict()
    differing = [name for name in own if own[name].shape != shipped[name].shape]
    assert differing
    assert all(name in told for name in differing)
    for name in own.keys() - set(differing):
        torch.testing.assert_close(own[name], shipped[name])


def test_weights_of_another_network_are_refused():
    with pytest.raises(SwiftsegError, match="nothing of enet-camvid fits fast_scnn"):
        create_model("fast_scnn", weights="enet-camvid", num_classes=3)
    with pytest.raises(UsageError, match="unknown weights 'enet-canvid'; did you mean enet-camvid"):
        create_model("enet", weights="enet-canvid", num_classes=3)
