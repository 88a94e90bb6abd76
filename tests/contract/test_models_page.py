"""docs/models.md says what was counted and measured, docs/shipped-models.md what the cards say.

tests/cli/test_models.py holds the table.
"""

import json
from typing import Any

import pytest

from benchmarks import card_page
from benchmarks.export_parity import CAMVID_HW, ENGINES, PAPER_SIZES_HW
from benchmarks.network_page import NETWORKS, PAGE, PARITY, page
from swiftseg.exporting.parity import MIN_EQUAL_LABELS
from swiftseg.models import NETWORKS as BUILT

ROWS: list[dict[str, Any]] = json.loads(NETWORKS.read_text("utf-8"))
PARITY_ROWS: list[dict[str, Any]] = json.loads(PARITY.read_text("utf-8"))["rows"]


def settings_of(name: str) -> dict[str, dict[str, Any]]:
    [row] = [row for row in ROWS if row["name"] == name]
    return {setting["source"]: setting for setting in row["at_paper"]}


def test_the_page_is_what_the_table_says():
    expected = page(ROWS, PARITY_ROWS)
    assert PAGE.read_text("utf-8") == expected, "run `python benchmarks/network_page.py`"


def test_the_shipped_models_page_is_what_the_cards_say():
    expected = card_page.page()
    assert card_page.PAGE.read_text("utf-8") == expected, "run `python benchmarks/card_page.py`"
    pictures = {path.stem for path in card_page.PICTURES.iterdir()}
    assert pictures == set(card_page.names())


def test_a_network_is_held_against_torch_at_its_papers_size_and_camvids():
    assert list(PAPER_SIZES_HW) == list(BUILT)
    for name in {row["network"] for row in PARITY_ROWS}:
        sizes = {tuple(row["size_hw"]) for row in PARITY_ROWS if row["network"] == name}
        assert sizes == {CAMVID_HW, *PAPER_SIZES_HW[name]}


@pytest.mark.parametrize("row", PARITY_ROWS, ids=lambda row: f"{row['network']}-{row['size_hw']}")
def test_every_engine_gives_torchs_labels(row: dict[str, Any]):
    assert set(row["equal_labels"]) == set(ENGINES)
    assert min(row["equal_labels"].values()) >= MIN_EQUAL_LABELS
    # One label everywhere would agree with anything.
    assert row["share_of_the_commonest_label"] < 0.9


def test_every_network_is_counted_where_a_paper_does():
    assert [row["name"] for row in ROWS] == list(BUILT)
    assert all(row["at_paper"] for row in ROWS)


@pytest.mark.parametrize(
    ("name", "source", "tolerance"),
    [
        ("segnet", "SegFast", 0),
        ("fcn8s", "SegFast", 0),
        ("segfast", "SegFast", 0.001),  # the paper leaves widths open
        ("segfast_basic", "SegFast", 0.001),
        ("segnet", "ENet", 0.001),  # the paper gives four digits
    ],
)
def test_published_parameters_are_met(name: str, source: str, tolerance: float):
    setting = settings_of(name)[source]
    printed = setting["published"]["parameters"].replace(",", "")
    millions = printed.removesuffix(" M")
    published = float(millions) * 1e6 if millions != printed else int(printed)
    assert setting["parameters"] == pytest.approx(published, rel=tolerance)


def test_published_operations_and_sizes_are_met():
    segnet, enet = settings_of("segnet")["ENet"], settings_of("enet")["ENet"]
    assert 2 * segnet["gmacs"] == pytest.approx(segnet["published"]["gflops"], rel=0.005)
    for setting in (segnet, enet):
        assert round(setting["fp16_mib"], 1) == setting["published"]["fp16_mb"]
