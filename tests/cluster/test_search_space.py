import math

import pytest

from swiftseg.cluster.search_space import draw_trials, read_space
from swiftseg.core import UsageError


def space(tmp_path, text):
    path = tmp_path / "space.yaml"
    path.write_text(text)
    return read_space(path)


def test_lists_without_a_count_are_combined_once_each(tmp_path):
    found = draw_trials(space(tmp_path, "optimizer.lr: [0.1, 0.01]\nseed: [0, 1, 2]\n"), None)
    assert len(found) == 6
    assert {(one["optimizer.lr"], one["seed"]) for one in found} == {
        (lr, seed) for lr in (0.1, 0.01) for seed in (0, 1, 2)
    }


def test_a_range_of_logarithms_gives_each_power_of_ten_its_share(tmp_path):
    text = "optimizer.lr: {min: 0.0001, max: 1, log: true}\n"
    drawn = [one["optimizer.lr"] for one in draw_trials(space(tmp_path, text), 1000)]
    assert min(drawn) >= 0.0001
    assert max(drawn) <= 1
    shares = [sum(math.floor(math.log10(value)) == power for value in drawn) for power in (-4, -1)]
    assert all(200 < share < 300 for share in shares)


def test_a_range_of_whole_numbers_gives_whole_numbers_with_both_ends(tmp_path):
    text = "batch_size: {min: 2, max: 4, integer: true}\n"
    drawn = {one["batch_size"] for one in draw_trials(space(tmp_path, text), 100)}
    assert drawn == {2, 3, 4}
    assert all(isinstance(value, int) for value in drawn)


def test_the_same_trials_are_drawn_again(tmp_path):
    found = space(tmp_path, "optimizer.lr: {min: 0, max: 1}\nseed: [1, 2, 3]\n")
    assert draw_trials(found, 8) == draw_trials(found, 8)


def test_a_range_without_a_count_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"optimizer\.lr is a range; set the number of draws"):
        draw_trials(space(tmp_path, "optimizer.lr: {min: 0, max: 1}\n"), None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected keys of a recipe"),
        ("- 1\n", "expected keys of a recipe"),
        ("a: [", "not YAML"),
        ("a: 3\n", "a: expected a list of values or a range"),
        ("a: []\n", "a: expected a list of values or a range"),
        ("a: {min: 2, max: 1}\n", "a: expected min below max, got 2 and 1"),
        ("a: {min: 0, max: 1, log: true}\n", "a: expected min above 0 with log: true, got 0"),
        ("a: {low: 0, max: 1}\n", "unknown key 'low'"),
        ("a: {min: .nan, max: 1}\n", "min: Input should be a finite number"),
    ],
)
def test_a_space_that_is_none_is_refused_in_one_line(tmp_path, text, message):
    with pytest.raises(UsageError, match=message) as refused:
        space(tmp_path, text)
    assert "space.yaml" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"nowhere\.yaml: cannot be read"):
        read_space(tmp_path / "nowhere.yaml")
