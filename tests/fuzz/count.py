"""Fuzz one target for some seconds, and add what it has executed to executions.json.

    python tests/fuzz/count.py TARGET SECONDS [libFuzzer's options]

Counts executions, and the seconds that the processor has worked on them. Ends with an error where
an input fails; run.py has kept it then.
"""

import json
import re
import resource
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
COUNTS = HERE / "executions.json"
_EXECUTED = re.compile(r"stat::number_of_executed_units:\s*(\d+)")


def add(name: str, executions: int, seconds: float) -> None:
    """Add to a target's executions and seconds; two runs of this must not end at the same time."""
    counts: dict[str, dict[str, int]] = json.loads(COUNTS.read_text("utf-8"))
    before = counts.get(name, {"executions": 0, "seconds": 0})
    more = {"executions": executions, "seconds": round(seconds)}
    counts[name] = {key: before[key] + more[key] for key in more}
    COUNTS.write_text(json.dumps(counts, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def main() -> None:
    name, seconds, *options = sys.argv[1:]
    command = [sys.executable, str(HERE / "run.py"), name, f"-max_total_time={seconds}"]
    command += ["-print_final_stats=1", *options]
    done = subprocess.run(command, stderr=subprocess.PIPE, errors="replace", check=False)
    sys.stderr.write(done.stderr)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    executions = sum(map(int, _EXECUTED.findall(done.stderr)))
    add(name, executions, used.ru_utime + used.ru_stime)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
