"""An exported file in any engine: the engine runs the graph, all the rest is done here."""

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.runtimes.array_scores import ArrayScores, ScoreKind
from swiftseg.runtimes.base import Engine, refuse_other_size
from swiftseg.runtimes.graph_promises import read_checked
from swiftseg.runtimes.label_head import cut_label_head


class Graph(Protocol):
    """A graph that an engine has loaded. Several threads may run it at the same time."""

    def running(self, batch: np.ndarray, output: str) -> AbstractContextManager[np.ndarray]:
        """Run frames uint8 (N, H, W, 3); the output of that name is valid inside the block."""
        ...


class LoadGraph(Protocol):
    """What an engine's module offers.

    It takes a file, or the bytes of one, the precision, the number of threads for one frame, where
    None is one per physical core, and one of the engine's devices. It raises SwiftsegError, without
    the file's name, where the engine cannot load the graph.
    """

    def __call__(
        self,
        model: Path | bytes,
        *,
        precision: str,
        threads: int | None,
        size_hw: tuple[int, int],
        device: str,
    ) -> Graph: ...


class FileBackend:
    """Runs an exported .onnx file; see `swiftseg.runtimes.base.Backend`.

    Args:
        path: The file.
        engine: The name and the precision that `load_graph` stands for.
        load_graph: Loads a graph into the engine.
        threads: Threads for one frame; None takes one per physical core.
        cuts_head: Whether the last upsampling and the argmax are done here; else the engine runs
            the graph to its logits, as everybody else who has the file.

    Raises:
        SwiftsegError: The file is missing, damaged, not one that swiftseg has exported, or does
            not keep what it promises.
    """

    any_size = False

    def __init__(
        self,
        path: Path,
        engine: Engine,
        load_graph: LoadGraph,
        *,
        threads: int | None = None,
        cuts_head: bool = True,
    ) -> None:
        self.engine = engine
        self.spec = read_checked(path)
        self._path = path
        head = cut_label_head(path) if self.spec.output == "labels" and cuts_head else None
        self._align_corners = head and head.align_corners
        self._kind: ScoreKind = "probs" if self.spec.output == "probs" else "logits"
        self._output = head.scores if head else self._kind
        try:
            self._graph = load_graph(
                head.model if head else path,
                precision=engine.precision,
                threads=threads,
                size_hw=self.spec.input.size_hw,
                device=engine.device,
            )
        except UsageError:
            raise  # the machine lacks what was asked for, whatever the file
        except SwiftsegError as error:
            raise SwiftsegError(f"{path}: {error}") from error

    @contextmanager
    def running(self, batch: np.ndarray) -> Generator[ArrayScores]:
        """Run frames uint8 (N, H, W, 3) of the spec's size; see `Backend`.

        Raises:
            SwiftsegError: The graph gives other scores than the file promises, such as those of
                another number of classes than it names.
        """
        with self._graph.running(batch, self._output) as values:
            expected = (len(batch), len(self.spec.labels))
            if values.ndim != 4 or values.shape[:2] != expected or values.dtype != np.float32:
                raise SwiftsegError(
                    f"{self._path}: the graph gives {values.dtype} {values.shape}, where float32 "
                    f"scores of {expected[0]} frames and {expected[1]} named classes are expected; "
                    "export the model again"
                )
            yield ArrayScores(values, self.spec.input.size_hw, self._kind, self._align_corners)

    def at_size(self, size_hw: tuple[int, int]) -> "FileBackend":
        """Return this backend, for the only size it runs at; see `Backend`."""
        refuse_other_size(self.spec, size_hw)
        return self
