import numpy as np

from swiftseg.metrics import confusion_matrix, merge_classes


def test_merging_the_matrix_is_merging_the_labels():
    rng = np.random.default_rng(0)
    mask, label_map = rng.integers(0, 5, (2, 30, 30)).astype(np.uint8)
    groups = np.array([0, 1, 1, 0, 2], np.uint8)
    merged = merge_classes(confusion_matrix(label_map, mask, 5, None), groups.tolist())
    np.testing.assert_array_equal(
        merged, confusion_matrix(groups[label_map], groups[mask], 3, None)
    )
