from collections.abc import Iterator

import pytest
import torch


@pytest.fixture
def threads_given_back() -> Iterator[None]:
    """Undoes what commands do to the whole process when they set torch's threads."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
