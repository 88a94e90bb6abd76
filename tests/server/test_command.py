"""`swiftseg serve` as a process: signals, ports, and workers that die."""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from swiftseg.server.run import address_of
from tests.support.command_line import run_cli
from tests.support.served import serving_process, until_ready


def test_sigterm_lets_accepted_requests_end(model: Path, picture: bytes) -> None:
    with serving_process(model) as (process, address), ThreadPoolExecutor(20) as pool:
        clients = [httpx.Client(base_url=address, timeout=60) for _ in range(20)]
        for client in clients:  # each has its connection, so that no request comes too late
            client.get("/healthz")
        halves = threading.Barrier(21)

        def slow_body() -> Iterator[bytes]:
            yield picture[:100]
            halves.wait(60)
            yield picture[100:]

        answers = [pool.submit(c.post, "/v1/segment", content=slow_body()) for c in clients]
        _until_receiving(address, 20)
        process.send_signal(signal.SIGTERM)
        halves.wait(60)
        assert [answer.result().status_code for answer in answers] == [200] * 20
        assert process.wait(60) == 0
        for client in clients:
            client.close()


def _until_receiving(address: str, count: int) -> None:
    """Waits until the server has the headers of so many requests."""
    pause = threading.Event()
    for _ in range(600):
        lines = httpx.get(f"{address}/metrics", timeout=60).text.splitlines()
        value = next(line for line in lines if line.startswith("swiftseg_receiving "))
        if float(value.split()[1]) == count:
            return
        pause.wait(0.05)
    pytest.fail("the requests did not arrive")


def test_a_worker_that_is_killed_is_replaced(model: Path, picture: bytes) -> None:
    with serving_process(model, "--workers", "2") as (process, address):
        before = _workers(process.pid)
        assert len(before) == 2
        os.kill(min(before), signal.SIGKILL)
        pause = threading.Event()
        for _ in range(600):
            if len(_workers(process.pid) - {min(before)}) == 2:
                break
            pause.wait(0.1)
        until_ready(address)
        for _ in range(5):
            response = httpx.post(f"{address}/v1/segment", content=picture, timeout=60)
            assert response.status_code == 200
        assert "swiftseg_requests_total" in httpx.get(f"{address}/metrics", timeout=60).text


def _workers(parent: int) -> set[int]:
    """The processes of a server that listen, by what they were started with."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    commands = {int(pid): Path(f"/proc/{pid}/cmdline").read_text() for pid in children}
    return {pid for pid, command in commands.items() if "spawn_main" in command}


def test_an_address_of_ipv6_is_shown_as_browsers_take_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert address_of("::1", listener) == f"http://[::1]:{port}"
        assert address_of("localhost", listener) == f"http://localhost:{port}"


def test_a_port_that_is_in_use(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        outcome = run_cli(capsys, "serve", model, "--port", taken.getsockname()[1])
    assert outcome.code == 1
    assert "Address already in use; choose another --port" in outcome.err
    assert len(outcome.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["enett"], "unknown model 'enett'"),
        (["missing.onnx"], "no such model file"),
        (["--threads", "0"], "at least 1 thread"),
        (["--max-body", "0"], "above zero"),
    ],
)
def test_mistakes_are_told_in_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    outcome = run_cli(capsys, "serve", *arguments, "--port", 0)
    assert outcome.code in (1, 2)
    assert message in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_two_models_of_one_name(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = run_cli(capsys, "serve", model, model, "--port", 0)
    assert outcome.code == 2
    assert "two models have the name 'shades'" in outcome.err
