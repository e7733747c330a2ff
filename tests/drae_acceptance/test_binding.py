"""Whether thresholds may judge a kit: what must agree, and strips that both sets share, under whatever name."""

from dataclasses import replace

import pytest

from drae_acceptance.binding import check_binding, check_protocol
from drae_acceptance.calibration import bind, calibrate
from drae_acceptance.errors import BindingError
from drae_acceptance.score_table import ScoreSet
from tests.small_calibration import options, small, strip
from tests.small_scores import small_set


def test_shared_strips_are_refused_and_named() -> None:
    found = calibrate(small(), options())
    kit = small_set([strip("A", "good", 0.1, 0.3), strip("X", "good", 0.1, 0.3)], dataset="k" * 64)
    with pytest.raises(BindingError, match=r"got 1 in both: A\. Take other strips, or set calibrate\.protocol"):
        check_protocol(found, kit, ())
    check_protocol(found, small_set([strip("X", "good", 0.1, 0.3)], dataset="k" * 64), ())


def test_the_protocols_of_the_kit_itself_need_the_kit() -> None:
    for protocol in ("paper", "folds"):
        found = calibrate(small(), options(protocol=protocol))
        assert found.optimistic == (protocol == "paper")
        check_protocol(found, small(), ())
        with pytest.raises(BindingError, match=f"protocol {protocol}: expected calibrate.set to be the kit itself"):
            check_protocol(found, small_set([strip("X", "good", 0.1, 0.3)], dataset="k" * 64), ())


@pytest.mark.parametrize(
    ("whose", "name", "words"),
    [
        ("kit", "model_digest", "expected those of the model zz"), ("kit", "layout_digest", "of the strip layout zz"),
        ("kit", "score", "expected scores of one kind"), ("calibration", "labels_digest", "of the labels zz"),
        ("calibration", "scores_sha256", "of the scores zz"), ("calibration", "split", "of the card"),
        ("calibration", "dataset", "of the dataset zz"), ("calibration", "set", "of the calibration set zz"),
    ],
)  # fmt: skip
def test_anything_else_than_what_they_were_searched_on_is_refused(whose: str, name: str, words: str) -> None:
    card = small().card
    found = calibrate(small(), options())
    check_binding(found, card, card)
    value: object = {"dataset": {"digest": "zz"}, "score": {"definition": "another"}}.get(name, "zz")
    cards = {"kit": card, "calibration": card, whose: replace(card, **{name: value})}  # type: ignore[arg-type]
    with pytest.raises(BindingError, match=words):
        check_binding(found, cards["kit"], cards["calibration"])


def test_both_sets_are_scored_and_labelled_alike() -> None:
    card = small().card
    for name, value, words in (
        ("images", ("max",), "expected the same images, got ['f00'] in calibration and ['max']"),
        ("vials", 5, "expected the same vials, got 1 in calibration and 5"),
        ("regions", ("R0",), "expected the same regions, got ['R0', 'R1'] in calibration and ['R0']"),
        ("unlabelled_parts", "unknown", "got good in calibration and unknown"),
    ):  # fmt: skip
        kit = replace(card, set="kit", **{name: value})  # type: ignore[arg-type]
        with pytest.raises(BindingError) as caught:
            check_binding(calibrate(small(), options()), kit, card)
        assert words in str(caught.value)


def test_they_are_bound_to_everything_that_the_card_says() -> None:
    card = small().card
    for name, value in (("scores_sha256", "z"), ("acquisitions_sha256", "z"), ("split", "train"), ("left_out", ("X",))):
        other = replace(card, **{name: value})  # type: ignore[arg-type]
        assert bind(other) != bind(card), name


def framed(scored: ScoreSet, *frames: str) -> ScoreSet:
    """A set whose acquisitions have these frames, one after the other."""
    pairs = zip(scored.acquisitions, frames, strict=True)
    return replace(scored, acquisitions=tuple(replace(row, frames=(f"{row.strip}x", frame)) for row, frame in pairs))


def test_the_same_frames_under_another_name_are_refused() -> None:
    found = calibrate(small(), options())
    calibration = framed(small(), *"abcdefgh").acquisitions
    kit = small_set([strip("X", "good", 0.1, 0.3)], dataset="k" * 64)
    check_protocol(found, framed(kit, "y", "z"), calibration)
    with pytest.raises(BindingError, match=r"got 1 with the same frame files under other names: X/r1 as B/r0\."):
        check_protocol(found, framed(kit, "y", "c"), calibration)
    # Where the kit chose its thresholds itself, its frames are the calibration's.
    for protocol in ("paper", "folds"):
        check_protocol(calibrate(small(), options(protocol=protocol)), framed(small(), *"abcdefgh"), calibration)
