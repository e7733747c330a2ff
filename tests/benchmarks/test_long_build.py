"""The long build at its smallest, and what ends it in words. What is measured is not judged here."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.build_samples import Sample
from benchmarks.long_build import Done, LongBuildOptions, check_room, committed_patches, folder_bytes, main
from benchmarks.measure import BenchmarkError
from drae_data.listing import list_folders
from drae_data.local_files import LocalFiles
from drae_data.publication import open_version
from drae_data.shard_plan import plan_shards
from drae_data.version_files import done_path
from tests.small_line import small_options


@pytest.mark.beam
def test_a_tiny_run_ends_with_a_line_of_json_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--acquisitions", "4", "--size", "100x80", "--shard-patches", "360"]
    assert main([*arguments, "--threads", "2", "--every", "0.1", "--workdir", str(tmp_path)]) == 0

    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["patches"] == 1440
    assert result["bytes"] > 1440 * 1000
    assert result["peak_mb"] > 50
    assert len(result["tenths"]) == 10
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("free", "builds"), [(10**10, ["trial", "version"]), (10**9, ["trial"])])
def test_a_trial_says_whether_the_build_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], free: int, builds: list[str]
) -> None:
    built = []

    def build(options: LongBuildOptions, params: Path, frames: Path, version: Path, acquisitions: int) -> Any:
        built.append(version.name)
        assert len(list(frames.rglob("frame_00.png"))) == acquisitions
        version.mkdir()
        (version / "shard").write_bytes(bytes(360 * acquisitions))
        return [Sample(1.0, 360, 7_000_000, free), Sample(2.0, 360 * acquisitions, 8_000_000, free)], 3.0

    monkeypatch.setattr("benchmarks.long_build.watch_build", build)
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=free))
    status = main(["--acquisitions", "5", "--distinct", "2", "--size", "100x80", "--workdir", str(tmp_path)])

    assert built == builds
    said = capsys.readouterr()
    if len(builds) == 1:
        assert status == 1
        assert "for 1,800 patches of 1 bytes, got 1.0 GB" in said.err
    else:
        result = json.loads(said.out.splitlines()[-1])
        assert (result["patches"], result["bytes"], result["peak_mb"], result["commit_seconds"]) == (1800, 1800, 8, 1.0)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_ends_in_words() -> None:
    # 10^6 patches of 10,000 bytes and a tenth more, and 2 GB for others: 13 GB.
    check_room(1_000_000, 10_000, 13.0e9)
    with pytest.raises(BenchmarkError, match=r"expected 13\.0 GB of free disk for 1,000,000 patches .* got 12\.9 GB"):
        check_room(1_000_000, 10_000, 12.9e9)


def test_a_full_disk_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise BenchmarkError("no room")

    monkeypatch.setattr("benchmarks.long_build.measure", fail)
    assert main(["--workdir", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "error: no room\n"
    assert list(tmp_path.iterdir()) == []


def test_done_counts_markers_and_forgets_nothing_when_they_are_removed(tmp_path: Path) -> None:
    files, options = LocalFiles(str(tmp_path)), small_options()
    done = Done(files)
    assert done.patches() == 0
    names = [f"S{number}/run_0" for number in range(5)]
    plan = plan_shards(list_folders(names, options, "made up").acquisitions, options)
    open_version(files, plan)
    assert done.patches() == 0
    for task in plan.tasks[:2]:
        files.write(done_path(task.name), [b"{}"])
    # 360 patches an acquisition is what the benchmark builds.
    expected = 360 * sum(len(task.acquisitions) for task in plan.tasks[:2])
    assert done.patches() == expected > 0
    files.write(done_path("stranger"), [b"{}"])
    assert done.patches() == expected
    files.remove(".work")
    assert done.patches() == expected


def test_patches_and_bytes_of_a_version(tmp_path: Path) -> None:
    info = {"splits": [{"shardLengths": ["3", "4"]}, {"shardLengths": ["5"]}]}
    (tmp_path / "patches").mkdir()
    (tmp_path / "dataset_info.json").write_text(json.dumps(info))
    (tmp_path / "patches" / "part").write_bytes(b"1234")
    assert committed_patches(tmp_path) == 12
    assert folder_bytes(tmp_path) == 4 + len(json.dumps(info))
