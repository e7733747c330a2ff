"""The build on Beam's local runners: the bytes of the plain functions; losses and kills end well."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import S3Options
from ruamel.yaml import YAML

from drae_data.local_files import LocalFiles
from pipelines.build import main
from pipelines.runner import beam_options
from tests.small_line import LAYOUT, build_dataset, small_options, tree_bytes, write_line

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.beam


def write_params(folder: Path, root: Path, **changes: Any) -> Path:
    """The small line as a params file; `changes` go into build.small."""
    options = small_options()
    values = {
        "strip_layout": {
            "units": "pixels", "frame_size": {"height": 48, "width": 64}, "allow_overlap": False,
            "boxes": {name: [list(box) for box in row] for name, row in LAYOUT.boxes.items()},
        },
        "patch": {"size": 16, "fit": "stretch", "grow": "linear", "fill": 0, "encoding": "png"},
        "dataset": {"folder": str(folder / "datasets"), "version": "1.0.0"},
        "build": {"small": {
            "root": str(root), "path_template": options.template.text, "frames": [0, 1, 2],
            "images": {"frames": [0, 1, 2], "rank": ["min", "max"]},
            "split": {"by": "strip", "validation_fraction": 0.2, "seed": 7},
            "shard_patches": 45, "max_frame_pixels": 10000, "max_quarantined": 0, **changes,
        }},
    }  # fmt: skip
    path = folder / "params.yaml"
    YAML(typ="safe", pure=True).dump(values, path)
    return path


@pytest.fixture
def expected(tmp_path: Path) -> dict[str, bytes]:
    build_dataset(write_line(tmp_path / "frames"), tmp_path / "plain")
    return tree_bytes(tmp_path / "plain")


def published(tmp_path: Path) -> dict[str, bytes]:
    return tree_bytes(tmp_path / "datasets/small/1.0.0")


@pytest.mark.parametrize(
    "flags",
    [
        ["--threads=1"],
        ["--threads=5"],
        pytest.param(
            ["--threads=1", "--direct_running_mode=multi_processing", "--direct_num_workers=2"], marks=pytest.mark.slow
        ),
    ],
    ids=["one thread", "five threads", "two processes"],
)
def test_every_local_runner_gives_the_bytes_of_the_plain_functions(
    tmp_path: Path, expected: dict[str, bytes], flags: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    params = write_params(tmp_path, tmp_path / "frames")
    assert main(["--set", "small", "--params", str(params), *flags]) == 0
    assert len([name for name in expected if name.startswith("small-")]) == 5
    assert published(tmp_path) == expected
    out = capfd.readouterr().out
    assert "10 listed = 10 built + 0 in quarantine" in out
    assert "200 (train 160, validation 40)" in out


def test_the_run_log_holds_what_a_digest_must_not(tmp_path: Path, run_log: Path) -> None:
    params = write_params(tmp_path, write_line(tmp_path / "frames"))
    assert main(["--set", "small", "--params", str(params)]) == 0
    (line,) = [json.loads(text) for text in run_log.read_text().splitlines()]
    assert line["source"] == str(tmp_path / "frames")
    assert line["digest"] == json.loads(published(tmp_path)["provenance.json"])["digest"]
    assert {"finished", "host", "commit", "seconds"} <= line.keys()


def test_no_secret_reaches_a_log_or_the_dataset(tmp_path: Path, run_log: Path) -> None:
    params = write_params(tmp_path, write_line(tmp_path / "frames"))
    flags = ["--s3_secret_access_key=TOPSECRET", "--s3_session_token", "TOPSECRET", "--job_name=night"]
    assert main(["--set", "small", "--params", str(params), *flags]) == 0
    line = json.loads(run_log.read_text())
    assert line["flags"] == {"runner": "FnApiRunner", "job_name": "night"}
    written = {**tree_bytes(run_log.parent), **tree_bytes(tmp_path / "datasets")}
    assert {"runs.jsonl", "pipeline.log"} <= written.keys()
    assert not [name for name, content in written.items() if b"TOPSECRET" in content]


def test_beams_filesystems_have_their_flags_before_a_pipeline_begins() -> None:
    options = beam_options(["--s3_endpoint_url=http://store"])
    assert FileSystems._pipeline_options is options
    assert options.view_as(S3Options).s3_endpoint_url == "http://store"


def test_a_run_log_that_cannot_be_written_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    params = write_params(tmp_path, write_line(tmp_path / "frames"))
    (tmp_path / "logs").write_text("a file where a folder should be")
    monkeypatch.setattr("pipelines.run_log.LOG", tmp_path / "logs/runs.jsonl")
    assert main(["--set", "small", "--params", str(params)]) == 0
    said = capsys.readouterr()
    assert "warning: " in said.err
    assert "could not be logged" in said.err
    assert "is committed in" in said.out
    assert "dataset_info.json" in published(tmp_path)


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--thread=2"], "--thread"),
        (["--s3_secret_acces_key", "TOPSECRET"], "--s3_secret_acces_key"),
        (["--bogus=TOPSECRET", "--job_name=x"], "--bogus"),
        (["stray"], "stray"),
    ],
)
def test_a_flag_that_nobody_knows_is_refused_by_its_name(
    tmp_path: Path, flags: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    params = write_params(tmp_path, write_line(tmp_path / "frames"))
    assert main(["--set", "small", "--params", str(params), *flags]) == 1
    assert f"flags: expected those that --help lists and those of Apache Beam, got '{named}'" in (
        capsys.readouterr().err
    )
    assert not (tmp_path / "datasets").exists()


def test_a_version_may_go_into_the_working_folder(
    tmp_path: Path, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--set", "small", "--params", str(write_params(tmp_path, tmp_path / "frames")), "--out"]
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert main([*arguments, "."]) == 0
    assert tree_bytes(folder) == expected
    assert main([*arguments, "/"]) == 1
    assert "--out: expected a folder below the root of the file system" in capsys.readouterr().err


def test_two_builds_in_turn_keep_both_their_lines_in_the_log(tmp_path: Path, run_log: Path) -> None:
    log = run_log.with_name("pipeline.log")
    log.write_text("of another build\n")
    params = write_params(tmp_path, write_line(tmp_path / "frames"))
    assert main(["--set", "small", "--params", str(params)]) == 0
    assert log.read_text().startswith("of another build\n")


def test_no_threads_cannot_build(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--set", "small", "--threads", "0"])
    assert "expected a whole number, 1 or more, got '0'" in capsys.readouterr().err


def test_the_mode_that_loses_elements_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    params = write_params(tmp_path, write_line(tmp_path / "frames"))
    assert main(["--set", "small", "--params", str(params), "--direct_running_mode=multi_threading"]) == 1
    assert "loses elements" in capsys.readouterr().err


def test_a_runner_that_loses_an_element_cannot_commit(
    tmp_path: Path, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The loss is planted where Beam has it: an element vanishes between two steps, nobody raises."""
    params = write_params(tmp_path, tmp_path / "frames")
    arguments = ["--set", "small", "--params", str(params)]
    reshuffle = beam.Reshuffle

    class LosingReshuffle(beam.PTransform):  # type: ignore[type-arg]
        def expand(self, tasks: Any) -> Any:
            return tasks | "Lose" >> beam.Filter(lambda task: "train.tfrecord-00002" not in task.name) | reshuffle()

    with monkeypatch.context() as patched:
        patched.setattr(beam, "Reshuffle", LosingReshuffle)
        assert main(arguments) == 1
    assert "small-train.tfrecord-00002-of-00004" in capsys.readouterr().err
    assert "dataset_info.json" not in published(tmp_path)
    # The next run finds the finished shards good and builds the lost one.
    assert main(arguments) == 0
    assert "(4 were there already)" in capsys.readouterr().out
    assert published(tmp_path) == expected


def test_a_killed_build_goes_on_and_ends_with_the_same_bytes(tmp_path: Path) -> None:
    """Kill -9 of the process as soon as one shard is there; the rerun keeps it."""
    root = write_line(tmp_path / "frames", strips=[f"S{number:02d}" for number in range(40)], runs=4)
    params = write_params(tmp_path, root)
    command = [sys.executable, "-m", "pipelines.build", "--set", "small", "--params", str(params), "--threads", "1"]
    done = tmp_path / "datasets/small/1.0.0/.work/done"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while not (done.is_dir() and any(done.iterdir())):
        assert process.poll() is None, "the build ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert "dataset_info.json" not in published(tmp_path)
    again = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    reused = int(again.stdout.split(" were there already")[0].rsplit("(", 1)[1])
    assert 0 < reused < 80
    build_dataset(root, tmp_path / "plain", small_options())
    assert published(tmp_path) == tree_bytes(tmp_path / "plain")


def test_a_rebuild_that_fails_leaves_the_committed_version_as_it_was(
    tmp_path: Path, expected: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    params = write_params(tmp_path, tmp_path / "frames")
    arguments = ["--set", "small", "--params", str(params)]
    assert main(arguments) == 0
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "datasets/small/1.0.0").glob("small-*")}
    frame = tmp_path / "frames/A/run_00/frame_00.png"
    good = frame.read_bytes()
    frame.write_bytes(b"")
    assert main(arguments) == 1
    assert "empty_file" in capsys.readouterr().err
    assert published(tmp_path) == expected
    frame.write_bytes(good[:-12] + good[-12:])
    assert main(arguments) == 0
    assert "(4 were there already)" in capsys.readouterr().out
    assert published(tmp_path) == expected
    kept = {path: path.stat().st_mtime_ns for path in times}
    assert sum(kept[path] == times[path] for path in times) == 4
    assert sorted(path.name for path in (tmp_path / "datasets/small").iterdir()) == [".1.0.0.lock", "1.0.0"]


def test_another_content_under_the_same_version_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = write_line(tmp_path / "frames")
    assert main(["--set", "small", "--params", str(write_params(tmp_path, root))]) == 0
    before = json.loads(published(tmp_path)["provenance.json"])["digest"]
    capsys.readouterr()
    assert main(["--set", "small", "--params", str(write_params(tmp_path, root, shard_patches=1000))]) == 0
    assert f"replaces     {before}" in capsys.readouterr().out


def test_a_swap_cut_in_two_is_finished_by_the_next_build(tmp_path: Path, expected: dict[str, bytes]) -> None:
    params = write_params(tmp_path, tmp_path / "frames")
    arguments = ["--set", "small", "--params", str(params)]
    assert main(arguments) == 0
    folder = tmp_path / "datasets/small/1.0.0"
    shutil.copytree(folder, folder.with_name(".1.0.0.rebuild"))
    folder.rename(folder.with_name(".1.0.0.replaced"))
    assert main(arguments) == 0
    assert published(tmp_path) == expected


def test_a_second_build_in_the_same_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    params = write_params(tmp_path, write_line(tmp_path / "frames"))
    with LocalFiles(str(tmp_path / "datasets/small/1.0.0")).locked():
        assert main(["--set", "small", "--params", str(params)]) == 1
        assert "another process is at work" in capsys.readouterr().err
    assert main(["--set", "small", "--params", str(params)]) == 0


def test_what_the_user_gave_wrong_ends_in_a_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    params = write_params(tmp_path, tmp_path / "nowhere")
    for arguments, said in [
        (["--set", "small", "--params", str(tmp_path / "none.yaml")], "none.yaml: expected a params file"),
        (["--set", "big", "--params", str(params)], "expected one of ['small']"),
        (["--set", "small", "--params", str(params)], "expected a folder of acquisitions"),
    ]:
        assert main(arguments) == 1
        err = capsys.readouterr().err
        assert err.startswith("error: ")
        assert said in err
        assert "Traceback" not in err


def test_a_folder_that_cannot_be_written_ends_in_a_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "datasets").write_text("a file where a folder should be")
    params = write_params(tmp_path, write_line(tmp_path / "frames"))
    assert main(["--set", "small", "--params", str(params)]) == 1
    assert "datasets" in capsys.readouterr().err


def test_a_disk_that_fills_ends_in_a_message_and_the_rerun_in_the_same_bytes(
    tmp_path: Path, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The disk is full after eight files; the error crosses Beam and comes out as one sentence."""
    params = write_params(tmp_path, tmp_path / "frames")
    arguments = ["--set", "small", "--params", str(params)]
    real, calls = os.fsync, []

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) > 8:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        assert main(arguments) == 1
    err = capsys.readouterr().err
    assert "No space left on device" in err
    assert "small-train.tfrecord" in err
    assert "Traceback" not in err
    assert "dataset_info.json" not in published(tmp_path)
    assert not [name for name in published(tmp_path) if name.endswith(".incomplete")]
    assert main(arguments) == 0
    assert published(tmp_path) == expected


def test_listing_order_does_not_matter(
    tmp_path: Path, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same folders, handed over by the file system in the opposite order."""
    real = os.scandir

    class Reversed:
        def __init__(self, path: Any) -> None:
            with real(path) as entries:
                self.entries = sorted(entries, key=lambda entry: entry.name, reverse=True)

        def __iter__(self) -> Any:
            return iter(self.entries)

        def __enter__(self) -> Any:
            return self.entries

        def __exit__(self, *_: object) -> None:
            return None

    params = write_params(tmp_path, tmp_path / "frames")
    with monkeypatch.context() as patched:
        patched.setattr(os, "scandir", Reversed)
        assert main(["--set", "small", "--params", str(params)]) == 0
    assert published(tmp_path) == expected
    shutil.rmtree(tmp_path / "datasets")
