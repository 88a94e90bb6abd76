import numpy as np
import pytest

from swiftseg.core import LabelSet, Sample, SwiftsegError
from swiftseg.training.band_statistics import band_statistics


class Pictures:
    """Pictures of several sizes, far from zero."""

    labels = LabelSet(("a", "b"), ((0, 0, 0), (9, 9, 9)), 255)

    def __init__(self, images: list[np.ndarray]) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int, /) -> Sample:
        image = self.images[index]
        return Sample(str(index), image, np.zeros(image.shape[:2], np.uint8))

    def __iter__(self):
        return (self[index] for index in range(len(self)))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_they_are_those_of_all_pixels_together(dtype: str):
    rng = np.random.default_rng(0)
    low = 50 if dtype == "uint8" else 20_000
    images = [
        (low + rng.random((height, 7, 4)) * [1, 10, 100, 200]).astype(dtype) for height in (3, 9, 5)
    ]
    pixels = np.concatenate([image.reshape(-1, 4) for image in images]).astype(np.float64)
    pixels /= 255 if dtype == "uint8" else 1
    mean, std = band_statistics(Pictures(images))
    np.testing.assert_allclose(mean, pixels.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(std, np.maximum(pixels.std(axis=0), 1e-6), rtol=1e-4)


def test_pictures_of_several_kinds_are_refused():
    images = [np.zeros((4, 4, 2), np.uint16), np.zeros((4, 4, 3), np.uint16)]
    with pytest.raises(SwiftsegError, match="3 bands of uint16 where others have 2 bands"):
        band_statistics(Pictures(images))
