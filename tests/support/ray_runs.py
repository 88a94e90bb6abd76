"""Runs `swiftseg label` on Ray in a process of its own, and meddles with its workers."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

# Loopback too; Ray takes 127.0.0.1 for a name of the machine's address in its network.
HEAD, SECOND = "127.0.0.2", "127.0.0.3"

_RUN = "from swiftseg.cli.main import main; main()"


def label_command(*arguments: object) -> list[str]:
    return [sys.executable, "-c", _RUN, "label", *map(str, arguments)]


def label(here: Path, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the command to its end."""
    return subprocess.run(
        label_command(*arguments),
        cwd=here,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=500,
    )


@contextmanager
def labeling(here: Path, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Starts the command; what is left of it at the end of the block is killed."""
    with subprocess.Popen(
        label_command(*arguments),
        cwd=here,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def receipts_in(target: Path) -> int:
    return len(list(target.glob("job/receipts/0*.json")))


def wait_for_receipts(process: subprocess.Popen[str], target: Path, count: int) -> None:
    """Returns once so many pieces are done; fails where the command ends before."""
    while receipts_in(target) < count:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def workers_of(pid: int, names: Sequence[str] = ("_MapWorker", "Map")) -> list[psutil.Process]:
    """The processes below one in which Ray Data works on pieces."""
    found = []
    for child in psutil.Process(pid).children(recursive=True):
        try:
            title = child.cmdline()[0]
        except (psutil.Error, IndexError):
            continue
        if title.startswith("ray::") and any(name in title for name in names):
            found.append(child)
    return found


def kill_a_worker(pid: int, rng: random.Random) -> str:
    """Kills one of the workers below a process; gives its name."""
    victims = workers_of(pid)
    if not victims:
        return ""
    victim = rng.choice(victims)
    title = victim.cmdline()[0] if victim.is_running() else ""
    victim.send_signal(signal.SIGKILL)
    return title


@contextmanager
def two_nodes() -> Iterator[tuple[str, psutil.Process]]:
    """Starts Ray twice on this machine, as a head and a second node of one cluster.

    Yields the address, and the second node's process, whose end ends the node.
    """
    port = 20000 + random.randrange(20000)
    ray = str(Path(sys.executable).parent / "ray")
    env = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0"}
    start = [ray, "start", "--num-cpus=1", "--block"]
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        options = {"env": env, "stdout": nowhere, "stderr": nowhere, "start_new_session": True}
        head = subprocess.Popen(
            [
                *(*start, "--head", f"--port={port}", f"--node-ip-address={HEAD}"),
                "--include-dashboard=false",
            ],
            **options,
        )
        nodes = [head]
        try:
            _wait_for_port(port)
            nodes.append(
                subprocess.Popen(
                    [*start, f"--address={HEAD}:{port}", f"--node-ip-address={SECOND}"], **options
                )
            )
            yield f"{HEAD}:{port}", psutil.Process(nodes[1].pid)
        finally:
            for node in nodes:
                stop_node(psutil.Process(node.pid))
                node.wait()


def _wait_for_port(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex((HEAD, port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("Ray's head has not started")


def stop_node(node: psutil.Process) -> None:
    """Kills a node with everything that runs on it, as a power cut does."""
    if not node.is_running():
        return
    for process in [*node.children(recursive=True), node]:
        try:
            process.kill()
        except psutil.Error:
            continue
