"""What a kit's verdicts add up to: every count by hand, what is invalid, and when evidence supports acceptance."""

from dataclasses import replace

import numpy as np
import pytest

from drae_acceptance.acceptance import INCOMPLETE as OPEN
from drae_acceptance.acceptance import NOT_SUPPORTED, SUPPORTED, Acceptance, accept
from drae_acceptance.acceptance_metrics import metrics
from drae_acceptance.acceptance_tables import acceptance_tables, criteria_table
from drae_acceptance.calibration import bind
from drae_acceptance.judging import judge
from drae_acceptance.options import LEVELS, AcceptanceOptions, ConfirmRule, Criteria
from drae_acceptance.report import headline, report_warnings, verdict_sentence
from drae_acceptance.score_table import ABSENT, INCOMPLETE, QUARANTINED, Acquired, ScoreSet
from drae_acceptance.threshold_set import Calibrated, RegionThreshold, ThresholdSet
from tests.small_scores import SmallStrip, small_set

RULE = ConfirmRule(2, 7, 10)
LOW, HIGH = 0.1, 0.9


def strip(name: str, label: str, scores: list[float], defect: str = "burn", region: str = "R0") -> SmallStrip:
    """A strip with one vial and two regions: a score of R0 for each run, and 0.1 in R1."""
    marked = {(0, region): defect} if label == "defective" else {}
    return SmallStrip(name, label, [{(0, "R0"): score, (0, "R1"): LOW} for score in scores], marked)


def kit() -> ScoreSet:
    """Good A is accepted in both runs, good B in one of them; defective C is rejected in both, D in none."""
    return small_set([
        strip("A", "good", [LOW, LOW]), strip("B", "good", [LOW, HIGH]),
        strip("C", "defective", [HIGH, HIGH]), strip("D", "defective", [LOW, LOW], "scratch"),
    ])  # fmt: skip


def accepted(
    scored: ScoreSet, protocol: str = "disjoint", human: bool | None = None, asked: Criteria | None = None,
    rule: ConfirmRule = RULE,
) -> Acceptance:  # fmt: skip
    """The acceptance with thresholds of 0.5 everywhere."""
    limits = {region: RegionThreshold(0.5, "searched", 1, 1) for region in scored.card.regions}
    calibrated = Calibrated(protocol, bind(scored.card), ("X",), ThresholdSet(dict.fromkeys(LEVELS, limits)), ())
    options = AcceptanceOptions(rule, 0.95, 200, 1, asked or Criteria(0.1, None, None))
    return accept(scored, calibrated, judge(scored, calibrated, rule), options, human, None)


def without_run(scored: ScoreSet, acquisition: str, state: str) -> ScoreSet:
    """The set with an acquisition that was refused, with no type of defect, or that is incomplete and has scores."""
    rows = tuple(
        replace(row, state=state, detail="why", defect=row.defect if state == INCOMPLETE else "")
        if row.acquisition == acquisition else row
        for row in scored.acquisitions
    )  # fmt: skip
    kept = scored.patches.acquisition != ("" if state == INCOMPLETE else acquisition)
    return ScoreSet(scored.card, scored.patches.take(kept), rows)


def counts(found: Acceptance, level: str) -> list[tuple[int, int]]:
    rates = getattr(found, level)
    return [(one.count, one.of) for one in (rates.accuracy, rates.accept_recall, rates.reject_recall)]


def test_every_level_counts_what_is_right() -> None:
    found = accepted(kit())
    # Strips in a run: A 2 of 2, B 1 of 2, C 2 of 2, D 0 of 2. Vials the same, and patches of R0.
    for level in ("strips", "vials"):
        assert counts(found, level) == [(5, 8), (3, 4), (2, 4)], level
    # Over their runs A and C are confirmed; B has one of two right, D none.
    assert counts(found, "runs") == [(2, 4), (1, 2), (1, 2)]
    rates = found.regions["R0"]
    assert (rates.accuracy.count, rates.accuracy.of, rates.reject_recall.count) == (5, 8, 2)
    # No patch of R1 is defective, and none is rejected.
    assert (found.regions["R1"].accept_recall.count, found.regions["R1"].reject_recall.of) == (8, 0)


def test_what_is_invalid_is_wrong_and_its_patches_take_no_part() -> None:
    for acquisition, state in (
        ("A/r0", INCOMPLETE),
        ("A/r0", QUARANTINED),
        ("C/r0", INCOMPLETE),
        ("C/r0", QUARANTINED),
    ):
        found = accepted(without_run(kit(), acquisition, state))
        good = acquisition.startswith("A")
        # One run less is right. The strip has one valid run of two that are required: it is not confirmed.
        assert counts(found, "strips") == [(4, 8), (3 - good, 4), (2 - (not good), 4)]
        assert counts(found, "runs") == [(1, 4), (1 - good, 2), (1 - (not good), 2)]
        assert counts(found, "vials") == [(4, 7), (3 - good, 4 - good), (2 - (not good), 4 - (not good))]
        assert (found.regions["R0"].accuracy.count, found.regions["R0"].accuracy.of) == (4, 7)
        assert [one.key for one in found.invalid] == [acquisition, acquisition[0]]


def test_invalid_runs_and_strips_count_as_not_detected() -> None:
    for state in (INCOMPLETE, QUARANTINED):
        found = {one.defect: one for one in accepted(without_run(kit(), "C/r0", state)).detections}
        assert list(found) == ["burn", "scratch"]
        burn = found["burn"]
        assert [(one.count, one.of) for one in (burn.patches, burn.runs, burn.strips)] == [(1, 1), (1, 2), (0, 1)]
        assert [(one.count, one.of) for one in (found["scratch"].runs, found["scratch"].strips)] == [(0, 2), (0, 1)]


def test_a_defective_strip_that_was_never_acquired_is_not_detected() -> None:
    scored = kit()
    for defect, name in (("", "type not stated"), ("crack,hole", "crack")):
        absent = Acquired("Z", "Z", -1, "defective", defect, float("nan"), ABSENT, "never seen")
        found = accepted(replace(scored, acquisitions=(*scored.acquisitions, absent)))
        one = next(one for one in found.detections if one.defect == name)
        assert [(rate.count, rate.of) for rate in (one.patches, one.runs, one.strips)] == [(0, 0), (0, 0), (0, 1)]
        assert counts(found, "runs") == [(2, 5), (1, 2), (1, 3)]


def test_how_well_scores_tell_defective_from_good_leaves_invalid_runs_out() -> None:
    whole = accepted(kit())
    # Defective R0 scores 0.9, 0.9, 0.1, 0.1 against good 0.1, 0.1, 0.1, 0.9. Pairs of 16 in order, ties half: each 0.9
    # 3 + 1/2, each 0.1 0 + 3/2: 2 x 3.5 + 2 x 1.5 = 10.
    assert whole.region_discriminations["R0"].auroc == pytest.approx(10 / 16)
    assert whole.discriminations["strip"].auroc == pytest.approx(10 / 16)
    # Without B's rejected run each 0.9 is in order with 3 of 3, each 0.1 with 3 halves: 2 x 3 + 2 x 1.5 = 9 of 12.
    left = accepted(without_run(kit(), "B/r1", INCOMPLETE))
    assert left.region_discriminations["R0"].auroc == pytest.approx(9 / 12)
    assert left.discriminations["strip"].auroc == pytest.approx(9 / 12)
    assert (left.discriminations["strip"].good, left.discriminations["strip"].defective) == (3, 4)


def test_a_region_of_any_name_hides_no_level() -> None:
    scored = kit()
    regions = np.where(scored.patches.region == "R0", "strip", "run")
    named = ScoreSet(
        replace(scored.card, regions=("run", "strip")), replace(scored.patches, region=regions), scored.acquisitions
    )
    found = accepted(named)
    assert list(found.region_discriminations) == ["run", "strip"]
    assert found.discriminations["strip"].good == 4
    values = metrics(found)
    assert values["strip"]["auroc"] == values["patch"]["strip"]["auroc"] == 0.625
    assert values["patch"]["run"]["auroc"] is None


MET, UNMET = Criteria(0.5, None, None), Criteria(0.5, 0.51, None)


@pytest.mark.parametrize(
    ("protocol", "asked", "human", "outcome"),
    [
        ("disjoint", MET, True, SUPPORTED), ("folds", MET, True, SUPPORTED), ("paper", MET, True, OPEN),
        ("disjoint", MET, None, OPEN), ("disjoint", MET, False, NOT_SUPPORTED), ("paper", MET, False, NOT_SUPPORTED),
        ("disjoint", UNMET, True, NOT_SUPPORTED), ("paper", UNMET, True, NOT_SUPPORTED),
        ("disjoint", UNMET, None, NOT_SUPPORTED), ("disjoint", Criteria(None, None, None), True, OPEN),
    ],
)  # fmt: skip
def test_the_outcome(protocol: str, asked: Criteria, human: bool | None, outcome: str) -> None:
    found = accepted(kit(), protocol, human, asked)
    assert found.outcome == outcome
    assert [one.met for one in found.criteria] == {id(MET): [True], id(UNMET): [True, False]}.get(id(asked), [])


@pytest.mark.parametrize(("asked", "met"), [(0.5, True), (0.500001, False)])
def test_a_criterion_is_met_from_its_number_on(asked: float, met: bool) -> None:
    (one,) = accepted(kit(), asked=Criteria(asked, None, None)).criteria
    assert (one.reached.value, one.met) == (0.5, met)
    row = criteria_table(accepted(kit(), asked=Criteria(asked, None, None))).rows[0]
    assert [cell.text for cell in row.cells] == [f"{asked:g}", "0.5000", "yes" if met else "no"]
    assert row.cells[1].detail == "2 of 4; exact 0.068 to 0.932"


@pytest.mark.parametrize("missing", ["good", "defective"])
@pytest.mark.parametrize("way", ["absent", "unknown", "invalid"])
def test_support_needs_a_valid_strip_of_each_label(missing: str, way: str) -> None:
    scored, easy = kit(), Criteria(0.0, None, None)
    assert accepted(scored, human=True, asked=easy).outcome == SUPPORTED
    other = scored.patches.strip_label != missing
    if way == "absent":
        rows = tuple(row for row in scored.acquisitions if row.strip_label != missing)
        scored = ScoreSet(scored.card, scored.patches.take(other), rows)
    elif way == "unknown":
        labels = np.where(other, scored.patches.strip_label, "unknown")
        rows = tuple(
            replace(row, strip_label="unknown") if row.strip_label == missing else row for row in scored.acquisitions
        )
        scored = ScoreSet(scored.card, replace(scored.patches, strip_label=labels), rows)
    else:
        for row in scored.acquisitions:
            if row.strip_label == missing:
                scored = without_run(scored, row.acquisition, INCOMPLETE)
    found = accepted(scored, human=True, asked=easy)
    assert found.outcome == OPEN
    assert found.missing == (f"no valid {missing} strip was judged",)
    assert f"no valid {missing} strip was judged" in verdict_sentence(found)


def test_a_criterion_without_samples_is_not_met() -> None:
    only_good = small_set([strip("A", "good", [LOW, LOW])])
    found = accepted(only_good, human=True, asked=Criteria(None, None, 0.0))
    assert (found.outcome, found.criteria[0].met) == (NOT_SUPPORTED, False)
    assert "no defective strips confirmed to count, 0 asked" in verdict_sentence(found)


def test_optimistic_stands_in_every_headline_and_sentence() -> None:
    found = accepted(kit(), "paper", True)
    assert headline(found) == "incomplete, optimistic"
    assert verdict_sentence(found) == (
        "The evidence is incomplete: 2 of 4 strips confirmed; 0.5000 of strips confirmed, 0.1 asked; at least as good "
        "as human inspectors; optimistic: the judged strips chose the thresholds."
    )
    assert headline(accepted(kit(), "folds", True)) == "supports acceptance, by folds"
    assert headline(accepted(kit(), "disjoint", True)) == "supports acceptance"
    assert "not as good as human inspectors" in verdict_sentence(accepted(kit(), "disjoint", False))


@pytest.mark.parametrize(("protocol", "note"), [("paper", "Optimistic: "), ("folds", "By folds: "), ("disjoint", "")])
def test_every_table_of_figures_says_how_its_thresholds_came_about(protocol: str, note: str) -> None:
    found = accepted(kit(), protocol)
    limits = {region: RegionThreshold(0.5, "searched", 1, 1) for region in ("R0", "R1")}
    tables = acceptance_tables(found, ThresholdSet(dict.fromkeys(LEVELS, limits)), RULE, 10)
    keys = {
        table.key
        for table in (*tables, criteria_table(found))
        if table.notes and note and table.notes[0].startswith(note)
    }
    assert keys == ({"table1", "table2", "table3", "defects", "discrimination", "criteria"} if note else set())
    # After that of the protocol stands what is to say of the kit: R1 is flat there.
    assert [text.split(": ")[0] for text in report_warnings(found)] == [*([note[:-2]] if note else []), "Region R1"]
    assert metrics(found)["protocol"] == protocol


def test_what_is_said_of_scores_that_are_all_equal() -> None:
    flat = small_set([strip("A", "good", [LOW, LOW]), strip("C", "defective", [LOW, LOW])])
    assert accepted(flat).warnings == tuple(
        f"Region {region}: all scores of the kit are equal, 0.1; nothing is told apart there."
        for region in ("R0", "R1")
    )
    # R1 alone is flat in the kit that tells R0 apart.
    assert [text[:9] for text in accepted(kit()).warnings] == ["Region R1"]


def test_metrics_hold_counts_and_intervals_behind_every_rate() -> None:
    values = metrics(accepted(kit()))
    assert values["run"]["accept_recall"] == 0.5
    # Clopper-Pearson of 1 of 2: 1 - 0.975^(1/2) = 0.012579 to 0.975^(1/2) = 0.987421; no bootstrap of single samples.
    assert values["run"]["behind"]["accept_recall"] == {
        "count": 1, "of": 2, "low": 0.012579, "high": 0.987421, "strip_low": None, "strip_high": None,
    }  # fmt: skip
    behind = values["strip"]["behind"]["accuracy"]
    assert (behind["count"], behind["of"], behind["strip_low"] is not None) == (5, 8, True)
    assert values["detection"]["burn"]["runs"]["share"] == 1.0
    assert [values["detection"]["scratch"][name]["count"] for name in ("patches", "runs", "strips")] == [0, 0, 0]
    assert values["strip"]["ranked"] == {"good": 4, "defective": 4}
    assert values["missing"] == ["comparison with human inspectors not available"]


def test_strips_of_other_labels_count_in_no_rate() -> None:
    scored = kit()
    labels = np.where(scored.patches.strip == "D", "excluded", scored.patches.strip_label)
    rows = tuple(replace(row, strip_label="excluded") if row.strip == "D" else row for row in scored.acquisitions)
    found = accepted(ScoreSet(scored.card, replace(scored.patches, strip_label=labels), rows))
    assert counts(found, "strips") == [(5, 6), (3, 4), (2, 2)]
    assert [one.strip for one in found.uncounted] == ["D"]
    assert report_warnings(found)[-1] == "Strips that count in no rate, neither good nor defective: 1."


def test_the_papers_values_stand_beside_ours_with_all_their_places() -> None:
    limits = {region: RegionThreshold(0.5, "searched", 3, 4) for region in ("R0", "R1")}
    tables = acceptance_tables(accepted(kit()), ThresholdSet(dict.fromkeys(LEVELS, limits)), RULE, 10)
    shown = {table.key: {row.name: row.cells[0] for row in table.rows} for table in tables[:3]}
    assert shown["table3"]["Threshold R1"].paper == "0.034650"
    assert shown["table3"]["Threshold R1"].detail == "searched; 3 good, 4 defective"
    assert shown["table3"]["Accuracy"].paper == "0.9641"
    times = (
        shown["table2"]["Mean inference time of a product (s)"],
        shown["table2"]["Maximum inference time of a product (s)"],
    )
    assert [(cell.text, cell.paper) for cell in times] == [("not measured", "0.4873"), ("not measured", "")]
