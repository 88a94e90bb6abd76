"""Trainings in processes of their own, which are killed in the middle or run out of disk.

A process that serves as the parent imports torch once and forks one child a training.
"""

import contextlib
import io
import multiprocessing
import os
import resource
import signal
from pathlib import Path
from typing import Any

import torch

from swiftseg.cli.main import main
from swiftseg.recipes.recipe import Recipe
from swiftseg.runs import RunFolder
from swiftseg.trained import checkpoint as checkpoint_module
from swiftseg.training.stage import StageTraining
from tests.support.tiny_training import run_tiny

CONTEXT = multiprocessing.get_context("forkserver")


def killed_training(
    folder: Path, recipe: Recipe, *, steps: int = 0, saves: int = 0, histories: int = 0
) -> int:
    """Starts a tiny training that kills itself after some steps, halfway through a save of a
    checkpoint, or instead of writing metrics.csv.

    Returns:
        Its exit code, that of the signal negated.
    """
    return exit_code_of(run_until_killed, folder, recipe, steps, saves, histories)


def command_without_room(arguments: list[str], max_bytes: int, told: Path) -> int:
    """Runs `swiftseg ARGUMENTS...` where no file may grow above a size; stderr goes to `told`."""
    return exit_code_of(run_without_room, arguments, max_bytes, told)


def exit_code_of(function: Any, *arguments: Any) -> int:
    CONTEXT.set_forkserver_preload([__name__])
    process = CONTEXT.Process(target=function, args=arguments)
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def run_until_killed(folder: Path, recipe: Recipe, steps: int, saves: int, histories: int) -> None:
    if steps:
        StageTraining.run_step = killing_after(steps, StageTraining.run_step)
    elif histories:
        RunFolder.write_history = killing_before(histories, RunFolder.write_history)
    else:
        checkpoint_module.torch.save = killing_within(saves, torch.save)
    run_tiny(folder, recipe)


def killing_after(steps: int, run_step: Any) -> Any:
    left = steps

    def run(*arguments: Any, **options: Any) -> Any:
        nonlocal left
        result = run_step(*arguments, **options)
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return run


def killing_before(calls: int, function: Any) -> Any:
    left = calls

    def run(*arguments: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments)

    return run


def killing_within(saves: int, save: Any) -> Any:
    """Writes the first half of what the last of some saves would write."""
    left = saves

    def write(content: Any, file: Any) -> None:
        nonlocal left
        left -= 1
        if left:
            save(content, file)
            return
        buffer = io.BytesIO()
        save(content, buffer)
        file.write(buffer.getvalue()[: len(buffer.getvalue()) // 2])
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)

    return write


def run_without_room(arguments: list[str], max_bytes: int, told: Path) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (max_bytes, resource.RLIM_INFINITY))
    with told.open("w") as file, contextlib.redirect_stderr(file):
        main(arguments)
