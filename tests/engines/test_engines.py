"""The same dataset on every engine: clusters on loopback build, are killed, resume, extend, draw and score.

`make test-engines`. The dataset that the in-process engine makes in the same run is what all others are held against;
`ENGINES_SET=production` takes another set of params.yaml. A transcript and a table of rates lie in `build/engines`.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from pipelines.console import say
from tests.engines import demo
from tests.engines.commands import Command, Outcome, run_stage, start_stage
from tests.engines.dask_cluster import DaskCluster
from tests.engines.downloads import UnavailableError
from tests.engines.flink_cluster import Flink
from tests.engines.prism import Prism
from tests.engines.processes import PLACE
from tests.engines.service import LocalProcesses, Service
from tests.engines.transcript import RATES, TRANSCRIPT, Transcript
from tests.object_store import ObjectStore
from tests.small_line import tree_bytes

pytestmark = pytest.mark.engines

VERSIONS = PLACE / "versions"
ENGINES: dict[str, Callable[[], Service]] = {
    "processes": LocalProcesses,
    "prism": Prism,
    "dask-1": lambda: DaskCluster(1),
    "dask-2": lambda: DaskCluster(2),
    "flink-1": lambda: Flink(1),
    "flink-2": lambda: Flink(2),
}
# The demo set is built on each; the rest is tried once per kind of engine.
KINDS = ["processes", "prism", "dask-2", "flink-2"]
# Kill -9 when so many shards are finished, of 30 in the part of the demo set.
_KILL_AFTER = 4
# A worker that has built nothing has not imported the builder: some 65 MB against some 400.
_IDLE_MEGABYTES = 150


class Truth(NamedTuple):
    """Digests of what the in-process engine makes."""

    demo: str
    part: str
    extended: str
    drawn: str
    scores: str
    patches: int


@pytest.fixture(scope="module")
def transcript(request: pytest.FixtureRequest) -> Iterator[Transcript]:
    """Takes every step; written and shown at the end."""
    transcript = Transcript()
    yield transcript
    transcript.write()
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        say(f"\n\n{transcript.table()}\n\n{TRANSCRIPT}\n{RATES}")


@pytest.fixture(scope="module")
def truth(transcript: Transcript) -> Truth:
    """Everything once on the in-process engine."""
    demo.prepare()
    local = Service()
    demo.make_scored_line()
    outcome, whole = built(demo.demo_arguments(VERSIONS / "demo", local.threads), VERSIONS / "demo", local)
    transcript.add(local.name, "The demo set", outcome, whole)
    patches = records(VERSIONS / "demo")
    transcript.rate(local.name, outcome, patches)
    outcome, part = built(demo.part_arguments(VERSIONS / "part"), VERSIONS / "part", local)
    transcript.add(local.name, "A part of it in small shards", outcome, part)
    built(demo.part_arguments(demo.EARLIER, demo.EARLIER_PART), demo.EARLIER, local)
    outcome, extended = built(demo.extended_arguments(VERSIONS / "extended"), VERSIONS / "extended", local)
    transcript.add(local.name, "A version that extends an earlier one", outcome, extended)
    outcome, drawn = draw(local)
    transcript.add(local.name, "Strips drawn", outcome, drawn)
    outcome, scores = demo.take_scores(local)
    transcript.add(local.name, "Scores", outcome, scores)
    return Truth(whole, part, extended, drawn, scores, patches)


@pytest.fixture(scope="module")
def service(request: pytest.FixtureRequest, truth: Truth, transcript: Transcript) -> Iterator[Service]:
    """An engine, running."""
    engine = ENGINES[request.param]()
    with ExitStack() as stack:
        try:
            stack.enter_context(engine)
        except UnavailableError as error:
            transcript.skip(engine.name, str(error))
            pytest.skip(str(error))
        yield engine


def built(arguments: list[str], version: Path, service: Service) -> tuple[Outcome, str]:
    """Builds a version that must be good; returns its digest."""
    outcome = demo.succeed(run_stage("build", arguments, service))
    return outcome, demo.digest_of(version)


def draw(service: Service) -> tuple[Outcome, str]:
    """Draws a few strips; returns the digest of all frames."""
    folder = PLACE / "drawn"
    shutil.rmtree(folder, ignore_errors=True)
    outcome = demo.succeed(run_stage("synthesize", demo.drawn_arguments(folder), service))
    return outcome, demo.tree_digest(folder)


def killed(version: Path, service: Service) -> None:
    """Begins to build the part; command and workers are killed in mid-way."""
    command = start_stage("build", demo.part_arguments(version), service)
    command.until_shards(version, _KILL_AFTER)
    command.kill()
    service.kill_workers()
    assert not (version / "dataset_info.json").exists()
    service.start_workers()


@pytest.mark.parametrize("service", ENGINES, indirect=True)
def test_the_demo_set_has_the_same_digest(service: Service, truth: Truth, transcript: Transcript) -> None:
    version = VERSIONS / "again"
    shutil.rmtree(version, ignore_errors=True)
    outcome, digest = built(demo.demo_arguments(version, service.threads), version, service)
    transcript.rate(service.name, outcome, truth.patches)
    transcript.add(service.name, "The demo set", outcome, digest)
    assert outcome.usage.megabytes, "no worker was seen"
    assert min(outcome.usage.megabytes.values()) > _IDLE_MEGABYTES, "a worker had nothing to do"
    assert digest == truth.demo
    assert tree_bytes(version) == tree_bytes(VERSIONS / "demo")


def test_a_killed_build_goes_on_in_process(truth: Truth, transcript: Transcript) -> None:
    resumed(Service(), truth, transcript)


@pytest.mark.parametrize("service", KINDS, indirect=True)
def test_a_killed_build_goes_on(service: Service, truth: Truth, transcript: Transcript) -> None:
    resumed(service, truth, transcript)


def resumed(service: Service, truth: Truth, transcript: Transcript) -> None:
    """The build of the part, killed and run again: shards are reused, the digest is the same."""
    version = VERSIONS / "resumed"
    shutil.rmtree(version, ignore_errors=True)
    killed(version, service)
    outcome, digest = built(demo.part_arguments(version), version, service)
    transcript.add(service.name, "Command and workers killed with -9 in mid-way, run again", outcome, digest)
    assert _KILL_AFTER <= outcome.reused < 30
    assert digest == truth.part


@pytest.mark.parametrize("service", KINDS, indirect=True)
def test_a_version_that_extends_another_is_the_same(service: Service, truth: Truth, transcript: Transcript) -> None:
    version = VERSIONS / "longer"
    shutil.rmtree(version, ignore_errors=True)
    outcome, digest = built(demo.extended_arguments(version), version, service)
    transcript.add(service.name, "A version that extends an earlier one", outcome, digest)
    assert digest == truth.extended
    assert outcome.reused == 20


@pytest.mark.parametrize("service", KINDS, indirect=True)
def test_drawn_frames_are_the_same(service: Service, truth: Truth, transcript: Transcript) -> None:
    outcome, digest = draw(service)
    transcript.add(service.name, "Strips drawn", outcome, digest)
    assert digest == truth.drawn


@pytest.mark.parametrize("service", KINDS, indirect=True)
def test_scores_are_the_same_bits(service: Service, truth: Truth, transcript: Transcript) -> None:
    outcome, digest = demo.take_scores(service)
    transcript.add(service.name, "Scores", outcome, digest)
    assert digest == truth.scores


@pytest.mark.parametrize("all_of_them", [False, True], ids=["one", "all"])
@pytest.mark.parametrize("service", ["dask-2"], indirect=True)
def test_workers_of_dask_may_die_in_mid_way(
    service: DaskCluster, all_of_them: bool, truth: Truth, transcript: Transcript
) -> None:
    version = VERSIONS / "dying"
    shutil.rmtree(version, ignore_errors=True)
    command = start_stage("build", demo.part_arguments(version), service)
    command.until_shards(version, _KILL_AFTER)
    if all_of_them:
        service.kill_workers()
        time.sleep(1.0)
        service.start_workers()
    else:
        service.busiest().kill()
    outcome = demo.succeed(command.finish())
    service.start_workers()
    what = (
        "Both workers killed with -9 in mid-way and replaced"
        if all_of_them
        else "The worker at work killed with -9 in mid-way"
    )
    transcript.add(service.name, what, outcome, demo.digest_of(version))
    assert demo.digest_of(version) == truth.part


@pytest.mark.parametrize("service", ["flink-2"], indirect=True)
def test_a_task_manager_of_flink_may_die_in_mid_way(service: Flink, truth: Truth, transcript: Transcript) -> None:
    version = VERSIONS / "dying-flink"
    command = start_stage("build", demo.part_arguments(version), service)
    command.until_shards(version, _KILL_AFTER)
    service.cluster.kill_task_manager(0)
    service.cluster.await_task_managers(1)
    service.cluster.start_task_manager(0)
    outcome = demo.succeed(command.finish())
    transcript.add(
        service.name, "A task manager killed with -9 in mid-way and replaced", outcome, demo.digest_of(version)
    )
    assert demo.digest_of(version) == truth.part


@pytest.mark.parametrize("engine", [Service(), LocalProcesses()], ids=["in-process", "processes"])
def test_frames_from_s3_and_the_version_into_s3(engine: Service, truth: Truth, transcript: Transcript) -> None:
    with ObjectStore() as store:
        store.create_bucket("frames")
        store.create_bucket("versions")
        store.upload(demo.PART, "frames/part")
        arguments = [*demo.part_arguments("s3://versions/part", "s3://frames/part"), *store.flags]
        outcome = demo.succeed(run_stage("build", arguments, engine, store.environment))
        published = store.tree("versions/part")
        check = ["s3://versions/part", "--root", "s3://frames/part", *store.flags]
        checked = demo.succeed(Command("verify", check, engine, store.environment).finish())
    copy = VERSIONS / f"from-s3-{engine.threads}"
    for name, content in published.items():
        path = copy / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    digest = demo.digest_of(copy)
    name = f"S3, {engine.name}"
    transcript.add(name, "Frames from S3, the version into S3", outcome, digest)
    transcript.add(name, "Verified in S3", checked, digest)
    assert digest == truth.part
    assert digest in checked.said


def records(version: Path) -> int:
    """The patches of a version."""
    info = json.loads((version / "dataset_info.json").read_bytes())
    return sum(int(length) for split in info["splits"] for length in split["shardLengths"])
