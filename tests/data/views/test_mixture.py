"""Data sets of unlike classes as one, by masks that are written out by hand."""

from collections.abc import Iterator

import numpy as np
import pytest

from swiftseg.core import ClassSet, LabelSet, Sample, UsageError
from swiftseg.data.views.mixture import Mixture, Part, in_classes

GRAY = (9, 9, 9)
STREET = LabelSet(("sky", "road", "car", "bicyclist", "tree"), (GRAY,) * 5, 5)
ROADS = LabelSet(("drivable", "vehicles", "sky", "two wheels"), (GRAY,) * 4, 255)
MAPPING = {
    "drivable": "road",
    "vehicles": ("car", "bicyclist"),
    "two wheels": ("bicyclist", "car"),
}


class Masks:
    """Frames that are all black, with given masks."""

    def __init__(self, labels: LabelSet, *rows: list[int]) -> None:
        self.labels, self.rows = labels, rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int, /) -> Sample:
        mask = np.array([self.rows[index]], np.uint8)
        return Sample(str(index), np.zeros((*mask.shape, 3), np.uint8), mask)

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))


def mixture(mapping: dict[str, str | tuple[str, ...]] = MAPPING) -> Mixture:
    street = Part("street", Masks(STREET, [0, 1, 2, 3, 4, 5], [5, 5]), {})
    return Mixture([street, Part("roads", Masks(ROADS, [0, 1, 2, 3, 255]), mapping)])


def test_labels_become_classes_sets_of_classes_or_ignored():
    mixed = mixture()
    assert mixed.labels.names == STREET.names
    assert mixed.labels.sets == (ClassSet("vehicles", (2, 3)),)  # both labels mean the same
    assert mixed.labels.set_values == (6,)
    assert mixed.labels.unlabeled == ()
    masks = [sample.mask.tolist() for sample in mixed]
    assert masks == [[[0, 1, 2, 3, 4, 5]], [[5, 5]], [[1, 6, 0, 6, 5]]]
    assert [mixed.part_of(index) for index in range(3)] == [0, 0, 1]


def test_any_is_ignored():
    assert mixture({**MAPPING, "vehicles": "any"})[2].mask.tolist() == [[1, 5, 0, 6, 5]]
    assert mixture({**MAPPING, "sky": ("sky", "any")})[2].mask.tolist() == [[1, 6, 5, 6, 5]]


def test_a_set_of_the_data_is_that_of_what_its_classes_become():
    own = LabelSet(("auto", "bike"), (GRAY,) * 2, None, (ClassSet("traffic", (0, 1)),), (0, 1))
    part = Part("own", Masks(own, [0, 1, 2]), {"auto": "car", "bike": "bicyclist"})
    assert in_classes(part, STREET)[0].mask.tolist() == [[2, 3, 6]]


def test_a_part_by_itself_tells_which_classes_its_labels_are():
    alone = in_classes(Part("roads", Masks(ROADS, [0, 1, 2, 3, 255]), MAPPING), STREET)
    assert alone.labels.sets == (ClassSet("vehicles", (2, 3)),)
    assert alone.labels.unlabeled == (2, 3, 4)  # car and bicyclist in sets alone, tree nowhere
    assert alone[0].mask.tolist() == [[1, 6, 0, 6, 5]]


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        (
            {},
            "roads: the label 'drivable' needs a class; unknown class 'drivable'; choose",
        ),
        ({**MAPPING, "sky": "sun"}, "roads: the label 'sky' needs a class; unknown class 'sun'"),
        ({**MAPPING, "sun": "sky"}, "roads: unknown label 'sun'"),
    ],
)
def test_a_label_without_a_class_is_told(mapping, message: str):
    with pytest.raises(UsageError, match=message):
        mixture(mapping)
