"""The first step of a network that is compiled: it takes a minute, and a broken cache fails it.

Torch keeps compiled code in files. A training that is killed while it compiles may leave half of
one, and every later training would fail on it.
"""

import os
import shutil
from pathlib import Path

import torch
from torch import Tensor
from torch._inductor.runtime.cache_dir_utils import default_cache_dir

from swiftseg.core import SwiftsegError
from swiftseg.core.cache import cache_folder
from swiftseg.core.errors import first_line
from swiftseg.core.log import warn
from swiftseg.training.stage import StageTraining
from swiftseg.training.stopping import StopRequest

CACHE_VARIABLE = "TORCHINDUCTOR_CACHE_DIR"
FOLDER = "compiled"


def keep_compiled_code() -> None:
    """Let torch keep compiled code in our cache folder, unless the user has named another."""
    torch.compiler.set_stance("default")  # an earlier training here may have gone on without
    folder = cache_folder()
    # Torch writes its own folder into the variable as soon as a part of it is imported.
    if folder is not None and os.environ.get(CACHE_VARIABLE) in (None, default_cache_dir()):
        os.environ[CACHE_VARIABLE] = str(folder / FOLDER)


def compiling_step(
    training: StageTraining, frames: Tensor, masks: Tensor, stop_request: StopRequest
) -> tuple[float, bool]:
    """Take the first step, and compile for it; take it again where kept code is broken.

    Where it fails a second time, the network is trained without compiling. Ctrl-C ends compiling at
    once, since nothing would be lost.
    """
    random_state = torch.get_rng_state()
    for mend in (_forget_compiled_code, _train_uncompiled, None):
        try:
            with stop_request.obeyed_at_once():
                return training.run_step(frames, masks, stop=False)
        except SwiftsegError:
            raise
        except KeyboardInterrupt:
            return 0.0, True
        except Exception as error:  # a compiler fails in any way
            if stop_request.made:  # its processes have got Ctrl-C too
                return 0.0, True
            if mend is None:  # it was not the compiler
                raise
            # Torch wraps what the compiler raised, and ends its own text with hints for debugging.
            mend(first_line(getattr(error, "inner_exception", error)))
        training.optimizer.zero_grad()
        torch.set_rng_state(random_state)
    raise AssertionError("the last attempt returns or raises")


def _forget_compiled_code(reason: str) -> None:
    """Remove what is kept, so that all is compiled anew."""
    kept = Path(os.environ.get(CACHE_VARIABLE, ""))
    own = cache_folder()
    if own is None or kept != own / FOLDER:
        warn(f"compiling failed ({reason}); compiled code is kept in {kept}: remove that folder")
        torch.compiler.reset()
        return
    warn(f"compiled code of an earlier run is broken ({reason}); it is compiled again")
    shutil.rmtree(kept, ignore_errors=True)
    torch.compiler.reset()


def _train_uncompiled(reason: str) -> None:
    warn(f"compiling failed ({reason}); the training goes on without it, as with --no-compile")
    torch.compiler.set_stance("force_eager")
