import json
import os
from pathlib import Path

import pytest

from swiftseg.benchmarking.alternation import Turn, alternate
from swiftseg.benchmarking.engine import label_map_of
from swiftseg.core import SwiftsegError
from swiftseg.core.fresh_process import run_in_process
from tests.support.processes import modules_with, process_id, started


def test_the_function_runs_in_another_process():
    assert run_in_process(process_id) != os.getpid()


def test_arguments_and_results_travel():
    assert run_in_process(json.loads, s="[1, null]") == [1, None]


def test_the_process_imports_what_it_measures_alone():
    assert run_in_process(modules_with, prefixes=["torch", "pydantic", "typer", "rich"]) == []


def test_a_function_that_asks_is_told_when_its_process_began():
    before_ns, at_work_ns = run_in_process(started)
    assert before_ns < at_work_ns


def test_the_error_of_a_user_stays_one(tmp_path: Path):
    with pytest.raises(SwiftsegError, match="no such model file") as caught:
        run_in_process(
            label_map_of,
            model=str(tmp_path / "none.onnx"),
            image="none.jpg",
            backend="onnxruntime",
            precision="f32",
            threads=1,
            out=str(tmp_path / "labels.npy"),
        )
    assert caught.value.exit_code == 1


def test_any_other_error_is_told_in_a_line():
    with pytest.raises(SwiftsegError, match=r"loads ended without a result: .*JSONDecodeError"):
        run_in_process(json.loads, s="no JSON")


def test_jobs_take_turns():
    order: list[str] = []
    turns = [Turn("a", json.loads, {"s": "1"}), Turn("b", json.loads, {"s": "2"})]

    results = alternate(turns, passes=2, on_run=lambda job: order.append(job.name))

    assert order == ["a", "b", "a", "b"]
    assert results == {"a": [1, 1], "b": [2, 2]}


def test_jobs_of_one_name_are_refused():
    with pytest.raises(ValueError, match="repeat: a, a"):
        alternate([Turn("a", json.loads), Turn("a", json.loads)], passes=1)
