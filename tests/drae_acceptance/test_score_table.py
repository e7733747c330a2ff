"""A scored set whose patches, acquisitions and card do not fit together is refused with words."""

from dataclasses import replace

import numpy as np
import pytest

from drae_acceptance.errors import ScoreError
from drae_acceptance.score_table import ABSENT, INCOMPLETE, QUARANTINED, ScoreSet
from tests.small_calibration import small, strip
from tests.small_scores import small_set


def refused(scored: ScoreSet, **changes: object) -> str:
    with pytest.raises(ScoreError) as caught:
        replace(scored, **changes)  # type: ignore[arg-type]
    return str(caught.value)


def test_patches_of_an_acquisition_that_is_not_listed() -> None:
    assert "expected patches of listed acquisitions, got those of A/r0" in refused(
        small(), acquisitions=small().acquisitions[1:]
    )


def test_an_acquisition_that_is_listed_twice() -> None:
    rows = small().acquisitions
    assert "expected each acquisition once, got some twice: A/r0" in refused(small(), acquisitions=(rows[0], *rows))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"regions": ("R0",)}, "regions of its card, got those of R1"), ({"images": ()}, "images of its card"),
        ({"vials": 0}, "vials of its card, got those of 0"),
    ],
)  # fmt: skip
def test_patches_that_the_card_does_not_know(changes: dict[str, object], words: str) -> None:
    assert words in refused(small(), card=replace(small().card, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["strip", "run", "strip_label"])
def test_patches_and_acquisitions_that_disagree(name: str) -> None:
    columns = {"strip": "B", "run": 7, "strip_label": "unknown"}
    values = getattr(small().patches, name).copy()
    values[0] = columns[name]
    message = refused(small(), patches=replace(small().patches, **{name: values}))
    assert "expected strip, run and label of patches as listed, got ('A/r0'" in message


def test_a_valid_acquisition_without_one_of_its_patches() -> None:
    scored = small()
    assert "got 1 of A/r0, which is valid" in refused(scored, patches=scored.patches.take(np.arange(1, 16)))
    without = scored.patches.take(scored.patches.strip != "C")
    assert "2 patches of a valid acquisition" in refused(scored, patches=without)


@pytest.mark.parametrize(("state", "allowed"), [(INCOMPLETE, True), (QUARANTINED, False), (ABSENT, False)])
def test_patches_of_an_acquisition_that_is_not_valid(state: str, allowed: bool) -> None:
    scored = small()
    rows = (replace(scored.acquisitions[0], state=state), *scored.acquisitions[1:])
    if allowed:
        assert replace(scored, acquisitions=rows, patches=scored.patches.take(np.arange(1, 16))).acquisitions == rows
    else:
        assert f"got 2 of A/r0, which is {state}" in refused(scored, acquisitions=rows)
        assert replace(scored, acquisitions=rows, patches=scored.patches.take(np.arange(2, 16))).acquisitions == rows


def test_each_station_has_all_patches() -> None:
    one = small_set([strip("A", "good", 0.1, 0.3, runs=1)])
    patches = one.patches
    both = type(patches)(**{
        name: np.concatenate([column, np.full(2, "station=2/A/r0") if name == "acquisition" else column])
        for name, column in vars(patches).items()
    })  # fmt: skip
    rows = (*one.acquisitions, replace(one.acquisitions[0], acquisition="station=2/A/r0"))
    assert len(ScoreSet(one.card, both, rows).patches) == 4
    assert "got 1 of station=2/A/r0" in refused(ScoreSet(one.card, both, rows), patches=both.take(np.arange(3)))
