"""What a billion frames cost, on paper: from a job's stage times to nodes, hours and bottlenecks.

    python benchmarks/billion_frames.py --stages OUT/summary.json [--frames N] [--days D]
    python benchmarks/billion_frames.py --stages-ms 12,180,9 --bytes-in 2500000 --bytes-out 60000

The stage times are those of one core, from the `summary.json` that `swiftseg label` writes, or
given as read,segment,write. Everything else is an assumption that stands below or on the command
line, and is printed with the answer. Nothing is measured here.

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

STAGES = ("read", "segment", "write")
STORE_GETS_S, STORE_PUTS_S = 5500, 3500  # a prefix of S3, as its makers say
DAY_S = 86400


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


@dataclass(frozen=True)
class Node:
    """A machine; `gpu_fps` is the network's frames a second on its GPU, 0 without one."""

    name: str
    cores: int
    link_bytes_s: float
    gpu_fps: float = 0.0

    def bounds(self, frame: Frame) -> dict[str, float]:
        """Frames a second that each resource allows."""
        link = self.link_bytes_s / (frame.bytes_in + frame.bytes_out)
        if self.gpu_fps:
            decode = self.cores / (frame.read_s + frame.write_s)
            return {"gpu": self.gpu_fps, "decode and encode": decode, "link": link}
        return {"cores": self.cores / frame.core_s, "link": link}


def store_bounds(batch: int, *, shards: bool, prefixes: int) -> dict[str, float]:
    """Frames a second that the object store allows a whole job."""
    puts = 2 / batch if shards else 1 + 1 / batch
    return {"store reads": STORE_GETS_S * prefixes, "store writes": STORE_PUTS_S * prefixes / puts}


def nodes_needed(node: Node, frame: Frame, frames: float, days: float) -> int:
    """How many nodes label so many frames in so many days."""
    per_node = min(node.bounds(frame).values()) * DAY_S * days
    return max(1, -int(-frames // per_node))


def report(frame: Frame, nodes: list[Node], frames: float, days: float, batch: int) -> list[str]:
    """The answer as lines of Markdown."""
    lines = [
        f"{frames:.3g} frames in {days:g} days are {frames / (days * DAY_S):.0f} frames/s and, on "
        f"CPUs, {frames * frame.core_s / 3600:.3g} core hours.",
        "",
        "| node | frames/s | bound by | nodes | node hours |",
        "| --- | --- | --- | --- | --- |",
    ]
    for node in nodes:
        bounds = node.bounds(frame)
        name = min(bounds, key=bounds.__getitem__)
        hours = frames / bounds[name] / 3600
        count = nodes_needed(node, frame, frames, days)
        lines.append(f"| {node.name} | {bounds[name]:.1f} | {name} | {count} | {hours:.0f} |")
    needed = frames / (days * DAY_S)
    lines += [
        "",
        "| target | prefixes | store allows frames/s | enough |",
        "| --- | --- | --- | --- |",
    ]
    for shards in (False, True):
        for prefixes in (1, 16):
            allowed = min(store_bounds(batch, shards=shards, prefixes=prefixes).values())
            name = f"shards of {batch}" if shards else "PNG files"
            enough = "yes" if allowed >= needed else "no"
            lines.append(f"| {name} | {prefixes} | {allowed:.0f} | {enough} |")
    return lines


def read_stages(path: Path) -> tuple[float, float, float]:
    """Seconds of one core a frame by stage, from a job's summary."""
    summary = json.loads(path.read_text("utf-8"))
    read_s, segment_s, write_s = (summary["seconds"][stage] / summary["frames"] for stage in STAGES)
    return read_s, segment_s, write_s


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--stages", type=Path, help="a job's summary.json")
    parser.add_argument("--stages-ms", help="read,segment,write of one core, in milliseconds")
    parser.add_argument("--frames", type=float, default=1e9)
    parser.add_argument("--days", type=float, default=7)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--bytes-in", type=float, default=2.5e6, help="a PNG of 1024x2048")
    parser.add_argument("--bytes-out", type=float, default=6e4, help="its label map")
    parser.add_argument("--cores", type=int, default=64)
    parser.add_argument("--gbit", type=float, default=25, help="a node's link")
    parser.add_argument("--gpu-fps", type=float, default=400, help="the network on one GPU")
    given = parser.parse_args()
    if (given.stages is None) == (given.stages_ms is None):
        parser.error("name one of --stages and --stages-ms")
    if given.stages is not None:
        read_s, segment_s, write_s = read_stages(given.stages)
    else:
        read_s, segment_s, write_s = (float(ms) / 1000 for ms in given.stages_ms.split(","))
    frame = Frame(read_s, segment_s, write_s, given.bytes_in, given.bytes_out)
    link = given.gbit * 1e9 / 8
    nodes = [
        Node(f"CPU, {given.cores} cores", given.cores, link),
        Node(f"GPU, {given.cores} cores", given.cores, link, given.gpu_fps),
    ]
    print("Assumed or handed in:", ", ".join(f"{k} {v}" for k, v in vars(given).items()))
    print()
    print("\n".join(report(frame, nodes, given.frames, given.days, given.batch)))


if __name__ == "__main__":
    main()
