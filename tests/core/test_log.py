import subprocess
import sys

LINES = "from swiftseg.core.log import say, warn; say('epoch 1'); warn('a rare class')"


def stderr_of(program: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout == ""
    return run.stderr


def test_lines_go_to_stderr_as_they_are():
    assert stderr_of(LINES) == "epoch 1\nwarning: a rare class\n"


def test_a_program_may_have_them_among_its_own():
    program = (
        "import logging, sys\n"
        "logging.basicConfig(level=logging.WARNING, format='%(name)s %(levelname)s %(message)s')\n"
        "import swiftseg.core.log\n"
        "log = logging.getLogger('swiftseg')\n"
        "log.handlers.clear(); log.propagate = True; log.setLevel(logging.NOTSET)\n"
    )
    assert stderr_of(program + LINES) == "swiftseg WARNING a rare class\n"
    before = "import logging\nlogging.getLogger('swiftseg').addHandler(logging.NullHandler())\n"
    assert stderr_of(before + LINES) == ""
