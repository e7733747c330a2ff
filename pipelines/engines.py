"""The engines that a stage runs on: for each the flags of Beam that it stands for, and what it asks of the user."""

import os
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from drae_data.errors import OptionError


@dataclass(frozen=True)
class Engine:
    """Where the work of a pipeline is done.

    Attributes:
        summary: in words, for `--help`.
        runner: Beam's runner.
        flags: of Beam, taken where the user gives no flag of that name.
        needs: flags that the user must give; alternatives stand together.
        near: whether its workers see this machine's folders under the same paths for sure.
        cloud: whether its workers see no folder of this machine at all.
    """

    summary: str
    runner: str
    flags: tuple[str, ...] = ()
    needs: tuple[tuple[str, ...], ...] = ()
    near: bool = False
    cloud: bool = False


_PROCESSORS = os.cpu_count() or 1
LOCAL = "local"
# One in-process worker; the parallelism is a thread pool inside each element's function (decision 8).
ENGINES = {
    LOCAL: Engine(
        "this process, its parallelism the threads inside each shard; the default",
        "FnApiRunner",
        ("--direct_running_mode=in_memory",),
        near=True,
    ),
    "local-processes": Engine(
        "worker processes on this machine, one per processor (--direct_num_workers=N); take --threads 1 with it",
        "FnApiRunner",
        ("--direct_running_mode=multi_processing", f"--direct_num_workers={_PROCESSORS}"),
        near=True,
    ),
    "dask": Engine(
        "Dask workers on any machines: --dask_client_address=tcp://HOST:8786, --dask_npartitions=N (as many as shards "
        "shall be spread over)",
        "apache_beam.runners.dask.dask_runner.DaskRunner",
        needs=(
            ("--dask_client_address", "--dask_scheduler_file"),
            # Without it one worker does nearly everything.
            ("--dask_npartitions", "--dask_partition_size"),
        ),
    ),
    "flink": Engine(
        "a Flink cluster: --flink_master=HOST:8081 and --flink_job_server_jar=JAR, or the --job_endpoint=HOST:8099 of "
        "a job server that runs already; workers by --environment_type=EXTERNAL --environment_config=HOST:PORT (worker "
        "pools), or DOCKER and the image of the Dockerfile; --parallelism=N",
        "FlinkRunner",
        needs=(("--flink_master", "--job_endpoint"), ("--environment_type",)),
    ),
    "dataflow": Engine(
        "Google Cloud Dataflow: --project, --region, --temp_location=gs://..., --sdk_container_image=IMAGE (the "
        "Dockerfile's); 4 virtual processors a machine and up to 20 machines, unless --machine_type and "
        "--max_num_workers say else",
        "DataflowRunner",
        (
            "--machine_type=n2-standard-4",
            "--max_num_workers=20",
            # One process and one shard at a time on a machine: the threads inside the shard use its processors.
            "--experiments=use_runner_v2",
            "--experiments=no_use_multiple_sdk_containers",
            "--number_of_worker_harness_threads=1",
            "--sdk_location=container",
        ),
        needs=(("--project",), ("--region",), ("--temp_location",), ("--sdk_container_image", "--extra_package")),
        cloud=True,
    ),
}
# Of the Flink runner's Java side: Beam's Python parser does not know them, its job server does.
JOB_SERVER_FLAGS = frozenset({
    "--number_of_execution_retries", "--execution_retry_delay", "--execution_mode_for_batch", "--object_reuse",
    "--flink_conf_dir",
})  # fmt: skip
_REPEATED = "--experiments"


def flag_name(flag: str) -> str:
    """The name of a flag without its value, which may be a secret."""
    return flag.split("=", 1)[0]


def engine_flags(name: str, flags: Sequence[str]) -> list[str]:
    """Beam's flags of an engine: the user's, and the engine's own where the user gives none of that name.

    Args:
        name: of the engine.
        flags: of Beam, as the user gave them.

    Raises:
        OptionError: no such engine; a runner beside the engine; a flag is missing that the engine cannot do without.
    """
    if name not in ENGINES:
        raise OptionError("--engine", name, f"one of {', '.join(ENGINES)}")
    engine, given = ENGINES[name], {flag_name(flag) for flag in flags}
    if "--runner" in given:
        raise OptionError(
            "--runner", name, f"no --runner beside --engine, which says {engine.runner}; give one of both"
        )
    for names in engine.needs:
        if not given.intersection(names):
            raise OptionError(f"--engine {name}", "no such flag", f"{' or '.join(names)} ({engine.summary})")
    place = next((flag.partition("=")[2] for flag in flags if flag.startswith("--temp_location=")), "gs://")
    if engine.cloud and not place.startswith("gs://"):
        # Beam would look for a bucket of its own for minutes, and make one.
        raise OptionError("--temp_location", place, "a place such as gs://BUCKET/tmp")
    own = [flag for flag in engine.flags if flag_name(flag) == _REPEATED or flag_name(flag) not in given]
    if "--sdk_container_image" not in given:
        own = [flag for flag in own if flag != "--sdk_location=container"]
    # Of two names for one option the last counts.
    return [f"--runner={engine.runner}", *own, *flags]


def engine_of(runner: str) -> Engine | None:
    """The engine that a runner of Beam stands for; None where it is none of them."""
    short = runner.rpartition(".")[2]
    return next((engine for engine in ENGINES.values() if engine.runner.rpartition(".")[2] == short), None)


def engines_help() -> str:
    """All engines with their flags, for the end of a command's help."""
    lines = (
        textwrap.fill(engine.summary, 100, initial_indent=f"  {name:<16} ", subsequent_indent=" " * 19)
        for name, engine in ENGINES.items()
    )
    return "\n".join(["engines:", *lines])
