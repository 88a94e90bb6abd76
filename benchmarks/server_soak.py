"""A soak of the server: many requests at twice its capacity, beside clients that behave badly.

    python benchmarks/server_soak.py [--requests N] [--minutes M] [--model NAME]

JPEGs of 256x192 come at twice the rate that the server answers. Each must be answered with the
bytes that `swiftseg predict` writes, or be refused with 429 or 503. All the while other clients
send 1,000 bodies of rubbish, go away in the middle of a body, and send a byte a second. The
server's memory is noted after each tenth. A second server of two processes loses one of them to
kill -9 again and again under the same load; what that process held is asked for again, once.
--minutes bounds the time of sending, and with it the number of requests.

Writes results/server_soak.json.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from load_client import Connection, Load, closed_loop, open_loop, request_bytes
from serving import pictures, running

from swiftseg.benchmarking.machine import describe_machine

RESULT = Path(__file__).parent / "results/server_soak.json"
MODEL, SIZE_HW = "enet-toystreet", (192, 256)  # little work, so that many requests fit an hour
CONNECTIONS, PARTS = 256, 10
RUBBISH, SLOW_CLIENTS, KILLS = 1000, 10, 3
KILL_REQUESTS = 2000


def labels_by_predict(model: str, bodies: Sequence[bytes]) -> list[bytes]:
    """Return the files of labels that `swiftseg predict` writes of these pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        for number, body in enumerate(bodies):
            (folder / "in" / f"{number:03}.jpg").write_bytes(body)
        command = [sys.executable, "-m", "swiftseg", "predict", "in", "--model", model]
        command += ["--out", "out", "--save", "labels"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        return [path.read_bytes() for path in sorted((folder / "out/labels").glob("*.png"))]


def held_mb(pid: int) -> float:
    """Return the memory that a process and its children hold."""
    server = psutil.Process(pid)
    return round(sum(p.memory_info().rss for p in (server, *server.children())) / 1e6, 1)


def rubbish(picture: bytes, draw: random.Random) -> bytes:
    """Return a damaged picture or random bytes, cut somewhere."""
    body = bytearray(draw.choice((picture, draw.randbytes(2000))))
    for _ in range(draw.randrange(5, 50)):
        body[draw.randrange(len(body) // 20)] = draw.randrange(256)  # headers decide the most
    return bytes(body[: draw.randrange(1, len(body))])


async def send_rubbish(port: int, request: bytes, part: int, statuses: Counter[int]) -> None:
    """Send a tenth of the rubbish, one body after another, each until the queue takes it."""
    draw, connection = random.Random(part), Connection(port)
    picture = request.partition(b"\r\n\r\n")[2]
    for _ in range(RUBBISH // PARTS):
        request = request_bytes(rubbish(picture, draw))
        while (status := (await connection.ask(request))[0]) in (429, 503):
            await asyncio.sleep(0.1)
        statuses[status] += 1
    connection.close()


async def send_halves(port: int, request: bytes, count: Counter[str]) -> None:
    """Go away in the middle of a body, again and again."""
    while True:
        with suppress(ConnectionError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request[: len(request) // 2])
            await writer.drain()
            writer.close()
        count["half-sent bodies"] += 1
        await asyncio.sleep(0.2)


async def send_slowly(port: int, request: bytes, count: Counter[str]) -> None:
    """Send a byte a second until the server answers or closes, again and again."""
    while True:
        outcome = "closed"
        with suppress(ConnectionError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request[:200])
            answer = asyncio.create_task(reader.readline())
            for byte in request[200:]:
                done, _ = await asyncio.wait([answer], timeout=1)
                if done:
                    break
                writer.write(bytes([byte]))
            writer.close()
            outcome = (await answer).decode().partition(" ")[2].strip() or outcome
        count[f"slow clients: {outcome}"] += 1


async def beside(load: Coroutine[Any, Any, Load], *others: Coroutine[Any, Any, None]) -> Load:
    """Run others until the load is done; whoever is done sooner is waited for no more."""
    tasks = [asyncio.create_task(other) for other in others]
    done = await load
    for task in tasks:
        if task.done():
            task.result()
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return done


def overload(
    port: int, pid: int, requests: list[bytes], expected: list[bytes], count: int, minutes: float
) -> dict[str, Any]:
    """Send requests at twice the capacity beside the clients that behave badly.

    The capacity is measured anew before each tenth, since other work may share the machine.
    """
    total, sent = Load(), 0
    rubbish_statuses: Counter[int] = Counter()
    badly: Counter[str] = Counter()
    rates: list[float] = []
    memory_mb: list[float] = []
    for part in range(PARTS):
        capacity = asyncio.run(closed_loop(port, requests, connections=4, seconds=5)).per_second()
        rates.append(round(2 * capacity, 1))
        in_time = round(rates[-1] * 60 * minutes / PARTS)
        part_count = min((count - sent) // (PARTS - part), in_time)
        total.add(
            asyncio.run(
                beside(
                    open_loop(
                        port,
                        requests,
                        rate=rates[-1],
                        count=part_count,
                        connections=CONNECTIONS,
                        expected=expected,
                    ),
                    send_rubbish(port, requests[0], part, rubbish_statuses),
                    send_halves(port, requests[0], badly),
                    *(send_slowly(port, requests[0], badly) for _ in range(SLOW_CLIENTS)),
                )
            )
        )
        sent += part_count
        memory_mb.append(held_mb(pid))
        print(part, sent, rates[-1], memory_mb[-1], dict(total.statuses), flush=True)
    return {
        "requests": sent,
        "rates_by_tenths": rates,
        **_told(total),
        "rubbish": _by_status(rubbish_statuses),
        "beside": dict(badly),
        "memory_mb_by_tenths": memory_mb,
        "memory_mb": {
            "after a tenth": memory_mb[0],
            "largest": max(memory_mb),
            "end": memory_mb[-1],
        },
    }


def killed_under_load(
    port: int, pid: int, requests: list[bytes], expected: list[bytes]
) -> dict[str, Any]:
    """Kill a process of the server under load, some times."""
    capacity = asyncio.run(closed_loop(port, requests, connections=8, seconds=5)).per_second()
    killed: list[int] = []
    load = asyncio.run(
        beside(
            open_loop(
                port,
                requests,
                rate=2 * capacity,
                count=KILL_REQUESTS,
                connections=64,
                expected=expected,
            ),
            _kill_now_and_then(pid, KILL_REQUESTS / (2 * capacity) / (KILLS + 1), killed),
        )
    )
    after = asyncio.run(closed_loop(port, requests, connections=4, seconds=5))
    return {
        "requests": KILL_REQUESTS,
        "killed": len(killed),
        **_told(load),
        "processes_after": len(_workers(pid)),
        "after": _by_status(after.statuses),
    }


async def _kill_now_and_then(pid: int, pause_s: float, killed: list[int]) -> None:
    for _ in range(KILLS):
        await asyncio.sleep(pause_s)
        worker = _workers(pid)[0]
        worker.kill()
        killed.append(worker.pid)


def _workers(pid: int) -> list[psutil.Process]:
    children = psutil.Process(pid).children()
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def _told(load: Load) -> dict[str, Any]:
    return {
        "statuses": _by_status(load.statuses),
        "asked_again": load.asked_again,
        "different_labels": load.different,
        "seconds": load.seconds,
    }


def _by_status(statuses: Counter[int]) -> dict[str, int]:
    return {str(status): number for status, number in sorted(statuses.items())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    machine = describe_machine()
    bodies = pictures(None, SIZE_HW)
    requests = [request_bytes(body) for body in bodies]
    expected = labels_by_predict(options.model, bodies)

    def command(port: int) -> list[str]:
        return [sys.executable, "-m", "swiftseg", "serve", options.model, "--port", str(port)]

    with running(command, requests[0]) as (port, pid):
        overloaded = overload(port, pid, requests, expected, options.requests, options.minutes)
    with running(lambda port: [*command(port), "--workers", "2"], requests[0]) as (port, pid):
        killed = killed_under_load(port, pid, requests, expected)
    written = {
        "command": "python benchmarks/server_soak.py "
        f"--requests {options.requests} --minutes {options.minutes:g}",
        "model": options.model,
        "machine": machine.model_dump(),
        "overload": overloaded,
        "kill": killed,
    }
    options.out.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    print(json.dumps({"overload": overloaded, "kill": killed}, indent=2))


if __name__ == "__main__":
    main()
