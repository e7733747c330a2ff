"""The confirmation rule in whole numbers, and options that cannot be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drae_acceptance.options import ConfirmRule
from drae_data.errors import OptionError


@given(st.integers(1, 60), st.integers(6, 10))
def test_the_needed_runs_are_the_fewest_that_confirm(valid: int, at_least: int) -> None:
    rule = ConfirmRule(1, at_least, 10)
    confirming = [right for right in range(valid + 1) if 10 * right >= at_least * valid]
    assert rule.needed(valid) == confirming[0]
    assert [right for right in range(valid + 1) if rule.confirmed(right, valid)] == confirming
    assert rule.needed(np.array([valid, valid])).tolist() == [confirming[0]] * 2


@pytest.mark.parametrize(("right", "valid", "confirmed"), [(9, 9, False), (7, 10, True), (6, 10, False), (8, 11, True)])
def test_fewer_valid_runs_than_required_confirm_nothing(right: int, valid: int, confirmed: bool) -> None:
    assert ConfirmRule(10, 7, 10).confirmed(right, valid) is confirmed


@pytest.mark.parametrize("rule", [(0, 7, 10), (10, 0, 10), (10, 11, 10), (10, 5, 10)])
def test_a_rule_that_confirms_nothing_or_both_labels_is_refused(rule: tuple[int, int, int]) -> None:
    with pytest.raises(OptionError, match=r"acceptance\."):
        ConfirmRule(*rule)
