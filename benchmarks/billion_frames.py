"""What a billion frames cost, on paper: from measured stage times to nodes, hours and bottlenecks.

    python benchmarks/billion_frames.py                        Fast-SCNN at 1024x2048, as measured
    python benchmarks/billion_frames.py --page                 the same, into docs/how-to
    python benchmarks/billion_frames.py --stages OUT/summary.json [--frames N] [--days D]
    python benchmarks/billion_frames.py --stages-ms 12,180,9 --bytes-in 2500000 --bytes-out 60000

The stage times are those of one core: the committed ones of results/, those in the `summary.json`
that `swiftseg label` writes, or given as read,segment,write. Everything else is an assumption that
stands below or on the command line, and is printed with the answer. Nothing is measured here.

For a node with C cores, a link of L bytes a second and, on GPU nodes, G frames a second of the
network:

    CPU node:  frames/s = min(C / (read + segment + write),  L / (bytes in + bytes out))
    GPU node:  frames/s = min(G,  C / (read + write),        L / (bytes in + bytes out))

and for the whole cluster: frames/s <= requests a second of the store / requests a frame, where a
frame asks 1 GET, and 1 PUT as a PNG or 1/batch as a row of a shard, and a receipt 1/batch.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from readme_tables import renewed

STAGES = ("read", "segment", "write")
STORE_GETS_S, STORE_PUTS_S = 5500, 3500  # a prefix of S3, as its makers say
DAY_S = 86400
INPUT_BYTES, COMMAND_BYTES = 300, 4e9  # of an input in the command's memory, and of all of them
MOST_PIECES = 1e6  # receipts in one folder

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parents[1] / "docs/how-to/label-millions.md"
SIZE = "1024x2048"
GPU_CASE = "fast_scnn 2048x1024"
GPUS = 8  # of a large node


@dataclass(frozen=True)
class Frame:
    """What one frame asks for: seconds of one core by stage, and bytes of traffic."""

    read_s: float
    segment_s: float
    write_s: float
    bytes_in: float
    bytes_out: float

    @property
    def core_s(self) -> float:
        return self.read_s + self.segment_s + self.write_s

    @property
    def traffic(self) -> float:
        return self.bytes_in + self.bytes_out


@dataclass(frozen=True)
class Node:
    """A machine; `gpu_fps` is the network's frames a second on its GPUs, 0 without one."""

    name: str
    cores: int
    link_bytes_s: float
    gpu_fps: float = 0.0

    def bounds(self, frame: Frame) -> dict[str, float]:
        """Frames a second that each resource allows."""
        link = self.link_bytes_s / frame.traffic
        if self.gpu_fps:
            decode = self.cores / (frame.read_s + frame.write_s)
            return {"GPU": self.gpu_fps, "decode and encode": decode, "link": link}
        return {"cores": self.cores / frame.core_s, "link": link}


def store_bounds(batch: int, *, shards: bool, prefixes: int) -> dict[str, float]:
    """Frames a second that the object store allows a whole job."""
    puts = 2 / batch if shards else 1 + 1 / batch
    return {"store reads": STORE_GETS_S * prefixes, "store writes": STORE_PUTS_S * prefixes / puts}


def nodes_needed(node: Node, frame: Frame, frames: float, days: float) -> int:
    """How many nodes label so many frames in so many days."""
    per_node = min(node.bounds(frame).values()) * DAY_S * days
    return max(1, -int(-frames // per_node))


def cost_table(frame: Frame, nodes: list[Node], frames: float, days: float) -> list[str]:
    """What the frames cost on nodes of each kind, as lines of Markdown."""
    lines = [
        f"{frames:,.0f} frames in {days:g} days are {frames / (days * DAY_S):,.0f} frames/s and, "
        f"on CPUs, {frames * frame.core_s / 3600:,.0f} core hours.",
        "",
        "| node | frames/s | bound by | nodes | node hours |",
        "| --- | ---: | --- | ---: | ---: |",
    ]
    for node in nodes:
        bounds = node.bounds(frame)
        name = min(bounds, key=bounds.__getitem__)
        hours = frames / bounds[name] / 3600
        count = nodes_needed(node, frame, frames, days)
        lines.append(f"| {node.name} | {bounds[name]:,.0f} | {name} | {count} | {hours:,.0f} |")
    return lines


def store_table(batch: int, frames: float, days: float) -> list[str]:
    """Whether an object store keeps up, as lines of Markdown."""
    needed = frames / (days * DAY_S)
    lines = [
        "| target | prefixes | store allows frames/s | enough |",
        "| --- | ---: | ---: | --- |",
    ]
    for shards in (False, True):
        for prefixes in (1, 16):
            allowed = min(store_bounds(batch, shards=shards, prefixes=prefixes).values())
            name = f"shards of {batch}" if shards else "PNG files"
            enough = "yes" if allowed >= needed else "no"
            lines.append(f"| {name} | {prefixes} | {allowed:,.0f} | {enough} |")
    return lines


def settings_table(frame: Frame, cores: int, batch: int) -> list[str]:
    """At which size which setting changes, as lines of Markdown."""
    files = store_bounds(batch, shards=False, prefixes=1)["store writes"]
    cpu_fps = cores / frame.core_s
    gbit = cpu_fps * frame.traffic * 8 / 1e9
    per_core = 1 / (frame.read_s + frame.write_s)
    return [
        "| setting | changes |",
        "| --- | --- |",
        f"| `--format parquet` | above {files:,.0f} frames/s into one prefix, which "
        f"{files / cpu_fps:.0f} CPU nodes reach |",
        f"| `--batch 1024` | above {MOST_PIECES * batch:,.0f} frames in one target, whose receipts "
        f"are {MOST_PIECES:,.0f} then |",
        f"| several jobs, each with its own target | above {COMMAND_BYTES / INPUT_BYTES:,.0f} "
        f"inputs, whose list takes {COMMAND_BYTES / 1e9:g} GB of the command's memory |",
        f"| cores beside a GPU | one for each {per_core:,.0f} frames/s of its network |",
        f"| the link of a CPU node | above {gbit:.1f} Gbit/s it waits for the cores |",
    ]


def read_stages(path: Path) -> tuple[float, float, float]:
    """Seconds of one core a frame by stage, from a job's summary."""
    summary = json.loads(path.read_text("utf-8"))
    read_s, segment_s, write_s = (summary["seconds"][stage] / summary["frames"] for stage in STAGES)
    return read_s, segment_s, write_s


def measured_stages() -> tuple[float, float, float]:
    """Seconds of one core for a frame of 1024x2048 through Fast-SCNN, as results/ has them."""
    stages = _result("frame_stages")["sizes"][SIZE]
    found = _result("fast_scnn_speed")["measurements"][0]  # at this size, in ONNX Runtime
    assert (found["name"], found["size_hw"]) == ("fast_scnn", [1024, 2048])
    segment_ms = found["threads"] * sum(
        found["stages_ms"][stage]["p50_ms"] for stage in ("network", "upsample_argmax")
    )
    read_ms, write_ms = (stages[name]["now_ms"] for name in ("decode a JPEG", "write a label map"))
    return read_ms / 1000, segment_ms / 1000, write_ms / 1000


def measured_gpu_fps() -> tuple[float, float]:
    """Frames/s of the network on a GPU: one by one in f32, and at best (f16, in batches)."""
    [case] = [case for case in _result("gpu_speed")["cases"] if case["case"] == GPU_CASE]
    one_by_one = next(way for way in case["ways"] if way["way"] == "eager f32")
    return 1000 / one_by_one["median_ms"], max(batch["fps"] for batch in case["batches"])


def _result(name: str) -> Any:
    return json.loads((RESULTS / f"{name}.json").read_text("utf-8"))


def usual_nodes(cores: int, gbit: float, gpu_fps: tuple[float, float]) -> list[Node]:
    """Nodes without a GPU, with one and with several."""
    link = gbit * 1e9 / 8
    slow, fast = gpu_fps
    return [
        Node(f"{cores} cores", cores, link),
        Node(f"{cores} cores, a GPU, f32", cores, link, slow),
        Node(f"{cores} cores, {GPUS} GPUs, f32", cores, link, GPUS * slow),
        Node(f"{cores} cores, {GPUS} GPUs, f16 in batches", cores, link, GPUS * fast),
        Node(f"the same with {4 * gbit:g} Gbit/s", cores, 4 * link, GPUS * fast),
    ]


def report(given: argparse.Namespace, stages: tuple[float, float, float]) -> str:
    """The whole answer in Markdown."""
    frame = Frame(*stages, given.bytes_in, given.bytes_out)
    gpu_fps = (given.gpu_fps, given.gpu_fps) if given.gpu_fps else measured_gpu_fps()
    tables = (
        cost_table(frame, usual_nodes(given.cores, given.gbit, gpu_fps), given.frames, given.days),
        store_table(given.batch, given.frames, given.days),
        settings_table(frame, given.cores, given.batch),
    )
    return "\n\n".join("\n".join(lines) for lines in tables)


def read_options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--stages", type=Path, help="a job's summary.json")
    parser.add_argument("--stages-ms", help="read,segment,write of one core, in milliseconds")
    parser.add_argument("--page", action="store_true", help=f"write the tables of {PAGE.name}")
    parser.add_argument("--frames", type=float, default=1e9)
    parser.add_argument("--days", type=float, default=7)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--bytes-in", type=float, default=1e6, help="a JPEG of 1024x2048")
    parser.add_argument("--bytes-out", type=float, default=6e4, help="its label map")
    parser.add_argument("--cores", type=int, default=64)
    parser.add_argument("--gbit", type=float, default=25, help="a node's link")
    parser.add_argument("--gpu-fps", type=float, help="the network on one GPU")
    given = parser.parse_args(arguments)
    if given.stages is not None and given.stages_ms is not None:
        parser.error("name one of --stages and --stages-ms")
    return given


def main() -> None:
    given = read_options()
    stages = measured_stages()
    if given.stages is not None:
        stages = read_stages(given.stages)
    elif given.stages_ms is not None:
        read_s, segment_s, write_s = (float(ms) / 1000 for ms in given.stages_ms.split(","))
        stages = read_s, segment_s, write_s
    answer = report(given, stages)
    if given.page:
        page = PAGE.read_text("utf-8")
        PAGE.write_text(renewed(page, {"billion": answer}), encoding="utf-8")
        return
    print("Assumed or handed in:", ", ".join(f"{k} {v}" for k, v in vars(given).items()))
    print(
        "Seconds of one core:",
        ", ".join(f"{k} {v:.4g}" for k, v in zip(STAGES, stages, strict=True)),
    )
    print()
    print(answer)


if __name__ == "__main__":
    main()
