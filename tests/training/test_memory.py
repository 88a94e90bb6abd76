import subprocess
import sys

import pytest

# Counts the page faults of tensors that are made and freed one after the other.
SCRIPT = """
import resource, sys
import torch
from swiftseg.training.freed_memory import keep_freed_memory
if "keep" in sys.argv:
    assert keep_freed_memory()
for _ in range(4):
    torch.ones(1 << 24)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    torch.ones(1 << 24)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(*arguments: str) -> int:
    command = [sys.executable, "-c", SCRIPT, *arguments]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is Linux's")
def test_freed_tensors_are_taken_again_without_page_faults():
    default, kept = page_faults(), page_faults("keep")
    # 4 tensors of 64 MB are 65,536 pages of 4 KB; with huge pages there are fewer to fault.
    assert kept < default / 10
