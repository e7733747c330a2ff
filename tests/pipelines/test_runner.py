"""How a pipeline is run: what is tried again, what a job on a cluster hears of it, what is said in the end."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import PipelineResult, PipelineRunner, PipelineState

from drae_data.errors import DatasetError
from pipelines import runner
from pipelines.console import progress
from pipelines.runner import PipelineError, beam_options, run_pipeline


class Job(PipelineResult):
    """A job on a cluster: its end is waited for, and it can be cancelled."""

    cancelled = 0
    ends_with: BaseException = RuntimeError()

    def wait_until_finish(self, duration: Any = None) -> Any:
        raise self.ends_with

    def cancel(self) -> None:
        Job.cancelled += 1


class Cluster(PipelineRunner):
    """Runs nothing: its jobs end as they are told."""

    ends_with: BaseException = RuntimeError("the job failed")

    def run_pipeline(self, pipeline: Any, options: Any) -> Job:
        job = Job(PipelineState.RUNNING)
        job.ends_with = self.ends_with
        return job


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "_LONGEST_WAIT_SECONDS", 0.0)
    monkeypatch.setattr(Job, "cancelled", 0)


def on_cluster(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> PipelineOptions:
    monkeypatch.setattr(Cluster, "ends_with", error)
    return beam_options([f"--runner={__name__}.Cluster"])


def nothing(pipeline: beam.Pipeline) -> None:
    _ = pipeline | "Nothing" >> beam.Create([1])


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        (RuntimeError("the job failed"), 3),
        (OSError(5, "Input/output error", "x"), 3),
        (OSError(28, "No space left on device", "x"), 1),
        (PermissionError(13, "Permission denied", "x"), 1),
        (OSError(6, "there is no such bucket", "s3://x"), 1),
        (RuntimeError("Traceback ...\ndrae_data.errors.CommitError: shard x: lost"), 1),
        (ValueError("no such coder"), 1),
    ],
    ids=str,
)
def test_what_may_pass_is_tried_again_and_each_job_is_cancelled(
    error: Exception, attempts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PipelineError, match="the pipeline stopped"):
        run_pipeline(nothing, on_cluster(error, monkeypatch), 3)
    assert Job.cancelled == attempts


def test_a_message_of_ours_is_said_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    error = DatasetError("shard x: expected 7 records, got 6;\nrun the build again")
    with pytest.raises(PipelineError) as caught:
        run_pipeline(nothing, on_cluster(error, monkeypatch), 3)
    assert f"the pipeline stopped: {error}\n" in str(caught.value)
    assert Job.cancelled == 1


def test_ctrl_c_ends_the_job_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_pipeline(nothing, on_cluster(KeyboardInterrupt(), monkeypatch), 3)
    assert Job.cancelled == 1


def lost() -> int:
    raise OSError(5, "Input/output error", "out/.work/done")


def after(failures: list[int]) -> Callable[[], int]:
    return lambda: failures.pop(0) if failures else lost()


def test_a_target_that_does_not_answer_hides_no_cause(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    options = on_cluster(RuntimeError("the worker is lost"), monkeypatch)
    monkeypatch.setattr("pipelines.console._LOG_SECONDS", 0.01)
    # One step forward is seen, then nothing more: the row of failures begins anew once.
    with (
        pytest.raises(PipelineError, match="the pipeline stopped: the worker is lost"),
        progress("build", 10, "patches", lost),
    ):
        run_pipeline(nothing, options, 2, after([0, 0, 5]))
    assert Job.cancelled == 3
    assert "Traceback" not in capsys.readouterr().err
