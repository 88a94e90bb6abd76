from pathlib import Path

import psutil

from swiftseg.core.memory import container_memory_bytes, free_memory_bytes

GB = 1 << 30


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(f"{text}\n")


def test_the_tightest_group_of_version_2_counts_without_what_is_cached(tmp_path: Path):
    write(tmp_path, own="0::/pod/box")
    write(tmp_path / "groups/pod", memory__max=str(8 * GB), memory__current=str(7 * GB))
    box = tmp_path / "groups/pod/box"
    write(box, memory__max=str(4 * GB), memory__current=str(3 * GB))
    write(box, memory__stat=f"anon {2 * GB}\ninactive_file {GB // 2}")
    assert container_memory_bytes(tmp_path / "groups", tmp_path / "own") == GB
    write(box, memory__stat=f"inactive_file {2 * GB}")
    assert container_memory_bytes(tmp_path / "groups", tmp_path / "own") == GB  # the pod's
    write(tmp_path / "groups/pod", memory__max="max")
    assert container_memory_bytes(tmp_path / "groups", tmp_path / "own") == 3 * GB


def test_version_1_and_a_container_that_sees_its_own_group_alone(tmp_path: Path):
    write(tmp_path, own="5:cpu,cpuacct:/docker/1\n4:memory:/docker/1")
    write(
        tmp_path / "groups/memory",
        memory__limit_in_bytes=str(2 * GB),
        memory__usage_in_bytes=str(GB),
        memory__stat=f"inactive_file 1\ntotal_inactive_file {GB // 4}",
    )
    left = container_memory_bytes(tmp_path / "groups", tmp_path / "own")
    assert left == 2 * GB - (GB - GB // 4)


def test_without_a_limit_the_machine_counts(tmp_path: Path):
    write(tmp_path, own="0::/")
    write(tmp_path / "groups", memory__max="max", memory__current="5")
    assert container_memory_bytes(tmp_path / "groups", tmp_path / "own") is None
    assert container_memory_bytes(tmp_path, tmp_path / "missing") is None
    assert 0 < free_memory_bytes() <= psutil.virtual_memory().total
