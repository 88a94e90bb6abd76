"""Trainings, resumed trainings and exports killed at random moments; the end must be the same bits.

    python benchmarks/kills.py --count 100

Of five kills, two are of a training of the shipped ENet recipe on a few frames, two of such a
training that goes on, and one is of an export. Whatever checkpoint a kill leaves must open, and the
training that goes on must end with the weights of one that nothing has stopped. An export's file
is absent, or has the bytes of one that nothing has stopped, and so has the file of a second export.

Each command runs in a process of its own, forked from one that has imported what it needs, so that
kills fall into its work. Writes benchmarks/results/kills.json after each kill; a later start goes
on with the kills that are missing there.
"""

import argparse
import json
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import torch

from swiftseg.benchmarking.machine import describe_machine
from swiftseg.core.files import write_file
from swiftseg.trained import load_checkpoint

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.support.tiny_camvid import make_tiny_camvid

RESULT = Path(__file__).parent / "results" / "kills.json"
MODEL = "fast_scnn-camvid"
KINDS = ("training", "resume", "training", "resume", "export")
SETTINGS = (
    *("--set", "input.size_hw=[24, 32]", "--set", "batch_size=2", "--set", "validate_every=1"),
    *("--set", "precision=f32", "--set", "compile=false"),
    *("--set", "stages.0.epochs=2", "--set", "stages.1.epochs=2"),
)
NEEDED = ("accelerate", "onnxruntime", "onnxscript", "openvino", "torch.onnx", "torch._inductor")


def run_command(arguments: tuple[str, ...], log: Path) -> None:
    """Run `swiftseg` in this process, what it says going into a file."""
    from swiftseg.cli.main import main

    with log.open("wb") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    sys.argv = ["swiftseg", *arguments]
    main()


@dataclass(frozen=True)
class Commands:
    """What is killed, and what it gives when nothing kills it."""

    root: Path

    def train(self, run: Path, *more: str) -> tuple[str, ...]:
        data = str(self.root / "camvid")
        return ("train", "enet_camvid", "--data", data, "--out", str(run), *SETTINGS, *more)

    def export(self, path: Path) -> tuple[str, ...]:
        return ("export", MODEL, "--size", "64x64", "--out", str(path))

    def start(self, arguments: tuple[str, ...]) -> ForkServerProcess:
        process = multiprocessing.get_context("forkserver").Process(
            target=run_command, args=(arguments, self.root / "log.txt")
        )
        process.start()
        return process

    def finish(self, arguments: tuple[str, ...]) -> float:
        """Run a command to its end; return how many seconds it took."""
        begin = time.monotonic()
        process = self.start(arguments)
        process.join()
        if process.exitcode != 0:
            raise RuntimeError((self.root / "log.txt").read_text()[-500:])
        return time.monotonic() - begin

    def killed_within(self, seconds: float, arguments: tuple[str, ...]) -> bool:
        """Kill a command after some time; return whether it still ran."""
        process = self.start(arguments)
        process.join(seconds)
        was_running = process.is_alive()
        process.kill()
        process.join()
        return was_running


class Undisturbed:
    """The results of commands that nothing has stopped, and how long they took in seconds."""

    def __init__(self, commands: Commands) -> None:
        self.commands, root = commands, commands.root
        make_tiny_camvid(root / "camvid")
        commands.finish(commands.export(root / "m.onnx"))  # all is imported after it
        self.seconds = {
            "training": commands.finish(commands.train(root / "through")),
            "export": commands.finish(commands.export(root / "m.onnx")),
        }
        self.network = load_checkpoint(root / "through/last.pt").network
        self.exported = (root / "m.onnx").read_bytes()
        self._stop_one(root / "stopped")
        shutil.copytree(root / "stopped", root / "resumed")
        resumed = commands.train(root / "resumed", "--resume")
        self.seconds["resume"] = commands.finish(resumed)

    def _stop_one(self, run: Path) -> None:
        """Kill a training once its first checkpoint is there."""
        process = self.commands.start(self.commands.train(run))
        while not (run / "last.pt").exists():
            process.join(0.01)
        process.kill()
        process.join()


def check_training(whole: Undisturbed, run: Path, seconds: float, *, is_resume: bool) -> bool:
    """Kill a training, go on with it, and compare; return whether it was killed."""
    commands = whole.commands
    if is_resume:
        shutil.copytree(commands.root / "stopped", run)
    resume = ("--resume",) if is_resume else ()
    was_killed = commands.killed_within(seconds, commands.train(run, *resume))
    for path in run.glob("[!.]*.pt"):
        load_checkpoint(path)
    if was_killed:
        resume = ("--resume",) if (run / "recipe.yaml").exists() else ()
        commands.finish(commands.train(run, *resume))
    network = load_checkpoint(run / "last.pt").network
    for name, tensor in whole.network.items():
        if not torch.equal(network[name], tensor):
            raise RuntimeError(f"{name} differs")
    return was_killed


def check_export(whole: Undisturbed, path: Path, seconds: float) -> bool:
    """Kill an export, export again, and compare; return whether it was killed."""
    was_killed = whole.commands.killed_within(seconds, whole.commands.export(path))
    if path.exists() and path.read_bytes() != whole.exported:
        raise RuntimeError("the file of a killed export differs")
    whole.commands.finish(whole.commands.export(path))
    if path.read_bytes() != whole.exported:
        raise RuntimeError("the file of a second export differs")
    return was_killed


def killed_once(whole: Undisturbed, number: int, seed: int) -> dict[str, Any]:
    """Kill a command at its random moment; return what came of it."""
    kind = KINDS[number % len(KINDS)]
    seconds = random.Random(f"{seed} {number}").uniform(0, whole.seconds[kind])
    row: dict[str, Any] = {"kind": kind, "at_s": round(seconds, 3), "problem": None}
    with tempfile.TemporaryDirectory(dir=whole.commands.root) as name:
        try:
            if kind == "export":
                row["killed"] = check_export(whole, Path(name) / "m.onnx", seconds)
            else:
                run, is_resume = Path(name) / "run", kind == "resume"
                row["killed"] = check_training(whole, run, seconds, is_resume=is_resume)
        except Exception as error:
            problem = str(error).replace(f"{name}/", "").strip()
            row |= {"killed": True, "problem": f"{type(error).__name__}: {problem}"}
    if not row["killed"]:
        whole.seconds[kind] *= 0.8  # the machine has more time for it than it had
    return row


def report_of(rows: list[dict[str, Any]], seed: int) -> dict[str, Any]:
    """Return the rows with their sums."""
    return {
        "seed": seed,
        "machine": describe_machine().model_dump(),
        "killed": sum(row["killed"] for row in rows),
        "ended_before": sum(not row["killed"] for row in rows),
        "wrong": sum(row["problem"] is not None for row in rows),
        "killed_by_kind": {
            kind: sum(row["killed"] for row in rows if row["kind"] == kind)
            for kind in dict.fromkeys(KINDS)
        },
        "rows": rows,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=100, help="kills of running commands")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULT)
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # of the commands: their threads would wait for each other
    multiprocessing.set_forkserver_preload([*NEEDED, "swiftseg.training", "swiftseg.exporting"])
    rows: list[dict[str, Any]] = []
    if given.out.exists():
        known = json.loads(given.out.read_text("utf-8"))
        rows = known["rows"] if known["seed"] == given.seed else []
    with tempfile.TemporaryDirectory() as name:
        whole = Undisturbed(Commands(Path(name)))
        print(f"undisturbed, in seconds: {whole.seconds}", flush=True)
        while sum(row["killed"] for row in rows) < given.count:
            rows.append(killed_once(whole, len(rows), given.seed))
            print(f"{len(rows)}: {rows[-1]}", flush=True)
            write_file(given.out, json.dumps(report_of(rows, given.seed), indent=1) + "\n")
    sys.exit(any(row["problem"] for row in rows))


if __name__ == "__main__":
    main()
