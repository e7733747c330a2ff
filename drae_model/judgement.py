"""What an acceptance says of a model, as sections of its card."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from drae_data.markdown import code, plain, table

# The levels above patches, with what is counted at each.
_LEVELS = {"vial": "vials", "strip": "strips in a run", "run": "strips over their runs"}
_RATES = {"accuracy": "accuracy", "accept_recall": "accept recall", "reject_recall": "reject recall"}
_NONE = "no samples"


@dataclass(frozen=True)
class Judgement:
    """An acceptance: the figures, and the thresholds that gave them.

    Attributes:
        kit: name, version and digest of the set that was judged.
        criteria: smallest share of strips confirmed, by rate; None where nothing was asked.
        confidence: of the intervals, above 0, below 1.
        metrics: the content of `metrics.json`.
        thresholds: the content of `thresholds.json`.
    """

    kit: Mapping[str, str]
    criteria: Mapping[str, float | None]
    confidence: float
    metrics: Mapping[str, Any]
    thresholds: Mapping[str, Any]


def acceptance_section(judged: Judgement) -> Iterator[str]:
    """Outcome, protocol and figures with the counts and intervals behind them."""
    metrics, kit = judged.metrics, judged.kit
    yield (
        f"**{plain(metrics['outcome'])}**, on {plain(kit['name'])} {plain(kit['version'])} (digest "
        f"{code(kit['digest'])}), protocol {plain(metrics['protocol'])}{_protocol(metrics)}."
    )
    asked = [f"{_RATES[name]} {value:g}" for name, value in judged.criteria.items() if value is not None]
    yield ""
    yield f"Asked of strips over their runs: {', '.join(asked) or 'nothing'}."
    yield ""
    for note in (*metrics["missing"], *metrics["warnings"]):
        yield f"- {plain(note)}"
    yield from table(
        ("level", *_RATES.values()),
        ((words, *(_rate(metrics[level], name) for name in _RATES)) for level, words in _LEVELS.items()),
        numbers=len(_RATES),
    )
    yield from table(
        ("region", *(f"patches: {words}" for words in _RATES.values()), "AUROC"),
        (
            (plain(region), *(_rate(found, name) for name in _RATES), _number(found["auroc"]))
            for region, found in metrics["patch"].items()
        ),
        numbers=len(_RATES) + 1,
    )
    if metrics["detection"]:
        yield from table(
            ("rejected, by type of defect", "patches", "strips in a run", "strips over their runs"),
            (
                (plain(defect), *(_share(found[name]) for name in ("patches", "runs", "strips")))
                for defect, found in metrics["detection"].items()
            ),
            numbers=3,
        )
    yield (
        f"In brackets: counts, and the exact interval of {judged.confidence:.4g} (Clopper-Pearson), which takes "
        "samples as independent; patches and runs of one strip are not. Invalid verdicts, of which none passes: "
        f"{metrics['invalid']:,}. Strips that count in no rate: {metrics['uncounted']:,}."
    )
    yield ""
    yield _people(metrics["knapp"])


def threshold_section(judged: Judgement) -> Iterator[str]:
    """The thresholds per level and region, and what they were searched on."""
    thresholds = judged.thresholds
    binding = thresholds["binding"]
    yield (
        f"A patch whose score is greater is rejected. Searched on the set {plain(binding['set'])} (digest "
        f"{code(binding['dataset_digest'])}), images {', '.join(map(plain, binding['images']))}; digest of the "
        f"thresholds {code(thresholds['digest'])}."
    )
    yield from table(
        ("level", "region", "how", "good", "defective", "threshold"),
        (
            (plain(level), plain(region), plain(one["how"]), f"{one['good']:,}", f"{one['defective']:,}",
             f"{one['value']:.6g}")
            for level, regions in thresholds["levels"].items()
            for region, one in regions.items()
        ),
        numbers=3,
    )  # fmt: skip


def limits_of(judged: Judgement) -> Iterator[str]:
    """What the figures cannot say, from the figures themselves."""
    metrics = judged.metrics
    if metrics["optimistic"]:
        yield "The judged strips chose the thresholds themselves: every figure is too good."
    runs = metrics["run"]["behind"]
    good, defective = runs["accept_recall"]["of"], runs["reject_recall"]["of"]
    yield f"The kit holds {good:,} good and {defective:,} defective strips; the intervals say how little that fixes."
    low = sorted(
        (found["strips"]["share"], defect)
        for defect, found in metrics["detection"].items()
        if found["strips"]["share"] is not None and found["strips"]["share"] < 1
    )
    if low:
        words = ", ".join(f"{plain(defect)} ({share:.0%} of its strips)" for share, defect in low)
        yield f"Types of defects that it does not always reject: {words}."
    without = [region for region, found in metrics["patch"].items() if not found["ranked"]["defective"]]
    if without:
        yield f"No labelled defects in the regions {', '.join(map(plain, without))}: nothing is known of them there."


def _protocol(metrics: Mapping[str, Any]) -> str:
    if metrics["optimistic"]:
        return ": optimistic, since the judged strips chose the thresholds"
    if metrics["protocol"] == "folds":
        return ": each strip was judged by thresholds that were searched without it"
    return ""


def _rate(found: Mapping[str, Any], name: str) -> str:
    return _with_counts(found[name], found["behind"][name])


def _share(found: Mapping[str, Any]) -> str:
    return _with_counts(found["share"], found)


def _with_counts(value: float | None, behind: Mapping[str, Any]) -> str:
    if value is None:
        return _NONE
    between = "" if behind["low"] is None else f", {behind['low']:.3f} to {behind['high']:.3f}"
    return f"{value:.4f} ({behind['count']:,} of {behind['of']:,}{between})"


def _number(value: float | None) -> str:
    return _NONE if value is None else f"{value:.4f}"


def _people(knapp: Mapping[str, Any]) -> str:
    """The comparison with human inspectors in a sentence."""
    if knapp["at_least_as_good"] is None:
        return "No comparison with human inspectors: their results are not there."
    words = "at least as good as" if knapp["at_least_as_good"] else "not as good as"
    return (
        f"By Knapp's method {words} human inspectors: reject zone efficiency {_number(knapp['rze_machine'])} against "
        f"{_number(knapp['rze_human'])}, rejects elsewhere {_number(knapp['rag_machine'])} against "
        f"{_number(knapp['rag_human'])}."
    )
