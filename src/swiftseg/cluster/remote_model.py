"""A model on its way to the workers: its files, and how each opens them."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from swiftseg.core.cache import cache_folder
from swiftseg.inference import Segmenter
from swiftseg.inference.fitting import Fit
from swiftseg.labeling.model_files import ModelFiles
from swiftseg.runtimes.base import Engine


@dataclass(frozen=True)
class RemoteModel:
    """From what, and how, each worker opens the model."""

    files: ModelFiles
    engine: Engine
    threads: int
    fit: Fit

    def open(self) -> Segmenter:
        """Open the model on the machine that this runs on."""
        folder = cache_folder() or Path(tempfile.mkdtemp(prefix="swiftseg-"))
        return Segmenter.load(
            self.files.unpacked(folder / "models"),
            backend=self.engine.backend,
            precision=self.engine.precision,
            threads=self.threads,
            device=self.engine.device,
            fit=self.fit,
        )
