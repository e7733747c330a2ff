"""Engines: which flags of Beam each name stands for, what is refused, and that commands teach them."""

import subprocess
import sys
from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import (
    DebugOptions,
    DirectOptions,
    FlinkRunnerOptions,
    PipelineOptions,
    PortableOptions,
    SetupOptions,
    StandardOptions,
    WorkerOptions,
)

from drae_data.errors import OptionError
from pipelines.engines import ENGINES, engine_of
from pipelines.runner import beam_options, check_reach, public_flags, workers_are_near

CLOUD = [
    "--project=p-1", "--region=europe-west4", "--temp_location=gs://bucket/tmp",
    "--sdk_container_image=registry/worker:1",
]  # fmt: skip
FLINK = ["--flink_master=localhost:8081", "--environment_type=EXTERNAL", "--environment_config=localhost:50000"]
DASK = ["--dask_client_address=tcp://localhost:8786", "--dask_npartitions=8"]
GIVEN = {"local": [], "local-processes": [], "dask": DASK, "flink": FLINK, "dataflow": CLOUD}


def runner_of(options: PipelineOptions) -> str:
    return str(options.view_as(StandardOptions).runner)


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_is_its_runner(name: str) -> None:
    options = beam_options(list(GIVEN[name]), name)
    assert runner_of(options) == ENGINES[name].runner
    found = engine_of(runner_of(options))
    assert found is not None
    assert found.runner == ENGINES[name].runner
    assert options.view_as(SetupOptions).save_main_session is False


def test_no_engine_is_the_local_one() -> None:
    assert runner_of(beam_options([])) == runner_of(beam_options([], "local")) == "FnApiRunner"
    for options in (beam_options([]), beam_options([], "local")):
        assert options.view_as(DirectOptions).direct_running_mode == "in_memory"


def test_plain_flags_of_beam_say_the_same() -> None:
    by_name = beam_options(list(FLINK), "flink")
    plain = beam_options(["--runner=FlinkRunner", *FLINK])
    for options in (by_name, plain):
        assert options.view_as(FlinkRunnerOptions).flink_master == "localhost:8081"
        assert options.view_as(PortableOptions).environment_type == "EXTERNAL"
    assert runner_of(by_name) == runner_of(plain)
    assert public_flags(by_name) == public_flags(plain) == {"runner": "FlinkRunner"}


def test_what_the_user_says_goes_before_what_the_engine_says() -> None:
    two = beam_options(["--direct_num_workers=2"], "local-processes").view_as(DirectOptions)
    assert (two.direct_running_mode, two.direct_num_workers) == ("multi_processing", 2)
    for flag in ("--machine_type", "--worker_machine_type"):
        large = beam_options([*CLOUD, f"{flag}=c3-standard-22"], "dataflow")
        assert large.view_as(WorkerOptions).machine_type == "c3-standard-22"
    large = beam_options([*CLOUD, "--experiments=mine"], "dataflow")
    # Experiments add up: one shard at a time on a machine is not lost by naming another.
    assert set(large.view_as(DebugOptions).experiments) >= {"mine", "use_runner_v2", "no_use_multiple_sdk_containers"}


def test_a_dataflow_worker_has_one_process_and_brings_its_beam() -> None:
    options = beam_options(list(CLOUD), "dataflow")
    assert options.view_as(DebugOptions).number_of_worker_harness_threads == 1
    assert options.view_as(SetupOptions).sdk_location == "container"
    wheel = [flag for flag in CLOUD if "image" not in flag] + ["--extra_package=dist/x.whl"]
    assert beam_options(wheel, "dataflow").view_as(SetupOptions).sdk_location == "default"


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("dataflow", "--project"), ("dataflow", "--region"), ("dataflow", "--temp_location"),
        ("dataflow", "--sdk_container_image or --extra_package"), ("flink", "--flink_master or --job_endpoint"),
        ("flink", "--environment_type"), ("dask", "--dask_client_address or --dask_scheduler_file"),
        ("dask", "--dask_npartitions or --dask_partition_size"),
    ],
)  # fmt: skip
def test_a_missing_flag_is_asked_for_with_all_that_the_engine_takes(name: str, missing: str) -> None:
    given = [flag for flag in GIVEN[name] if flag.split("=")[0] not in missing]
    with pytest.raises(OptionError, match=f"--engine {name}: expected {missing} ") as caught:
        beam_options(given, name)
    assert ENGINES[name].summary in str(caught.value)


@pytest.mark.parametrize(
    ("flags", "engine", "said"),
    [
        (["--runner=FlinkRunner"], "local", "no --runner beside --engine"),
        (["--save_main_session"], None, "--save_main_session: expected nothing"),
        (["--direct_running_mode=multi_threading"], None, "loses elements"),
        (["--runner=nowhere.to.be.found.Runner"], None, "a module that can be imported"),
        (["--temp_location=bucket/tmp", *(flag for flag in CLOUD if "temp" not in flag)], "dataflow", "gs://BUCKET"),
        (["--dry_run=True"], None, "--dry_run: expected nothing: a stage waits"),
        (["--no_wait_until_finish"], None, "--no_wait_until_finish: expected nothing: a stage waits"),
        (["--s3_secret_access_key=TOP", *DASK], "dask", "the key in the environment of workers"),
        # A flag of the job server's own side is none of the local runner's words, but never a stranger.
        (["--number_of_execution_retries=3", "--bogus=1"], None, "got '--bogus'"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_runs(flags: list[str], engine: str | None, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        beam_options(flags, engine)


def test_flags_that_only_the_job_server_knows_reach_it() -> None:
    options = beam_options([*FLINK, "--number_of_execution_retries=3"], "flink")
    assert "--number_of_execution_retries=3" in (options._flags or ())  # what Beam's client sends on


def test_workers_of_a_cloud_see_no_folder_of_this_machine(tmp_path: Path) -> None:
    local, remote = str(tmp_path), "gs://bucket/frames"
    cloud = beam_options(list(CLOUD), "dataflow")
    with pytest.raises(OptionError, match=r"--root: expected a URL such as gs://BUCKET"):
        check_reach(cloud, **{"--root": local, "--out": remote})
    check_reach(cloud, **{"--root": remote})
    check_reach(beam_options(list(FLINK), "flink"), **{"--root": local})


def test_keys_may_be_flags_where_workers_are_on_this_machine() -> None:
    for name in ("local", "local-processes"):
        beam_options(["--s3_secret_access_key=TOP"], name)


def test_only_workers_of_this_machine_are_near() -> None:
    near = {name for name in ENGINES if workers_are_near(beam_options(list(GIVEN[name]), name))}
    assert near == {"local", "local-processes"}


@pytest.mark.parametrize("command", ["build", "synthesize", "score"])
def test_help_teaches_every_engine(command: str) -> None:
    done = subprocess.run([sys.executable, "-m", f"pipelines.{command}", "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    text = " ".join(done.stdout.split())
    for name, engine in ENGINES.items():
        assert f"{name} {engine.summary}" in text
