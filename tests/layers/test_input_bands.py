import pytest
import torch
from torch import nn

from swiftseg.layers.filling import fill_what_fits
from swiftseg.layers.input_bands import widened
from swiftseg.models import NETWORKS, create_model


@pytest.mark.parametrize("bands", [1, 2, 5, 12])
def test_a_picture_alike_in_all_bands_gets_the_answers_of_rgb(bands: int):
    torch.manual_seed(0)
    rgb = nn.Conv2d(3, 8, 3, bias=False)
    gray = torch.rand(2, 1, 9, 11)
    weight = widened(rgb.weight, bands)
    assert weight.shape == (8, bands, 3, 3)
    wide = nn.functional.conv2d(gray.repeat(1, bands, 1, 1), weight)
    torch.testing.assert_close(wide, rgb(gray.repeat(1, 3, 1, 1)))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("bands", [1, 5])
def test_every_network_takes_other_bands(name: str, bands: int):
    with torch.device("meta"):
        network = create_model(name, num_classes=4, in_channels=bands).eval()
        assert network(torch.empty(2, bands, 64, 96)).shape == (2, 4, 64, 96)


def test_weights_of_rgb_start_a_network_of_other_bands():
    rgb = create_model("fast_scnn", num_classes=4)
    wide = create_model("fast_scnn", num_classes=4, in_channels=5)
    fresh = fill_what_fits(wide, rgb.state_dict(), "nothing fits")
    assert fresh == []
    first = "learning_to_downsample.0.0.weight"
    own, theirs = wide.state_dict()[first], rgb.state_dict()[first]
    torch.testing.assert_close(own[:, 2], theirs.mean(dim=1) * 3 / 5)


def test_what_takes_each_band_by_itself_is_refused():
    with pytest.raises(ValueError, match="this variant is for RGB"):
        create_model("segfast", num_classes=4, in_channels=5, variant="release")
    with pytest.raises(ValueError, match="1 to 15 bands"):
        create_model("enet", num_classes=4, in_channels=16)
