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
FUZZ = ROOT / "tests/fuzz"


def peaks_table(rows: list[dict[str, Any]]) -> str:
    lines = ["| command | peak, MiB |", "| --- | --- |"]
    lines += [f"| `swiftseg {row['command']}` | {row['peak_mb']:,} |" for row in rows]
    return "\n".join(lines)


def fuzz_table(counts: dict[str, int]) -> str:
    lines = ["| target | executions | inputs that failed, now mended |", "| --- | --- | --- |"]
    for name, executions in sorted(counts.items()):
        found = list((FUZZ / "found" / name).glob("*"))
        lines.append(f"| `{name}` | {executions:,} | {len(found)} |")
    return "\n".join(lines)


def tables() -> dict[str, str]:
    """Return every table by the name of its markers."""
    return {
        "peaks": peaks_table(json.loads(PEAKS.read_text("utf-8"))["rows"]),
        "fuzz": fuzz_table(json.loads((FUZZ / "executions.json").read_text("utf-8"))),
    }


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text("utf-8"), tables()), encoding="utf-8")
    print(f"wrote the tables of {PAGE}")
