import pytest

from swiftseg import create_model
from swiftseg.core import UsageError


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
