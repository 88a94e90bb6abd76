import os
import subprocess
import sys
from pathlib import Path

import pytest

from swiftseg.core.cache import cache_folder

PRINT = "from swiftseg.core.cache import cache_folder; print(cache_folder())"


def test_it_is_below_the_users_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if sys.platform == "linux":
        assert cache_folder() == tmp_path / "swiftseg"
        assert (tmp_path / "swiftseg").is_dir()


def test_a_folder_that_cannot_be_made_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    if sys.platform == "linux":
        assert cache_folder() is None


def test_without_a_home_nothing_is_written_beside_the_program(tmp_path: Path):
    kept = {
        key: value for key, value in os.environ.items() if key not in ("HOME", "XDG_CACHE_HOME")
    }
    command = [sys.executable, "-c", PRINT]
    told = subprocess.run(
        command, env=kept, cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert told.stdout.strip() == "None" or Path(told.stdout.strip()).is_absolute()
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="users have numbers on Linux")
def test_a_user_whom_the_system_does_not_know_keeps_nothing(monkeypatch: pytest.MonkeyPatch):
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 1 << 30)
    assert cache_folder() is None
