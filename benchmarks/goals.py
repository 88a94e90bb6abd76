"""The speed that swiftseg is meant to have, and the speed that it has: one table.

    python benchmarks/goals.py --frames DIR

Quotients within one run, by medians: what a user writes today (Pillow, torchvision, plain torch,
argmax, Pillow) over ours, ours over the least time that the convolutions can take on this machine
(roofline.py, needs a C compiler), and what the scripts of the video pipeline and of the start-up
give. Float32 counts with the faster engine of two. Weights are those that are shipped for a
network, resized to the size that is asked for, else random ones; the notes say which, and how many
labels of a frame equal plain torch's. DIR holds images like those that the weights learned from
(CamVid's), by which `auto` chooses and labels are compared; without it street scenes are drawn, on
which weights for real streets are less sure, and lower precision changes more labels.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from goals_run import AUTO, USER, Found, measure_all
from roofline import measure_limits, roofline_ms
from speed_report import Goal
from speed_script import EAGER, Options, finish, read_options

from swiftseg.benchmarking.benchmark_report import Measurement
from swiftseg.core.fresh_process import run_in_process

VIDEO_HW = (512, 1024)


def fast_scnn_goals(found: Found) -> list[Goal]:
    """From JPEG to overlay, against the user's way."""
    user_ms = found.of("fast_scnn", USER).total_ms.p50_ms
    bounds = ((found.f32("fast_scnn"), 6, 9), (found.auto("fast_scnn"), 10, 15))
    return [
        Goal(
            what=f"Fast-SCNN 1024x2048, JPEG to overlay, {asked_for(ours)}: the user's way / ours",
            unit="times",
            higher_is_better=True,
            must=must,
            goal=goal,
            measured=user_ms / sum(stage.p50_ms for stage in ours.stages_ms.values()),
            note=f"user {user_ms:.0f} ms; {found.note('fast_scnn', ours)}",
            conditions_hold=found.keeps_labels("fast_scnn", ours),
        )
        for ours, must, goal in bounds
    ]


def roofline_goal(
    found: Found, network: str, limits: Mapping[str, float], *, must: float, goal: float
) -> Goal:
    """A network against the least time of its convolutions."""
    size_hw, ours = found.named[network].size_hw, found.f32(network)
    least_ms = run_in_process(
        roofline_ms,
        name=network,
        size_hw=size_hw,
        num_classes=ours.num_classes,
        **limits,
    )
    network_ms = ours.stages_ms["network"].p50_ms
    return Goal(
        what=f"{network} {size_hw[0]}x{size_hw[1]}, network from uint8, f32: ours / roofline",
        unit="times",
        higher_is_better=False,
        must=must,
        goal=goal,
        measured=network_ms / least_ms,
        note=f"{network_ms:.1f} ms over {least_ms:.1f} ms, at {limits['gflops']:.0f} GFLOP/s and "
        f"{limits['gbytes']:.0f} GB/s; {ours.way}",
    )


def eager_goals(
    found: Found, network: str, bounds: Sequence[tuple[Measurement, float, float]]
) -> list[Goal]:
    """From frame to labels, against plain torch; bounds are (ours, must, goal)."""
    eager_ms = found.of(network, EAGER).total_ms.p50_ms
    height, width = found.named[network].size_hw
    return [
        Goal(
            what=f"{network} {height}x{width}, frame to labels, {asked_for(ours)}: torch / ours",
            unit="times",
            higher_is_better=True,
            must=must,
            goal=goal,
            measured=eager_ms / ours.total_ms.p50_ms,
            note=f"{eager_ms:.1f} / {ours.total_ms.p50_ms:.2f} ms; {found.note(network, ours)}",
            conditions_hold=found.keeps_labels(network, ours),
        )
        for ours, must, goal in bounds
    ]


def asked_for(ours: Measurement) -> str:
    """Names the precision that was asked for; the note tells what `auto` has chosen."""
    return "--precision auto" if ours.way.startswith(AUTO) else ours.precision


def paper_goal(found: Found, network: str, published: float) -> Goal:
    """A larger network's time over SegFast's, each in its faster engine."""
    other, segfast = found.f32(network), found.f32("segfast")
    other_ms, segfast_ms = other.total_ms.p50_ms, segfast.total_ms.p50_ms
    return Goal(
        what=f"{network} / SegFast, frame to labels at 224x224, f32 (paper: {published})",
        unit="times",
        higher_is_better=True,
        must=published,
        goal=3 * published,
        measured=other_ms / segfast_ms,
        note=f"{other_ms:.3g} ms in {other.way} / {segfast_ms:.3g} ms in {segfast.way}",
    )


def pipeline_goals(options: Options) -> list[Goal]:
    """The video pipeline against its slowest stage, by its own script."""
    height, width = options.size_hw(*VIDEO_HW)
    frames, passes = (8, 1) if options.shrink > 1 else (96, 3)
    found = script_result(
        "video_pipeline",
        *("--size", f"{height}x{width}", "--threads", str(options.threads)),
        *("--frames", str(frames), "--passes", str(passes)),
    )
    return [
        Goal(
            what="video 512x1024, all stages at once: of the slowest stage's frames a second",
            unit="%",
            higher_is_better=True,
            must=85,
            goal=95,
            measured=100 * found["share_of_slowest_stage"],
            note=f"{found['pipeline_fps']:.1f} fps, {found['slowest_stage']} alone "
            f"{found['slowest_stage_fps']:.1f}; {found['share_of_all_cores']:.0%} of what all "
            f"cores can do; weights {found['model']}",
        )
    ]


def start_goals(options: Options) -> list[Goal]:
    """The start of `swiftseg predict` and its time outside the network, by their own script."""
    quick = ("--starts", "1", "--passes", "1") if options.shrink > 1 else ()
    found = script_result("predict_startup", *quick)
    weights = f"weights {found['model']}"
    return [
        Goal(
            what="first label after `swiftseg predict` starts, one 480x360 image (W,H)",
            unit="s",
            higher_is_better=False,
            must=1.0,
            goal=0.5,
            measured=found["first_label_s"],
            note=weights,
        ),
        Goal(
            what="share of `swiftseg predict`'s time outside the network at 480x360 (W,H)",
            unit="%",
            higher_is_better=False,
            must=30,
            goal=15,
            measured=100 * found["share_outside_network"],
            note=f"{weights}, {found['images']} images",
        ),
    ]


def script_result(name: str, *arguments: str) -> dict[str, Any]:
    """Runs another script of this folder and gives what it writes; raises where it fails."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / f"{name}.json"
        script = Path(__file__).with_name(f"{name}.py")
        command = [sys.executable, str(script), "--out", str(out), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return json.loads(out.read_text("utf-8"))


def main() -> None:
    options = read_options(__doc__ or "", takes_frames=True)
    found = measure_all(options)
    limits = run_in_process(measure_limits, threads=options.threads)
    goals = [
        *fast_scnn_goals(found),
        roofline_goal(found, "fast_scnn", limits, must=2, goal=1.4),
        roofline_goal(found, "enet", limits, must=2.8, goal=2),
        *eager_goals(found, "enet", [(found.f32("enet"), 3, 4), (found.auto("enet"), 4, 7)]),
        *eager_goals(found, "segfast", [(found.auto("segfast"), 5, 10)]),
        paper_goal(found, "segnet", 5.1),
        paper_goal(found, "fcn8s", 8.7),
        *pipeline_goals(options),
        *start_goals(options),
    ]
    frames = f"images of {options.frames.name}" if options.frames else "drawn street scenes"
    notes = [f"Precision is chosen and labels are compared on {frames}."]
    finish("Goals", options, measurements=found.measurements, goals=goals, notes=notes)


if __name__ == "__main__":
    main()
