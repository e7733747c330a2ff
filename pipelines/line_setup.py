"""What the commands of the line open alike: its section of the params file, its set, and what judges."""

import pipelines.quiet_tensorflow  # noqa: F401

# isort: split
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from drae_acceptance.threshold_file import THRESHOLDS
from drae_data.options import DatasetOptions
from drae_line.errors import JudgeError
from drae_line.judge import Judge, load_judge
from drae_line.judge_choice import JudgeChoice, choice_of, read_choice
from drae_line.line import LineOptions
from pipelines.params import Params
from pipelines.params_line import LineParams
from pipelines.set_inputs import set_inputs


@dataclass(frozen=True)
class LineSetup:
    """The line, ready to be begun.

    Attributes:
        section: of the params file.
        line: how it works.
        options: of the set whose acquisitions come.
        default: model and thresholds of the params file: folder and place.
    """

    section: LineParams
    line: LineOptions
    options: DatasetOptions
    default: tuple[Path, Path]

    def chosen(self) -> JudgeChoice:
        """What shall judge; raises `JudgeError`."""
        now, _ = read_choice(self.line.folder)
        return choice_of(*self.default) if now is None else now

    def load(self, choice: JudgeChoice) -> Judge:
        """Loads what was chosen; raises `JudgeError` where it was replaced since, or does not belong together."""
        choice.check()
        judge = load_judge(Path(choice.model), Path(choice.thresholds), self.options)
        if (judge.model_digest, judge.thresholds_digest) != (choice.model_digest, choice.thresholds_digest):
            raise JudgeError(f"{name_of(choice)}: they were replaced while they were loaded; choose again")
        return judge

    def wanted(self, begun: JudgeChoice) -> tuple[str, Callable[[], Judge]]:
        """As `Swaps` asks: what was chosen with swap_judge, else what the line began with, and how it is loaded."""
        now, _ = read_choice(self.line.folder)
        choice = begun if now is None else now
        return name_of(choice), lambda: self.load(choice)


def name_of(choice: JudgeChoice) -> str:
    """Names a model and thresholds for people."""
    return f"{choice.model} ({choice.model_digest[:12]}) and {choice.thresholds} ({choice.thresholds_digest[:12]})"


def line_setup(params: Params, folder: Path | None = None) -> LineSetup:
    """Opens the line.

    Args:
        params: the params file.
        folder: see `LineParams.below`.

    Raises:
        ParamsError, OptionError: a section is missing or wrong.
    """
    section = params.line_params().below(folder)
    line = LineOptions(
        incoming=Path(section.incoming), folder=Path(section.folder),
        settle_seconds=float(section.settle_seconds), patience_seconds=float(section.patience_seconds),
    )  # fmt: skip
    default = Path(params.train_params().folder), Path(params.calibrate_params().folder, THRESHOLDS)
    return LineSetup(section, line, set_inputs(params, section.set).options, default)
