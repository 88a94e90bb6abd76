"""Running one function in a new Python process: what it loads and starts ends with it.

Unlike multiprocessing, the child imports nothing of the parent's main program, so that its memory
and its start are those of the measured function alone.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

from swiftseg.core.errors import SwiftsegError

STARTED_NS = "started_ns"

_CHILD = "from swiftseg.core.fresh_process import serve; serve()"


class ProcessEndedError(SwiftsegError):
    """The process ended without a result."""


def run_in_process(function: Callable[..., Any], **arguments: Any) -> Any:
    """Call a module's function in a new process; arguments and result travel as JSON.

    A function with an argument `started_ns` is given the time when the process was started, as
    `time.time_ns` tells it.

    Args:
        function: Stands at the top of its module, which may be the running script.
        arguments: Numbers, strings, None, and lists and dicts of them.

    Raises:
        ProcessEndedError: The process ended without a result.
        SwiftsegError: The function raised it.
    """
    with tempfile.TemporaryDirectory(prefix="swiftseg-") as folder:
        answer = Path(folder) / "answer.json"
        task = {
            "module": _module_of(function),
            "function": function.__name__,
            "arguments": arguments,
            "path": sys.path,
            "answer": str(answer),
            STARTED_NS: time.time_ns(),
        }
        child = subprocess.run(
            [sys.executable, "-P", "-c", _CHILD],
            input=json.dumps(task),
            capture_output=True,
            text=True,
        )
        if not answer.exists():
            reason = child.stderr.strip().rpartition("\n")[2] or f"exit code {child.returncode}"
            raise ProcessEndedError(f"{function.__name__} ended without a result: {reason}")
        found = json.loads(answer.read_text("utf-8"))
        if "error" in found:
            error = SwiftsegError(found["error"])
            error.exit_code = found["exit_code"]
            raise error
        return found["result"]


def serve() -> None:
    """Read a task from stdin and write an answer file: what the new process does."""
    task = json.load(sys.stdin)
    sys.path[:] = task["path"]
    function = getattr(import_module(task["module"]), task["function"])
    arguments = dict(task["arguments"])
    if STARTED_NS in signature(function).parameters:
        arguments[STARTED_NS] = task[STARTED_NS]
    try:
        answer = {"result": function(**arguments)}
    except SwiftsegError as error:
        answer = {"error": str(error), "exit_code": error.exit_code}
    Path(task["answer"]).write_text(json.dumps(answer), encoding="utf-8")


def _module_of(function: Callable[..., Any]) -> str:
    """Return a module's name; that of a running script is its file's, as its siblings see it."""
    if function.__module__ != "__main__":
        return function.__module__
    return Path(str(sys.modules["__main__"].__file__)).stem
