"""How a stage's pipeline runs: the local default, any runner by Beam's own flags, and a failure in one sentence."""

import argparse
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions

from drae_data.errors import DraeError, OptionError

# One in-process worker; the parallelism is a thread pool inside each element's function. Beam's DirectRunner would
# first look for a runner to download.
_LOCAL = ["--runner=FnApiRunner", "--direct_running_mode=in_memory"]
LOG = Path("logs/pipeline.log")
# Flags that may be shown: others can hold secrets, such as --s3_secret_access_key.
_PUBLIC_FLAGS = ("runner", "direct_running_mode", "direct_num_workers", "parallelism", "job_name")


class PipelineError(DraeError):
    """A pipeline ended before its work was done."""


def beam_options(flags: list[str]) -> PipelineOptions:
    """Beam's options from the flags that a command did not know itself; Beam's filesystems take them from here on.

    Args:
        flags: such as `--runner=FlinkRunner` or `--direct_running_mode=multi_processing --direct_num_workers=2`.

    Raises:
        OptionError: a flag that Beam does not know, or `multi_threading`, which loses elements without an error.
    """

    def refuse_unknown(parser: argparse.ArgumentParser) -> None:
        unknown = parser.parse_known_args(flags)[1]
        # A flag's name without its value, which may be a secret.
        names = [flag.split("=", 1)[0] for flag in unknown if flag.startswith("-")] or unknown
        if names:
            raise OptionError("flags", " ".join(names), "those that --help lists and those of Apache Beam")

    given = {flag.split("=", 1)[0] for flag in flags}
    defaults = [flag for flag in _LOCAL if flag.split("=", 1)[0] not in given]
    options = PipelineOptions([*flags, *defaults])
    # Here a parser that holds the options of all of Beam's classes can be had.
    options.get_all_options(add_extra_args_fn=refuse_unknown)
    if options.view_as(DirectOptions).direct_running_mode == "multi_threading":
        raise OptionError(
            "--direct_running_mode", "multi_threading",
            "'in_memory' or 'multi_processing': the other mode of Beam loses elements without a word",
        )  # fmt: skip
    FileSystems.set_options(options)
    return options


def public_flags(options: PipelineOptions) -> dict[str, Any]:
    """Those options that say how a pipeline ran and can hold no secret, where they differ from Beam's defaults."""
    given = options.get_all_options(drop_default=True)
    return {name: given[name] for name in _PUBLIC_FLAGS if name in given}


@contextmanager
def running_pipeline(options: PipelineOptions) -> Iterator[beam.Pipeline]:
    """A pipeline that runs when the block ends, as `with beam.Pipeline(...)`. What Beam logs goes to `LOG`.

    Raises:
        PipelineError: a step failed; the message is the cause in one line, the traceback is in the log.
    """
    LOG.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(LOG, mode="a", encoding="utf-8")
    # Builds at the same time share the file; the process id tells their lines apart.
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(message)s"))
    logger = logging.getLogger("apache_beam")
    logger.addHandler(handler)
    propagate, logger.propagate = logger.propagate, False
    try:
        with beam.Pipeline(options=options) as pipeline:
            yield pipeline
    except Exception as error:  # Runners wrap what a step raised in exceptions of their own.
        logger.exception("the pipeline stopped")
        raise PipelineError(
            f"the pipeline stopped: {_cause(error)}\nWhat was finished is kept; when the cause is mended, run the same "
            f"command again. Everything that Beam said is in {LOG}"
        ) from error
    finally:
        logger.propagate = propagate
        logger.removeHandler(handler)
        handler.close()


def _cause(error: BaseException) -> str:
    """The line of an error's text that names what was raised in a step; runners put whole tracebacks into it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    named = [line for line in lines if "Error" in line.split(":")[0] and " " not in line.split(":")[0]]
    return (named or lines or [type(error).__name__])[-1].removeprefix("RuntimeError: ")
