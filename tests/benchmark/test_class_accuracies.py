"""The page of class accuracies follows from the committed confusion matrices."""

import json
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def class_accuracies(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return import_module("class_accuracies")


def test_the_page_is_up_to_date(class_accuracies: ModuleType):
    rows = class_accuracies.our_rows()
    assert {"enet-camvid", "fast_scnn-camvid", "segfast-camvid"} <= {row.name for row in rows}
    assert class_accuracies.PAGE.read_text("utf-8") == class_accuracies.page(rows)


def test_accuracies_are_those_that_the_evaluator_told(class_accuracies: ModuleType):
    for row in class_accuracies.our_rows():
        path = ROOT / f"benchmarks/results/scores/{row.name}.json"
        if path.is_file():
            told = json.loads(path.read_text("utf-8"))["class_accuracy"]
            assert row.accuracies == pytest.approx([100 * value for value in told.values()])


def test_the_papers_rows_have_the_averages_that_are_told_of_them(class_accuracies: ModuleType):
    means = {name: np.mean(row) for name, row in class_accuracies.PUBLISHED.items()}
    assert means["SegNet"] == pytest.approx(65.2, abs=0.05)
    assert means["ENet"] == pytest.approx(68.3, abs=0.05)
    assert means["SegNet-Basic"] == pytest.approx(63.7, abs=0.05)  # printed as 62.9


def test_what_is_lost_and_what_is_right(class_accuracies: ModuleType):
    matrix = np.zeros((11, 11), np.int64)
    matrix[2, 2], matrix[2, 1], matrix[2, 5], matrix[3, 2] = 50, 30, 20, 150
    row = class_accuracies.Row("x", matrix)
    assert row.accuracies[2] == 50
    assert row.precisions[2] == 25
    assert class_accuracies.lost_to(row, "pole") == "building 30, tree 20"
