import json

import pytest
from billion_frames import (
    DAY_S,
    PAGE,
    Frame,
    Node,
    measured_stages,
    nodes_needed,
    read_options,
    read_stages,
    report,
    store_bounds,
)
from readme_tables import renewed

FRAME = Frame(read_s=0.02, segment_s=0.07, write_s=0.01, bytes_in=2e6, bytes_out=0.5e6)


def test_a_cpu_node_is_bound_by_its_cores_or_its_link():
    assert Node("slow link", 10, 2.5e6).bounds(FRAME) == {"cores": pytest.approx(100), "link": 1.0}


def test_a_gpu_leaves_reading_and_writing_to_the_cores():
    bounds = Node("gpu", 3, 2.5e9, gpu_fps=500).bounds(FRAME)
    assert bounds["decode and encode"] == pytest.approx(100)
    assert min(bounds.values()) == bounds["decode and encode"]


def test_shards_spare_the_store_its_writes():
    assert store_bounds(64, shards=True, prefixes=1)["store writes"] == 3500 * 32
    assert store_bounds(1, shards=False, prefixes=2)["store writes"] == 3500


def test_a_started_node_counts_whole():
    node = Node("cpu", 10, 1e12)
    assert nodes_needed(node, FRAME, 100 * DAY_S, 1) == 1
    assert nodes_needed(node, FRAME, 100 * DAY_S + 1, 1) == 2


def test_stage_times_come_from_a_jobs_summary(tmp_path):
    summary = {"frames": 4, "seconds": {"write": 2.0, "read": 1.0, "segment": 8.0}}
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    assert read_stages(tmp_path / "summary.json") == (0.25, 2.0, 0.5)


def test_the_page_has_the_answer_of_the_script():
    page = PAGE.read_text("utf-8")
    assert page == renewed(page, {"billion": report(read_options([]), measured_stages())})
