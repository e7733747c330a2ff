"""Workers that fail, disks that fill, folders that vanish, reads that hang: a build ends complete, or in words."""

import errno
import os
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from drae_data.local_files import LocalFiles
from drae_data.shard_plan import ShardTask
from pipelines import build_shards, runner
from pipelines.build import main
from tests.pipelines.test_build import published, write_params
from tests.small_line import build_dataset, small_options, tree_bytes, write_line

pytestmark = pytest.mark.beam
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def params(tmp_path: Path) -> Path:
    """40 acquisitions, 20 shards, and what they give when nothing fails."""
    root = write_line(tmp_path / "frames", strips=[f"S{number:02d}" for number in range(20)], runs=2)
    build_dataset(root, tmp_path / "plain", small_options())
    return write_params(tmp_path, root)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "_LONGEST_WAIT_SECONDS", 0.0)


def expected(tmp_path: Path) -> dict[str, bytes]:
    return tree_bytes(tmp_path / "plain")


def is_committed(tmp_path: Path) -> bool:
    return "dataset_info.json" in published(tmp_path)


def before_each_shard(monkeypatch: pytest.MonkeyPatch, action: Callable[[ShardTask], None]) -> None:
    """The action is taken by the worker, just before it begins a shard."""
    start: Any = vars(build_shards)["start_shard"]

    def disturbed(task: ShardTask, *rest: Any) -> Any:
        action(task)
        return start(task, *rest)

    monkeypatch.setattr(build_shards, "start_shard", disturbed)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_worker_that_raises_on_one_shard_in_ten_is_tried_again(
    tmp_path: Path, params: Path, seed: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    luck, failures, begun = random.Random(seed), list[str](), list[str]()

    def action(task: ShardTask) -> None:
        begun.append(task.name)
        if luck.random() < 0.1:
            failures.append(task.name)
            raise RuntimeError("the worker is lost")

    before_each_shard(monkeypatch, action)
    assert main(["--set", "small", "--params", str(params)]) == 0
    assert published(tmp_path) == expected(tmp_path)
    said = capfd.readouterr()
    assert failures, "this seed never fails: take another"
    assert said.err.count("a step failed, once more in") == len(failures)
    # What an attempt finished is not built again by the next: only shards in work when it failed are begun twice.
    assert len(begun) <= 20 + 2 * len(failures)
    assert "(0 were there already)" in said.out


def test_a_worker_that_raises_on_every_shard_ends_the_build_in_words(
    tmp_path: Path, params: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    begun = list[str]()

    def action(task: ShardTask) -> None:
        begun.append(task.name)
        raise RuntimeError("the worker is lost")

    before_each_shard(monkeypatch, action)
    assert main(["--set", "small", "--params", str(params), "--attempts", "4"]) == 1
    assert len(begun) == 4
    said = capfd.readouterr()
    assert "error: the pipeline stopped: the worker is lost" in said.err
    assert "Traceback" not in said.err
    assert not is_committed(tmp_path)


def test_progress_between_failures_is_what_counts(
    tmp_path: Path, params: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every third shard that is begun fails: many more failures than attempts, none twice without a step forward."""
    begun = list[str]()

    def action(task: ShardTask) -> None:
        begun.append(task.name)
        if len(begun) % 3 == 0:
            raise RuntimeError("the worker is lost")

    before_each_shard(monkeypatch, action)
    assert main(["--set", "small", "--params", str(params), "--attempts", "2"]) == 0
    assert len(begun) // 3 > 5
    assert published(tmp_path) == expected(tmp_path)


def test_a_vanished_input_folder_ends_in_words_and_nothing_is_committed(
    tmp_path: Path, params: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Also where any number of acquisitions may be in quarantine: they are not broken, the disk is gone."""
    params = write_params(tmp_path, tmp_path / "frames", max_quarantined=1000)
    begun = list[str]()

    def action(task: ShardTask) -> None:
        begun.append(task.name)
        if len(begun) == 5:
            (tmp_path / "frames").rename(tmp_path / "elsewhere")

    before_each_shard(monkeypatch, action)
    monkeypatch.setattr("time.sleep", lambda _: None)
    assert main(["--set", "small", "--params", str(params), "--attempts", "2"]) == 1
    said = capfd.readouterr()
    assert "it was listed and is gone now; was a disk unmounted or the folder moved?" in said.err
    assert "Traceback" not in said.err
    assert not is_committed(tmp_path)
    (tmp_path / "elsewhere").rename(tmp_path / "frames")
    assert main(["--set", "small", "--params", str(params)]) == 0
    assert main(["--set", "small", "--params", str(write_params(tmp_path, tmp_path / "frames"))]) == 0
    assert published(tmp_path) == expected(tmp_path)


@contextmanager
def hanging(monkeypatch: pytest.MonkeyPatch, times: int) -> Iterator[list[str]]:
    """One frame's read does not come back, so many times; gives the reads that hang."""
    read, held, over = LocalFiles.read, list[str](), threading.Event()

    def stuck(files: LocalFiles, path: str) -> bytes:
        if path == "S07/run_01/frame_02.png" and len(held) < times:
            held.append(path)
            over.wait(60)
        return read(files, path)

    monkeypatch.setattr(LocalFiles, "read", stuck)
    try:
        yield held
    finally:
        over.set()


def test_a_read_that_hangs_is_asked_again(tmp_path: Path, params: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hanging(monkeypatch, times=2) as held:
        assert main(["--set", "small", "--params", str(params), "--deadline", "1"]) == 0
    assert len(held) == 2
    assert published(tmp_path) == expected(tmp_path)


def test_a_read_that_always_hangs_ends_in_words(
    tmp_path: Path, params: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with hanging(monkeypatch, times=1000) as held:
        monkeypatch.setattr("time.sleep", lambda _: None)
        assert main(["--set", "small", "--params", str(params), "--deadline", "1", "--attempts", "1"]) == 1
    assert len(held) == 4
    said = capfd.readouterr()
    assert "no answer in 1 s (4 attempts)" in said.err
    assert "S07/run_01/frame_02.png" in said.err
    assert not is_committed(tmp_path)


def test_a_full_disk_ends_in_words_at_once(
    tmp_path: Path, params: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    write, tries = LocalFiles.write, list[str]()

    def full(files: LocalFiles, path: str, parts: Any) -> None:
        if path.startswith("small-") and len(tries) < 2:
            tries.append(path)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        write(files, path, parts)

    monkeypatch.setattr(LocalFiles, "write", full)
    assert main(["--set", "small", "--params", str(params), "--threads", "1"]) == 1
    # Neither the file operation nor the pipeline is tried again.
    assert len(tries) == 1
    said = capfd.readouterr()
    assert "No space left on device" in said.err
    assert "run the same command again" in said.err
    assert not is_committed(tmp_path)
    tries += ["room was made"]
    assert main(["--set", "small", "--params", str(params)]) == 0
    assert published(tmp_path) == expected(tmp_path)


def test_a_disk_that_is_really_full(tmp_path: Path, params: Path) -> None:
    """A file system of 96 KiB in memory, of this process alone; the version needs more."""
    place = tmp_path / "small_disk"
    place.mkdir()
    command = (
        f"mount -t tmpfs -o size=96k none {place} && cd {ROOT} && exec {sys.executable} -m pipelines.build --set small "
        f"--params {params} --out {place}/version --frame-logs {tmp_path}/logs"
    )
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-m", "mount", "-t", "tmpfs", "none", place]).returncode:
        pytest.skip("this user may not mount a file system")
    done = subprocess.run([unshare, "-m", "sh", "-c", command], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "is committed" not in done.stdout
