"""Whether thresholds may judge a kit: they belong to its scores and to the calibration set, which share no strip.

A threshold is good for the scores of one model, one layout and one way to count labels, and says something of a kit
only where the kit had no part in choosing it.
"""

from collections.abc import Sequence

from drae_acceptance.errors import BindingError
from drae_acceptance.names import first_names
from drae_acceptance.options import DISJOINT, FOLDS, PAPER
from drae_acceptance.score_table import Acquired, ScoreCard, ScoreSet
from drae_acceptance.threshold_set import Calibrated


def check_binding(calibrated: Calibrated, kit: ScoreCard, calibration: ScoreCard) -> None:
    """Whether thresholds belong to the scores that they shall judge, and to the calibration set as it is now.

    Args:
        calibrated: the thresholds.
        kit: card of the scores to judge.
        calibration: card of the scores of the calibration set.

    Raises:
        BindingError: model or layout are not the kit's; set, dataset, labels or scores not the calibration set's; or
            both sets were scored or labelled in different ways.
    """
    binding, again = calibrated.binding, "run python -m pipelines.calibrate"
    rescore = f"run python -m pipelines.score --set {kit.set}, then python -m pipelines.calibrate"
    here, there = f"scores of {kit.set}", f"scores of {calibration.set}"
    for what, ours, theirs, place, advice in (
        ("model", binding.model_digest, kit.model_digest, here, rescore),
        ("strip layout", binding.layout_digest, kit.layout_digest, here, rescore),
        ("calibration set", binding.set, calibration.set, "scores of calibrate.set", again),
        ("model", binding.model_digest, calibration.model_digest, there, again),
        ("dataset", binding.dataset_digest, calibration.dataset["digest"], there, again),
        ("labels", binding.labels_digest, calibration.labels_digest, there, again),
        ("scores", binding.scores_sha256, calibration.scores_sha256, there, again),
        ("card", binding.card_digest, calibration.digest, there, again),
    ):
        if ours != theirs:
            raise BindingError(f"thresholds: expected those of the {what} {theirs} ({place}), got {ours}; {advice}")
    alike: tuple[tuple[str, object, object, str], ...] = (
        ("scores of one kind", dict(calibration.score), dict(kit.score), rescore),
        ("the same images", list(calibration.images), list(kit.images), f"build both sets alike, then {rescore}"),
        ("the same vials", calibration.vials, kit.vials, f"build both sets alike, then {rescore}"),
        ("the same regions", list(calibration.regions), list(kit.regions), f"build both sets alike, then {rescore}"),
        ("labels counted alike (score.unlabelled_parts)", calibration.unlabelled_parts, kit.unlabelled_parts,
         f"score both sets again, then {again}"),
    )  # fmt: skip
    for what, first, second, advice in alike:
        if first != second:
            raise BindingError(
                f"thresholds: expected {what}, got {first} in {calibration.set} and {second} in {kit.set}; {advice}"
            )


def check_protocol(calibrated: Calibrated, kit: ScoreSet, calibration: Sequence[Acquired]) -> None:
    """Whether calibration set and kit share strips as the protocol says.

    A strip is shared where its name is, or any of its frame files under whatever name.

    Args:
        calibrated: the thresholds.
        kit: to be judged.
        calibration: acquisitions of the calibration set.

    Raises:
        BindingError: with the protocol `disjoint` some strips are in both; with the others the kit is another set.
    """
    if calibrated.protocol != DISJOINT:
        if calibrated.binding.dataset_digest != kit.card.dataset["digest"]:
            raise BindingError(
                f"protocol {calibrated.protocol}: expected calibrate.set to be the kit itself, {kit.card.set}, got "
                f"{calibrated.binding.set}; set calibrate.set: {kit.card.set}, or calibrate.protocol: {DISJOINT}"
            )
        return
    advice = (
        f"Take other strips, or set calibrate.protocol to {FOLDS} (each strip by the others' thresholds) or to {PAPER} "
        "(the kit's own, optimistic)"
    )
    wanted = f"protocol {DISJOINT}: expected other strips in {calibrated.binding.set} than in {kit.card.set}"
    shared = sorted(set(calibrated.strips) & set(kit.patches.strip.tolist()))
    if shared or calibrated.binding.dataset_digest == kit.card.dataset["digest"]:
        raise BindingError(f"{wanted}, got {len(shared)} in both: {first_names(shared)}. {advice}")
    frames = {frame: row.acquisition for row in calibration for frame in row.frames}
    copies = {
        row.strip: f"{row.acquisition} as {frames[frame]}"
        for row in kit.acquisitions
        for frame in row.frames
        if frame in frames
    }
    if copies:
        pairs = first_names(sorted(copies.values()))
        raise BindingError(
            f"{wanted}, got {len(copies)} with the same frame files under other names: {pairs}. {advice}"
        )
