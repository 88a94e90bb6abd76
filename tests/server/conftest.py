import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from swiftseg.inference import Segmenter
from tests.support.exported import write_shade_model
from tests.support.served import serving


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shade_model(tmp_path_factory.mktemp("served") / "shades.onnx")


@pytest.fixture(scope="session")
def segmenter(model: Path) -> Segmenter:
    return Segmenter.load(model, threads=1)


@pytest.fixture(scope="session")
def picture() -> bytes:
    """A JPEG of another size than the network's."""
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).resize((64, 48)).save(file, format="JPEG")
    return file.getvalue()


@pytest.fixture(scope="session")
def address(segmenter: Segmenter) -> Iterator[str]:
    with serving(segmenter) as url:
        yield url


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=60) as client:
        yield client
