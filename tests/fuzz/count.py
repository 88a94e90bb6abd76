"""Fuzz one target for some seconds, and add what it has executed to executions.json.

    python tests/fuzz/count.py TARGET SECONDS

Ends with an error where an input fails; run.py has kept it then.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
COUNTS = HERE / "executions.json"
MARK = 200_000  # executions a target

_EXECUTED = re.compile(r"stat::number_of_executed_units:\s*(\d+)")


def add(name: str, executions: int) -> None:
    """Add to a target's executions; two runs of this must not end at the same time."""
    counts: dict[str, int] = json.loads(COUNTS.read_text("utf-8"))
    counts[name] = counts.get(name, 0) + executions
    COUNTS.write_text(json.dumps(counts, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def main() -> None:
    name, seconds = sys.argv[1:]
    command = [sys.executable, str(HERE / "run.py"), name, f"-max_total_time={seconds}"]
    done = subprocess.run(
        [*command, "-print_final_stats=1"], stderr=subprocess.PIPE, errors="replace", check=False
    )
    sys.stderr.write(done.stderr)
    add(name, sum(map(int, _EXECUTED.findall(done.stderr))))
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
