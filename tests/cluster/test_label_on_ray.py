"""Jobs on real Ray processes, disturbed in every way; minutes, so all of them are slow."""

import csv
import json
import random
import secrets
import signal
import sys
from pathlib import Path

import pytest

from tests.support.exported import write_shade_model
from tests.support.labeled_trees import results_in, write_pictures
from tests.support.ray_runs import (
    kill_a_worker,
    label,
    labeling,
    receipts_in,
    stop_node,
    two_nodes,
    wait_for_receipts,
    workers_of,
)

pytestmark = pytest.mark.slow

POISONED = str(Path(__file__).parents[1] / "support/poisoned")
PIECES, BATCH = 60, 4


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    folder = tmp_path_factory.mktemp("jobs")
    write_shade_model(folder / "m.onnx", size_hw=(12, 16))
    write_pictures(folder / "in", PIECES * BATCH, (12, 16))
    (folder / "in/a/000.png").write_bytes(b"no picture")
    assert label(folder, *job("whole", "--engine", "local")).returncode == 1
    return folder


def job(out, *more, source="in"):
    return (source, "--model", "m.onnx", "--out", out, "--batch", BATCH, *more)


def manifest_of(target):
    with (target / "manifest.csv").open(newline="") as file:
        return {row["input"]: row for row in csv.DictReader(file)}


def assert_undisturbed(here, out):
    """Every input exactly once, byte for byte as the undisturbed job has it."""
    assert results_in(here / out) == results_in(here / "whole")
    assert receipts_in(here / out) == PIECES


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_ray_gives_what_the_local_engine_gives(here, workers):
    done = label(here, *job(f"ray{workers}", "--workers", workers))
    assert (done.returncode, done.stderr) == (
        1,
        "1 of 240 inputs failed: " + f"ray{workers}/failures.csv\n",
    )
    assert_undisturbed(here, f"ray{workers}")
    summary = json.loads((here / f"ray{workers}/summary.json").read_text())
    assert (summary["engine"], summary["workers"], summary["done"]) == ("ray", workers, 239)


@pytest.mark.parametrize("seed", range(4))
def test_a_killed_worker_is_replaced(here, seed):
    out = f"killed{seed}"
    rng = random.Random(seed)
    with labeling(here, *job(out)) as process:
        wait_for_receipts(process, here / out, rng.randrange(1, PIECES - 10))
        assert kill_a_worker(process.pid, rng)
        _, errors = process.communicate(timeout=400)
    assert errors == f"1 of 240 inputs failed: {out}/failures.csv\n"
    assert_undisturbed(here, out)


@pytest.mark.parametrize("seed", range(2))
def test_a_killed_driver_is_started_again(here, seed):
    out = f"again{seed}"
    with labeling(here, *job(out)) as process:
        wait_for_receipts(process, here / out, random.Random(seed).randrange(1, PIECES - 10))
        process.send_signal(signal.SIGKILL)
    before = receipts_in(here / out)
    assert before < PIECES
    assert label(here, *job(out, "--json")).returncode == 1
    summary = json.loads((here / out / "summary.json").read_text())
    assert summary["run_frames"] <= (PIECES - before) * BATCH
    assert_undisturbed(here, out)


def test_ctrl_c_ends_a_job_well(here):
    out = "interrupted"
    with labeling(here, *job(out)) as process:
        wait_for_receipts(process, here / out, 3)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=100)
        assert process.returncode == 130
    statuses = {row["status"] for row in manifest_of(here / out).values()}
    assert {"done", "pending"} <= statuses
    assert label(here, *job(out)).returncode == 1
    assert_undisturbed(here, out)


def test_more_workers_than_pieces_are_no_warning(here):
    write_pictures(here / "one", BATCH, (12, 16))
    done = label(here, *job("few", "--workers", 3, source="one"))
    assert (done.returncode, done.stderr) == (0, "")


def test_a_picture_that_kills_its_reader_is_set_aside(here):
    write_pictures(here / "bad", 12, (12, 16))
    (here / "bad/a/004.png").rename(here / "bad/a/poison.png")
    done = label(here, *job("poisoned", source="bad"), PYTHONPATH=f"{POISONED}:{path()}")
    assert done.returncode == 1
    manifest = manifest_of(here / "poisoned")
    assert manifest["a/poison"]["status"] == "failed"
    assert manifest["a/poison"]["reason"].startswith("a/poison: set aside, since 2 workers died")
    assert [row["status"] for row in manifest.values()].count("done") == 11


def path():
    return ":".join(part for part in sys.path if part)


def test_shards_are_byte_equal_too(here):
    options = ("--format", "parquet", "--save", "labels,overlay,probs")
    assert label(here, *job("shards1", *options, "--engine", "local")).returncode == 1
    assert label(here, *job("shards2", *options)).returncode == 1
    assert results_in(here / "shards1") == results_in(here / "shards2")


def test_two_nodes_share_a_job_and_one_may_go(here, monkeypatch):
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
    with two_nodes() as (address, second):
        assert label(here, *job("nodes", "--address", address)).returncode == 1
        assert_undisturbed(here, "nodes")
        with labeling(here, *job("lost", "--address", address)) as process:
            wait_for_receipts(process, here / "lost", 5)
            stop_node(second)
            _, errors = process.communicate(timeout=400)
        assert errors == "1 of 240 inputs failed: lost/failures.csv\n"
        assert_undisturbed(here, "lost")


def test_no_worker_outlives_its_driver(here):
    with labeling(here, *job("orphans")) as process:
        wait_for_receipts(process, here / "orphans", 2)
        workers = workers_of(process.pid)
        assert workers
        process.send_signal(signal.SIGKILL)
        process.wait()
    for worker in workers:
        worker.wait(timeout=60)
