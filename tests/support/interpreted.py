"""Triton anew: its kernels run in its interpreter on the CPU, or are compiled for a GPU."""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from unittest.mock import patch

SETTING = "TRITON_INTERPRET"


@contextmanager
def triton_anew(*, interpreted: bool) -> Generator[None]:
    """Let Triton and the modules with kernels be imported anew, and forgotten afterwards.

    Triton decides when it is imported whether its own functions are interpreted, and torch may have
    imported it before. Its compiled part can be loaded once only, and stays.
    """
    kept = {name: sys.modules[name] for name in forgettable()}
    for name in kept:
        del sys.modules[name]
    try:
        with patch.dict(os.environ, {SETTING: "1" if interpreted else "0"}):
            yield
    finally:
        for name in forgettable():
            del sys.modules[name]
        sys.modules.update(kept)


def forgettable() -> list[str]:
    return [
        name
        for name in sys.modules
        if (name.split(".")[0] == "triton" and not name.startswith("triton._C"))
        or name.startswith("benchmarks.gpu.")
    ]
