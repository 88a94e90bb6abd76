import socket
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from swiftseg.cluster.ray_session import (
    check_answers,
    engine_cpus,
    import_ray,
    passing_errors,
    ray_session,
    task_cpus,
    without_errors,
)
from swiftseg.core import SwiftsegError
from tests.support.web_server import serving


@pytest.mark.parametrize("address", ["ray://127.0.0.1:{}", "127.0.0.1:{}"])
def test_an_address_where_nobody_listens_is_refused_at_once(address):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and not listening
        given = address.format(taken.getsockname()[1])
        with pytest.raises(SwiftsegError, match=f"no Ray cluster answers at {given}"):
            check_answers(given)


@pytest.mark.parametrize("address", ["ray://127.0.0.1:port", "ray://127.0.0.1:99999", ":::"])
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(SwiftsegError, match="no Ray cluster answers"):
        check_answers(address)


def test_an_address_where_something_else_listens_is_refused(tmp_path):
    with serving(tmp_path) as address, pytest.raises(SwiftsegError, match="no Ray cluster answers"):
        check_answers(address.replace("http", "ray"))


def test_a_cluster_of_this_machine_that_has_ended_is_refused_at_once(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with (
        pytest.raises(SwiftsegError, match=r"no Ray cluster answers at 127\.0\.0\.1:1"),
        ray_session("auto"),
    ):
        pass


def test_an_address_where_a_grpc_server_listens_passes():
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    check_answers(f"ray://127.0.0.1:{port}")
    server.stop(None).wait()


def test_ray_reports_nothing_to_its_makers():
    from ray._common.usage import usage_lib

    assert import_ray().__name__ == "ray"
    assert not usage_lib.usage_stats_enabled()


@pytest.mark.parametrize(
    ("cpus", "workers", "threads"), [(1, 1, 1), (2, 2, 1), (2, 1, 2), (2, 3, 1), (64, 64, 1)]
)
def test_all_engines_leave_room_for_reading_and_writing(cpus, workers, threads):
    assert workers * engine_cpus(cpus, workers, threads) + 2 * task_cpus(cpus) <= cpus


def test_a_single_engine_fits_on_a_node_of_any_cluster():
    assert engine_cpus(cpus=128, workers=1, threads=4) <= 4


def test_an_error_of_a_stage_reaches_the_command():
    def refuse(row):
        raise SwiftsegError("cannot write x: no space left")

    rows = [passing_errors(dict, {"a": 1}), passing_errors(refuse, {"a": 2})]
    rows = [passing_errors(dict, row) for row in rows]  # the next stage
    found = without_errors(rows)
    assert next(found) == {"a": 1}
    with pytest.raises(SwiftsegError, match="cannot write x: no space left"):
        next(found)
