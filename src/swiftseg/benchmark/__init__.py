"""How fast a model is on the machine at hand: by stage, by stream, and what it costs.

Engines keep threads that spin after a run and slow down whoever comes next in the same process, so
everything here is measured in processes of its own (`fresh_process`), which take turns
(`alternation`). The numbers, with the machine they were taken on, go into one versioned report
(`report`), from which every table and plot is made.
"""

from swiftseg.benchmark.alternation import Job, alternate
from swiftseg.benchmark.fresh_process import run_in_process
from swiftseg.benchmark.timing import measure_ms, repeat

__all__ = ["Job", "alternate", "measure_ms", "repeat", "run_in_process"]
