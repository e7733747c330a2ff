"""What a reader must know of how calibration and judgement shared strips, in the same words everywhere."""

from drae_acceptance.options import DISJOINT, FOLDS, PAPER

OPTIMISTIC = "Optimistic: the judged strips chose these thresholds themselves, as in the paper."
BY_FOLDS = (
    "By folds: each strip was judged by thresholds that were searched without it; those shown are of all strips "
    "together."
)
_NOTES = {DISJOINT: (), PAPER: (OPTIMISTIC,), FOLDS: (BY_FOLDS,)}
_WORDS = {DISJOINT: "", PAPER: "optimistic", FOLDS: "by folds"}


def protocol_notes(protocol: str) -> tuple[str, ...]:
    """Sentences to stand with every figure; none where kit and calibration share no strip."""
    return _NOTES[protocol]


def with_protocol(title: str, protocol: str) -> str:
    """A title with `optimistic` or `by folds` after it; as it is where kit and calibration share no strip."""
    return f"{title}, {_WORDS[protocol]}" if _WORDS[protocol] else title
