"""How a stage's pipeline runs: the local default, and any runner by Beam's own flags."""

from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions

from drae_data.errors import OptionError

# One in-process worker; the parallelism is a thread pool inside each element's function. Beam's DirectRunner would
# first look for a runner to download.
_LOCAL = ["--runner=FnApiRunner", "--direct_running_mode=in_memory"]


def beam_options(flags: list[str]) -> PipelineOptions:
    """Beam's options from the flags that a stage did not know itself.

    Args:
        flags: such as `--runner=FlinkRunner` or `--direct_running_mode=multi_processing --direct_num_workers=2`.

    Raises:
        OptionError: `multi_threading`, which loses elements without an error.
    """
    given = {flag.split("=", 1)[0] for flag in flags}
    defaults = [flag for flag in _LOCAL if flag.split("=", 1)[0] not in given]
    options = PipelineOptions([*flags, *defaults])
    if options.view_as(DirectOptions).direct_running_mode == "multi_threading":
        raise OptionError(
            "--direct_running_mode", "multi_threading",
            "'in_memory' or 'multi_processing': the other mode of Beam loses elements without a word",
        )  # fmt: skip
    return options
