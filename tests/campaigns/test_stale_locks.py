"""What a killed DVC leaves in `.dvc/tmp/rwlock`, planted by hand, and what the next `dvc repro` makes of it.

DVC writes its locks in place: whoever is listed there and no longer runs is struck off with a warning. Two rare
leftovers stop the rerun with a message: a process number that runs again, as something else, and a lock file that was
being written when the kill came. Removing `.dvc/tmp/rwlock` mends both.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from drae_data.local_files import LocalFiles
from drae_data.publication import committed_digest
from tests.campaigns.small_project import REPRO, SET, environment, make_project

pytestmark = pytest.mark.campaign
VERSION = f"datasets/{SET}/1.0.0"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of two acquisitions that has never been run."""
    folder = make_project(tmp_path / "project", strips=2)
    (folder / ".dvc/tmp").mkdir()
    return folder


def repro(project: Path) -> subprocess.CompletedProcess[str]:
    command = [*REPRO, f"build@{SET}"]
    return subprocess.run(command, cwd=project, env=environment(project), capture_output=True, text=True)


def lock_of(project: Path, pid: int) -> str:
    return json.dumps({"write": {str(project / VERSION): {"pid": pid, "cmd": "dvc repro"}}, "read": {}})


def ended_process() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def assert_mended_by_removal(project: Path) -> None:
    assert committed_digest(LocalFiles(str(project / VERSION))) == ""
    (project / ".dvc/tmp/rwlock").unlink()
    assert repro(project).returncode == 0
    assert committed_digest(LocalFiles(str(project / VERSION)))


def test_the_lock_of_a_dead_process_is_struck_off_with_a_warning(project: Path) -> None:
    (project / ".dvc/tmp/rwlock").write_text(lock_of(project, ended_process()))
    again = repro(project)
    assert again.returncode == 0, again.stderr
    assert "Auto removed it from the lock file" in again.stdout + again.stderr
    assert committed_digest(LocalFiles(str(project / VERSION)))


def test_a_process_number_in_use_again_stops_the_rerun_until_the_lock_is_removed(project: Path) -> None:
    (project / ".dvc/tmp/rwlock").write_text(lock_of(project, os.getpid()))
    again = repro(project)
    assert again.returncode == 255
    assert f"(PID {os.getpid()}): dvc repro" in again.stderr
    assert_mended_by_removal(project)


def test_a_lock_file_cut_off_while_it_was_written_stops_the_rerun_until_it_is_removed(project: Path) -> None:
    (project / ".dvc/tmp/rwlock").write_text(lock_of(project, ended_process())[:20])
    again = repro(project)
    assert again.returncode == 255
    assert "Unable to read RWLock-file" in again.stderr
    assert_mended_by_removal(project)
