"""From the thresholds that judged to the scores and options that they were searched with: searched again, compared."""

from collections.abc import Iterator
from pathlib import Path

from drae_acceptance.calibration import calibrate
from drae_acceptance.errors import CalibrationError, TraceError
from drae_acceptance.score_files import read_score_set
from drae_acceptance.threshold_file import StoredThresholds, stored_digest
from drae_acceptance.threshold_history import HISTORY, read_history
from pipelines.params import Params

_AGAIN = "run python -m pipelines.calibrate, then python -m pipelines.evaluate"


def check_thresholds(params: Params, stored: StoredThresholds) -> Iterator[str]:
    """Searches the thresholds again on the calibration set's scores, and looks for them in the history.

    That the scores are those that the thresholds name was checked before, see `drae_acceptance.binding`.

    Args:
        params: the params file.
        stored: the thresholds that judged.

    Yields:
        What was found, in words.

    Raises:
        TraceError: other thresholds come out, or the history ends with others.
    """
    section = params.calibrate_params()
    scored = read_score_set(Path(params.score_folder(section.set)))
    came = stored_digest(calibrate(scored, stored.options), stored.options)
    if came != stored.digest:
        raise TraceError(
            f"broken link, thresholds to calibration scores: the thresholds are {stored.digest}, a search with their "
            f"options on the scores of {section.set} gives {came}; {_AGAIN}"
        )
    yield f"thresholds  {stored.digest}, as a search on the scores of {section.set} gives them again"
    yield f"  scores    of {section.set}: {scored.card.scores_sha256}"
    place = Path(section.folder, HISTORY)
    try:
        entries = read_history(place.read_bytes())
    except OSError as error:
        raise TraceError(f"broken link, thresholds to history: {place}: {error.strerror}; {_AGAIN}") from error
    except CalibrationError as error:
        raise TraceError(f"broken link, thresholds to history: {section.folder}: {error}") from error
    last = entries[-1] if entries else {}
    if last.get("thresholds_digest") != stored.digest:
        raise TraceError(
            f"broken link, thresholds to history: the thresholds are {stored.digest}, the last of {len(entries)} "
            f"entries in {place} is of {last.get('thresholds_digest')}; {_AGAIN}"
        )
    note = f" ({last['reason_note']})" if last.get("reason_note") else ""
    yield f"  history   entry {len(entries)}, reason: {last['reason']}{note}, author: {last['author']}"
