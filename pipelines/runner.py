"""How a stage's pipeline runs: an engine by name or any runner by Beam's own flags, tried again, failing in words."""

import argparse
import errno
import importlib
import logging
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, SetupOptions, StandardOptions

from drae_data.errors import DraeError, OptionError
from pipelines.beam_files import MISSING_BUCKET, REFUSED
from pipelines.console import count_done, positive
from pipelines.engines import ENGINES, JOB_SERVER_FLAGS, LOCAL, engine_flags, engine_of, engines_help, flag_name

LOG = Path("logs/pipeline.log")
# Flags that may be shown: others can hold secrets, such as --s3_secret_access_key.
_PUBLIC_FLAGS = ("runner", "direct_running_mode", "direct_num_workers", "parallelism", "job_name")
# What no second attempt mends: no room, no rights, no bucket.
_LASTING = {
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, REFUSED, MISSING_BUCKET,
}  # fmt: skip
# On a cluster Beam's workers log all options.
_SECRETS = ("--s3_secret_access_key", "--s3_session_token")
# With these a command would end before its work is done, and what it counts then is not there.
_ENDS_EARLY = ("--dry_run", "--no_wait_until_finish")
_LONGEST_WAIT_SECONDS = 60.0


class PipelineError(DraeError):
    """A pipeline ended before its work was done."""


def add_engine_arguments(parser: argparse.ArgumentParser) -> None:
    """Gives a command `--engine`, `--threads` and `--attempts`, and its help a list of the engines."""
    parser.add_argument("--engine", choices=list(ENGINES), help="where the work is done, see below (default: local)")
    parser.add_argument(
        "--threads", type=positive,
        help="what is in work at the same time inside one element (default: one per processor of the worker)",
    )  # fmt: skip
    parser.add_argument(
        "--attempts", type=positive, default=3,
        help="end when the pipeline failed so many times in a row without a step forward (default: 3; 1: at once)",
    )  # fmt: skip
    parser.epilog = f"{parser.epilog or ''}\n{engines_help()}\n"


def beam_options(flags: list[str], engine: str | None = None) -> PipelineOptions:
    """Beam's options from the flags that a command did not know itself; Beam's filesystems take them from here on.

    Args:
        flags: such as `--runner=FlinkRunner` or `--direct_running_mode=multi_processing --direct_num_workers=2`.
        engine: by name; None where `--runner` among the flags says it, or nothing does, which is the local one.

    Raises:
        OptionError: a flag that Beam does not know or that its engine needs, or one that is refused:
            `multi_threading` loses elements without an error, `--save_main_session` pickles what need not travel.
    """
    given = {flag_name(flag) for flag in flags}
    if engine is None and "--runner" not in given:
        own = [flag for flag in ENGINES[LOCAL].flags if flag_name(flag) not in given]
        flags = [*flags, f"--runner={ENGINES[LOCAL].runner}", *own]
    elif engine is not None:
        flags = engine_flags(engine, flags)
    # Worker code is imported by name, never taken from the process that submits.
    options = PipelineOptions([*flags, "--no_save_main_session"])
    runner = options.view_as(StandardOptions).runner or ""
    if "." in runner:
        # Its module declares flags of its own.
        _import(runner.rpartition(".")[0])
        options = PipelineOptions([*flags, "--no_save_main_session"])

    def refuse_unknown(parser: argparse.ArgumentParser) -> None:
        unknown = parser.parse_known_args(flags)[1]
        named = [flag_name(flag) for flag in unknown if flag.startswith("-")]
        names = [name for name in named if name not in JOB_SERVER_FLAGS] or ([] if named else unknown)
        if names:
            raise OptionError("flags", " ".join(names), "those that --help lists and those of Apache Beam")

    # Here a parser that holds the options of all of Beam's classes can be had.
    options.get_all_options(add_extra_args_fn=refuse_unknown)
    for name in given.intersection(_ENDS_EARLY):
        raise OptionError(name, "it", "nothing: a stage waits for its pipeline, counts what it left, and ends then")
    for name in () if workers_are_near(options) else given.intersection(_SECRETS):
        raise OptionError(name, "it", "the key in the environment of workers (AWS_SECRET_ACCESS_KEY): they log flags")
    if "--save_main_session" in given:
        raise OptionError("--save_main_session", "it", "nothing: workers import their code from the wheel or the image")
    options.view_as(SetupOptions).save_main_session = False
    if options.view_as(DirectOptions).direct_running_mode == "multi_threading":
        raise OptionError(
            "--direct_running_mode", "multi_threading",
            "'in_memory' or 'multi_processing': the other mode of Beam loses elements without a word",
        )  # fmt: skip
    FileSystems.set_options(options)
    return options


def _import(module: str) -> None:
    try:
        importlib.import_module(module)
    except ImportError as error:
        raise OptionError("--runner", module, f"a module that can be imported ({error})") from error


def workers_are_near(options: PipelineOptions) -> bool:
    """Whether the workers see this machine's folders under the same paths for sure."""
    engine = engine_of(options.view_as(StandardOptions).runner or "")
    return engine is not None and engine.near


def check_reach(options: PipelineOptions, **roots: str) -> None:
    """Whether the workers can see what they shall read and write; raises `OptionError`.

    Args:
        options: of Beam.
        roots: by the flag or key that names each.
    """
    engine = engine_of(options.view_as(StandardOptions).runner or "")
    for name, root in roots.items():
        if engine is not None and engine.cloud and "://" not in root:
            raise OptionError(name, root, f"a URL such as gs://BUCKET/..., which workers of {engine.runner} see")


def public_flags(options: PipelineOptions) -> dict[str, Any]:
    """Those options that say how a pipeline ran and can hold no secret, where they differ from Beam's defaults."""
    given = options.get_all_options(drop_default=True)
    return {name: given[name] for name in _PUBLIC_FLAGS if name in given}


def run_pipeline(
    construct: Callable[[beam.Pipeline], object], options: PipelineOptions, attempts: int,
    done: Callable[[], int] = lambda: 0,
) -> None:  # fmt: skip
    """Runs a pipeline to its end; what fails is tried again as long as that brings the work forward.

    Args:
        construct: adds the steps to an empty pipeline; what a former attempt finished they leave alone.
        options: of Beam.
        attempts: how many failures in a row end it; one after which more is done than before begins a new row.
        done: how much of the work is done.

    Raises:
        PipelineError: a step failed for good; the message is the cause in one line, the traceback is in `LOG`.
    """
    failures, before = 0, count_done(done, 0)
    while True:
        try:
            with _logged():
                _run_once(construct, options)
            return
        except Exception as error:  # Runners wrap what a step raised in exceptions of their own.
            cause, now = _cause(error), count_done(done, before)
            failures, before = (1 if now > before else failures + 1), now
            if failures >= attempts or _is_lasting(error, cause):
                raise PipelineError(
                    f"the pipeline stopped: {cause}\nWhat was finished is kept; when the cause is mended, run the same "
                    f"command again. Everything that Beam said is in {LOG}"
                ) from error
            wait = min(2.0 ** (failures - 1), _LONGEST_WAIT_SECONDS)
            sys.stderr.write(f"a step failed, once more in {wait:.0f} s: {cause}\n")
            time.sleep(wait)


def _run_once(construct: Callable[[beam.Pipeline], object], options: PipelineOptions) -> None:
    """One attempt; whatever ends it before its time, Ctrl-C too, ends the job on its cluster as well."""
    pipeline = beam.Pipeline(options=options)
    try:
        with pipeline:
            construct(pipeline)
    except BaseException:
        # Where the job did not begin, or its runner cannot end it, there is nothing to be done.
        with suppress(Exception):
            pipeline.result.cancel()
        raise


@contextmanager
def _logged() -> Iterator[None]:
    """What Beam logs goes to `LOG`, also the traceback of what ends the block."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(LOG, mode="a", encoding="utf-8")
    # Builds at the same time share the file; the process id tells their lines apart.
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(message)s"))
    # Parts of Beam speak by the root logger, which Beam makes write to the terminal.
    root, logger = logging.getLogger(), logging.getLogger("apache_beam")
    kept, root.handlers = root.handlers, [handler]
    logger.addHandler(handler)
    propagate, logger.propagate = logger.propagate, False
    try:
        yield
    except Exception:
        logger.exception("the pipeline stopped")
        raise
    finally:
        logger.propagate = propagate
        logger.removeHandler(handler)
        root.handlers = kept
        handler.close()


def _cause(error: BaseException) -> str:
    """The line of an error's text that names what was raised in a step; runners put whole tracebacks into it."""
    if isinstance(error, DraeError):
        return str(error)
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    named = [line for line in lines if "Error" in line.split(":")[0] and " " not in line.split(":")[0]]
    return (named or lines or [type(error).__name__])[-1].removeprefix("RuntimeError: ")


def _is_lasting(error: BaseException, cause: str) -> bool:
    """Whether another attempt would end alike: what this project says itself, a full disk, a graph that is refused."""
    raised = cause.split(":", 1)[0].rpartition(".")[2]
    number = re.search(r"\[Errno (\d+)\]", cause)
    return (
        isinstance(error, ValueError | TypeError | DraeError)
        or raised in _names_below(DraeError)
        or (number is not None and int(number[1]) in _LASTING)
    )


def _names_below(base: type[Any]) -> set[str]:
    """Names of a class and of all classes that inherit from it."""
    return {base.__name__}.union(*(_names_below(one) for one in base.__subclasses__()))
