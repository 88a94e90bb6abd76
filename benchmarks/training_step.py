"""What makes a training step on a CPU shorter: bf16, torch.compile, kept memory.

    python benchmarks/training_step.py

Forward pass, loss, backward pass and AdamW of each small network at 360x480, in torch on generated
frames. Every way runs in a process of its own, all in turn, in several rounds. Writes
results/training_step.json; the times are milliseconds, the ratios are against eager float32.
"""

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

from swiftseg.benchmarking.machine import describe_machine
from swiftseg.benchmarking.timing import measure_ms
from swiftseg.core.files import replacing
from swiftseg.core.fresh_process import run_in_process

RESULT = Path(__file__).parent / "results/training_step.json"
NETWORKS = ("enet", "fast_scnn", "segfast")
NUM_CLASSES, IGNORE_INDEX, BATCH = 11, 11, 8

# Precision, compiled, memory kept.
WAYS = {
    "eager f32": ("f32", False, False),
    "eager f32, memory kept": ("f32", False, True),
    "eager bf16": ("bf16", False, False),
    "eager bf16, memory kept": ("bf16", False, True),
    "compiled bf16": ("bf16", True, False),
    "compiled bf16, memory kept": ("bf16", True, True),
}


def step_ms(
    network: str, size_hw: list[int], precision: str, compiled: bool, kept: bool, seconds: float
) -> float:
    """Return the median of a step."""
    import torch
    from torch.nn import functional as F

    from swiftseg.models import create_model
    from swiftseg.training.freed_memory import keep_freed_memory

    if kept:
        keep_freed_memory()
    torch.manual_seed(0)
    model = create_model(network, num_classes=NUM_CLASSES).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    frames = torch.rand(BATCH, 3, *size_hw).to(memory_format=torch.channels_last)
    masks = torch.randint(0, NUM_CLASSES + 1, (BATCH, *size_hw))

    def loss_of(image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(model(image).float(), mask, ignore_index=IGNORE_INDEX)

    loss = torch.compile(loss_of) if compiled else loss_of

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            value = loss(frames, masks)
        value.backward()
        optimizer.step()
        optimizer.zero_grad()

    return statistics.median(measure_ms(step, seconds=seconds))


def measure(network: str, size_hw: list[int], *, rounds: int, seconds: float) -> dict[str, Any]:
    """Runs all ways of one network in turn; gives each one's best round, as others only add."""
    rounds_ms: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way, (precision, compiled, kept) in WAYS.items():
            arguments = {"precision": precision, "compiled": compiled, "kept": kept}
            took = run_in_process(
                step_ms, network=network, size_hw=size_hw, seconds=seconds, **arguments
            )
            rounds_ms[way].append(took)
            print(f"{network:10} {way:28} {took:8.0f} ms", flush=True)
    best = {way: min(taken) for way, taken in rounds_ms.items()}
    base = best["eager f32"]
    return {way: {"step_ms": took, "times_faster": base / took} for way, took in best.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="360x480", help="HxW")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    size_hw = [int(side) for side in options.size.split("x")]
    machine = describe_machine()
    steps = {
        name: measure(name, size_hw, rounds=options.rounds, seconds=options.seconds)
        for name in NETWORKS
    }
    found = {
        "command": "python benchmarks/training_step.py",
        "size_hw": size_hw,
        "batch_size": BATCH,
        "rounds": options.rounds,
        "seconds": options.seconds,
        "machine": machine.model_dump(),
        "steps": steps,
    }
    with replacing(options.out) as temporary:
        temporary.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
