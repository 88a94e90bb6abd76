"""Write the tables of docs/reliability.md from committed JSON, between their markers.

python benchmarks/reliability_tables.py
"""

import json
from pathlib import Path
from typing import Any

from readme_tables import renewed

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/reliability.md"
PEAKS = ROOT / "benchmarks/results/peak_memory.json"
SOAK = ROOT / "benchmarks/results/soak.json"
FUZZ = ROOT / "tests/fuzz"


def peaks_table(rows: list[dict[str, Any]]) -> str:
    lines = ["| command | peak, MiB |", "| --- | --- |"]
    lines += [f"| `swiftseg {row['command']}` | {row['peak_mb']:,} |" for row in rows]
    return "\n".join(lines)


def fuzz_table(counts: dict[str, dict[str, int]]) -> str:
    columns = ("target", "executions", "minutes counted", "inputs that failed, now mended")
    lines = [f"| {' | '.join(columns)} |", "| --- | --- | --- | --- |"]
    for name, found in sorted(counts.items()):
        failed = list((FUZZ / "found" / name).glob("*"))
        minutes = round(found["seconds"] / 60)
        lines.append(f"| `{name}` | {found['executions']:,} | {minutes} | {len(failed)} |")
    return "\n".join(lines)


def soak_table(parts: dict[str, dict[str, Any]]) -> str:
    columns = (
        "part",
        "share of the whole",
        "MB after a tenth",
        "MB after half",
        "MB at the end",
        "threads",
        "files",
    )
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    for name, found in parts.items():
        warm, end = found["warm"], found["end"]
        share = f"{found['share'] * found['tenths'] / 10:.0%}"
        by_tenth = found["mb_by_tenth"]
        half = by_tenth[(len(by_tenth) - 1) // 2]
        others = [f"{warm[kind]} to {end[kind]}" for kind in ("threads", "files")]
        lines.append(
            f"| {name} | {share} | {warm['mb']} | {half} | {end['mb']} | {' | '.join(others)} |"
        )
    return "\n".join(lines)


def tables() -> dict[str, str]:
    """Return every table by the name of its markers."""
    return {
        "peaks": peaks_table(json.loads(PEAKS.read_text("utf-8"))["rows"]),
        "soak": soak_table(json.loads(SOAK.read_text("utf-8"))["parts"]),
        "fuzz": fuzz_table(json.loads((FUZZ / "executions.json").read_text("utf-8"))),
    }


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text("utf-8"), tables()), encoding="utf-8")
    print(f"wrote the tables of {PAGE}")
