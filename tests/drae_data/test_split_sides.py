"""Sides: whole strips, whole blocks, exact shares; what is not named decides nothing."""

import os
import subprocess
import sys
from collections import defaultdict
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drae_data.acquisition import AcquisitionKey
from drae_data.errors import OptionError
from drae_data.listing import ListedAcquisition
from drae_data.options import SplitOptions
from drae_data.shard_plan import plan_shards
from drae_data.split_sides import natural_order, nearest, split_units
from tests.small_line import small_options

KEYS = st.builds(
    AcquisitionKey, st.sampled_from(["S1", "S2", "S02", "S10", "x"]), st.integers(0, 2),
    st.sampled_from(["", "1", "2"]), st.just(""), st.sampled_from(["", "a", "b"]),
)  # fmt: skip


def sides_of(keys: list[AcquisitionKey], split: SplitOptions) -> dict[AcquisitionKey, str]:
    listed = [ListedAcquisition(key, str(key)) for key in sorted(keys)]
    plan = plan_shards(listed, small_options(split=split))
    return {item.key: task.split for task in plan.tasks for item in task.acquisitions}


def blocks(strips: int, size: int) -> SplitOptions:
    return SplitOptions("blocks", Fraction(1, 4), strips, block_strips=size)


def test_strips_are_in_the_order_that_people_count() -> None:
    names = ["S10", "S2", "S1", "B2/S1", "B10/S1", "S2b", "S"]
    assert sorted(names, key=natural_order) == ["B2/S1", "B10/S1", "S", "S1", "S2", "S2b", "S10"]


def test_neighbours_are_in_one_block() -> None:
    keys = [AcquisitionKey(f"S{number}", run) for number in range(1, 13) for run in range(2)]
    units = split_units(keys, blocks(1, 5), {})
    assert {units[f"S{number}"] for number in range(1, 6)} == {"S1"}
    assert {units[f"S{number}"] for number in range(6, 11)} == {"S6"}
    assert units["S11"] == units["S12"] == "S11"


@given(st.integers(2, 40), st.integers(1, 7), st.integers(0, 99))
def test_a_block_is_on_one_side_and_the_share_of_blocks_is_exact(strips: int, size: int, seed: int) -> None:
    split = SplitOptions("blocks", Fraction(1, 4), seed, block_strips=size)
    found = sides_of([AcquisitionKey(f"S{number}", 0) for number in range(strips)], split)
    by_block = defaultdict(set)
    for key, side in found.items():
        by_block[int(key.strip[1:]) // size].add(side)
    assert all(len(sides) == 1 for sides in by_block.values())
    count = len(by_block)
    validation = sum(sides == {"validation"} for sides in by_block.values())
    # A quarter, halves up; of two or more blocks neither side is empty.
    assert validation == (min(max((count + 2) // 4, 1), count - 1) if count > 1 else (count + 2) // 4)


@given(st.sets(KEYS, min_size=2), st.integers(0, 9), st.sampled_from(["strip", "blocks"]))
def test_runs_and_stations_of_a_strip_are_on_one_side(keys: set[AcquisitionKey], seed: int, by: str) -> None:
    split = SplitOptions(by, Fraction(1, 3), seed, block_strips=2 if by == "blocks" else 0)
    by_strip = defaultdict(set)
    for key, side in sides_of(list(keys), split).items():
        by_strip[key.batch, key.strip].add(side)
    assert all(len(sides) == 1 for sides in by_strip.values())


def test_the_same_id_in_two_batches_is_two_strips() -> None:
    """Ten ids in two batches are 20 strips: 4 in validation, and some id is on both sides."""
    keys = [AcquisitionKey(f"S{number}", 0, batch) for number in range(10) for batch in "12"]
    found = sides_of(keys, SplitOptions("strip", Fraction(1, 5), 7))
    assert sum(side == "validation" for side in found.values()) == 4
    by_id = defaultdict(set)
    for key, side in found.items():
        by_id[key.strip].add(side)
    assert any(len(sides) == 2 for sides in by_id.values())


@pytest.mark.parametrize("by", ["strip", "blocks"])
def test_sides_do_not_depend_on_the_hashes_of_texts(by: str) -> None:
    """S2 and S02 are equal as numbers; Python's sets have another order in each process."""
    program = (
        "from tests.drae_data.test_split_sides import *\n"
        "keys = [AcquisitionKey(f'S{zeros}{number}', 0) for number in range(9) for zeros in ('', '0', '00')]\n"
        f"split = SplitOptions({by!r}, Fraction(1, 3), 1, block_strips={2 if by == 'blocks' else 0})\n"
        "print(sorted(map(str, sides_of(keys, split).items())))\n"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }  # fmt: skip
    assert len(found) == 1


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_nearest_rounds_halves_up_in_whole_numbers(numerator: int, denominator: int) -> None:
    assert nearest(Fraction(numerator, denominator)) == (2 * numerator + denominator) // (2 * denominator)


@pytest.mark.parametrize(
    "values",
    [("strips", 0, 0, ""), ("blocks", 0, 0, ""), ("strip", 0, 2, ""), ("list", 0, 0, ""), ("strip", 0, 0, "a.csv"),
     ("none", 1, 0, ""), ("list", 1, 0, "a.csv")],
)  # fmt: skip
def test_splits_that_cannot_be_meant_are_refused(values: tuple[str, int, int, str]) -> None:
    by, tenths, block_strips, file = values
    with pytest.raises(OptionError, match="split"):
        SplitOptions(by, Fraction(tenths, 10), 1, block_strips, file)
