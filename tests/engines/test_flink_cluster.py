"""A real Flink cluster from its published distribution: it counts its task managers, and notices a killed one."""

import pytest

from tests.engines.downloads import UnavailableError, first_error
from tests.engines.flink_cluster import FlinkCluster

pytestmark = pytest.mark.engines


@pytest.mark.parametrize(("task_managers", "slots"), [(1, 2), (2, 1)])
def test_a_cluster_has_the_task_managers_and_slots_that_were_asked_for(task_managers: int, slots: int) -> None:
    try:
        with FlinkCluster(task_managers, slots) as cluster:
            overview = cluster.overview()
            assert overview["taskmanagers"] == task_managers
            assert overview["slots-total"] == overview["slots-available"] == task_managers * slots
            assert overview["flink-version"] == "2.0.2"
            processes = [cluster.job_manager, *cluster.task_managers.values()]
            if task_managers == 2:
                cluster.kill_task_manager(0)
                cluster.await_task_managers(1)
                assert cluster.overview()["slots-total"] == 1
                cluster.start_task_manager(0)
                cluster.await_task_managers(2)
                assert cluster.overview()["slots-available"] == 2
                processes.append(cluster.task_managers[0])
    except UnavailableError as error:
        pytest.skip(str(error))
    assert all(process.status() is not None for process in processes)


def test_an_error_of_a_registry_is_said_in_one_line_without_its_address() -> None:
    maven = (
        "[INFO] Downloading error-prone things\n"
        "[\x1b[1;31mERROR\x1b[m] Failed to execute goal \x1b[32morg.example:get\x1b[m (default-cli) "
        "on project pom: Couldn't download artifact: Could not find artifact org.example:jar:1 in central "
        "(scheme://repository.example/maven2) -> [Help 1]\n[ERROR] and more\n"
    )
    assert first_error(maven) == "Couldn't download artifact: Could not find artifact org.example:jar:1"
    pip = (
        "Looking in indexes: scheme://index.example\nERROR: No matching distribution found for thing==1\nERROR: more\n"
    )
    assert first_error(pip) == "No matching distribution found for thing==1"
    assert first_error("go: module lookup failed\nmore") == "go: module lookup failed"
    assert first_error("[INFO] all is well") == ""
