"""Which model and thresholds the line shall judge with: `judge.json` in the line's folder, and the way back.

The line looks at it between slots. Without it model and thresholds are those of the params file.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from drae_acceptance.errors import CalibrationError
from drae_acceptance.threshold_file import read_thresholds
from drae_data.local_files import LocalFiles
from drae_line.errors import JudgeError
from drae_model.errors import ModelError
from drae_model.model_card import model_digest

CHOICE = "judge.json"


@dataclass(frozen=True)
class JudgeChoice:
    """A model and thresholds.

    Attributes:
        model: folder of the model.
        model_digest: that it must have.
        thresholds: place of the `thresholds.json`.
        thresholds_digest: that it must have.
    """

    model: str
    model_digest: str
    thresholds: str
    thresholds_digest: str

    def check(self) -> None:
        """Raises `JudgeError` where what lies there now is not what was chosen."""
        now = choice_of(Path(self.model), Path(self.thresholds))
        for what, expected, came in (
            (self.model, self.model_digest, now.model_digest),
            (self.thresholds, self.thresholds_digest, now.thresholds_digest),
        ):
            if expected != came:
                raise JudgeError(
                    f"{what}: expected the digest {expected}, which was chosen for the line, got {came}: it was "
                    "replaced since. Choose again with python -m pipelines.swap_judge, and keep a line's models in "
                    "folders of their own"
                )


def choice_of(model: Path, thresholds: Path) -> JudgeChoice:
    """A model and thresholds as they are now; raises `JudgeError` where one is absent or damaged."""
    try:
        return JudgeChoice(str(model), model_digest(model), str(thresholds), read_thresholds(thresholds).digest)
    except (ModelError, CalibrationError) as error:
        raise JudgeError(str(error)) from error


def read_choice(folder: Path) -> tuple[JudgeChoice | None, JudgeChoice | None]:
    """What was chosen, and what before it; None where there is nothing; raises `JudgeError`.

    Args:
        folder: of the line.
    """
    place = folder / CHOICE
    try:
        values: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
        before = values["before"]
        return _parse(values["now"]), None if before is None else _parse(before)
    except FileNotFoundError:
        return None, None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise JudgeError(
            f"{place}: expected a choice of model and thresholds, got {error!r}; remove it to judge with those of the "
            "params file, or choose with python -m pipelines.swap_judge"
        ) from error


def _parse(values: Any) -> JudgeChoice:
    """Raises TypeError."""
    if wrong := [value for value in values.values() if not isinstance(value, str)]:
        raise TypeError(f"expected text, got {wrong[0]!r}")
    return JudgeChoice(**values)


def write_choice(folder: Path, now: JudgeChoice, before: JudgeChoice | None) -> None:
    """Chooses; the line follows between two slots.

    Args:
        folder: of the line.
        now: what shall judge.
        before: what judged until now, for the way back.
    """
    values = {"now": asdict(now), "before": None if before is None else asdict(before)}
    LocalFiles(str(folder)).write(CHOICE, [(json.dumps(values, indent=2) + "\n").encode()])
