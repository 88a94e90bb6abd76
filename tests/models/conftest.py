from pathlib import Path

import pytest
import torch
from torchvision.models import VGG, vgg16


@pytest.fixture(scope="session")
def published_vgg16(tmp_path_factory: pytest.TempPathFactory) -> tuple[VGG, Path]:
    """A VGG-16 of torchvision with random weights, and the file they are saved in."""
    network = vgg16(init_weights=False)
    path = tmp_path_factory.mktemp("vgg16") / "vgg16.pth"
    torch.save(network.state_dict(), path)
    return network, path
