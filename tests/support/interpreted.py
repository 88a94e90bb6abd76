"""Modules whose Triton kernels run in Triton's interpreter, on the CPU."""

import sys
from importlib import import_module
from types import ModuleType

import pytest


def import_interpreted(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import a module, and Triton with it, anew; both are forgotten after the test.

    Triton decides when it is imported whether its own functions are interpreted, and torch may have
    imported it before. Its compiled part can be loaded once only, and stays.
    """
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    for known in list(sys.modules):
        is_triton = known.split(".")[0] == "triton" and not known.startswith("triton._C")
        if is_triton or known.startswith("benchmarks.gpu"):
            monkeypatch.delitem(sys.modules, known)
    return import_module(name)
