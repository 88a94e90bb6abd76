"""What `/metrics` tells Prometheus."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

# prometheus-client reads it when it is imported: where it is set, several processes share a folder.
SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"

_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class Metrics:
    """The counters of one process, and how all processes' are written."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._values: dict[str, Callable[[], int]] = {}
        self._requests = Counter(
            "swiftseg_requests",
            "Requests by path and status.",
            ["path", "status"],
            registry=self._registry,
        )
        self._rejected = Counter(
            "swiftseg_rejected",
            "Pictures that were not let in, by reason.",
            ["reason"],
            registry=self._registry,
        )
        self._dropped = Counter(
            "swiftseg_stream_dropped",
            "Frames of streams that came too fast.",
            registry=self._registry,
        )
        self._stages = Histogram(
            "swiftseg_stage_seconds",
            "Time of one picture by stage.",
            ["model", "stage"],
            buckets=_BUCKETS_S,
            registry=self._registry,
        )
        self._gauges = {
            name: Gauge(name, text, multiprocess_mode="livesum", registry=self._registry)
            for name, text in _GAUGES.items()
        }

    def count_request(self, path: str, status: int) -> None:
        """Count one answer."""
        self._requests.labels(path, str(status)).inc()
        self._refresh()

    def count_rejected(self, reason: str) -> None:
        """Count a picture that was not let in."""
        self._rejected.labels(reason).inc()

    def count_dropped(self) -> None:
        """Count a frame of a stream that was replaced by a newer one."""
        self._dropped.inc()

    def observe(self, model: str, timings_ms: Mapping[str, float]) -> None:
        """Add one picture's times."""
        for stage, time_ms in timings_ms.items():
            self._stages.labels(model, stage).observe(time_ms / 1000)

    def show(self, values: Mapping[str, Callable[[], int]]) -> None:
        """Let gauges read their values here."""
        self._values = dict(values)

    def text(self) -> bytes:
        """Return all metrics in Prometheus's text format."""
        self._refresh()
        if SHARED_FOLDER not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)
        return generate_latest(together)

    def _refresh(self) -> None:
        for name, value in self._values.items():
            self._gauges[name].set(value())


def forget_dead_processes(folder: Path) -> None:
    """Take the gauges of processes that are gone out of the shared folder."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        if not psutil.pid_exists(pid):
            mark_process_dead(pid, str(folder))


_GAUGES: Mapping[str, str] = {
    "swiftseg_receiving": "Requests whose bodies are on their way.",
    "swiftseg_queue_depth": "Pictures that wait for a worker.",
    "swiftseg_in_flight": "Pictures that a worker has.",
    "swiftseg_streams": "Open WebSocket streams.",
}
