"""What every reader gives."""

from collections.abc import Iterator
from typing import Protocol

from swiftseg.core import LabelSet, Sample


class Dataset(Protocol):
    """A plain sequence of labeled frames and their class set."""

    @property
    def labels(self) -> LabelSet: ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Sample: ...

    def __iter__(self) -> Iterator[Sample]: ...
