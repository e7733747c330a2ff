"""Plans of made-up strips: where a strip of many runs goes, what it does to the split, and what simulations report."""

from collections import Counter

import pytest

from benchmarks.planned_shards import (
    RUNS,
    first_strip,
    plan_strips,
    shard_loads,
    spread,
    strip_name,
    validation_share,
)
from benchmarks.skew import HEAVY, SLOW, heavy_strips, schedules
from tests.small_line import small_options

# 20 patches an acquisition, a fifth of the strips in validation.
OPTIONS = small_options()
STRIPS = 20


def test_equal_strips_fill_shards_that_differ_by_one_acquisition() -> None:
    plan = plan_strips(STRIPS, OPTIONS, shard_patches=60)
    assert sum(shard_loads(plan, OPTIONS)) == STRIPS * RUNS * 20
    assert set(shard_loads(plan, OPTIONS)) <= {40, 60}
    assert validation_share(plan) == 0.2  # 4 of 20 strips


@pytest.mark.parametrize("side", ["train", "validation"])
def test_a_strip_of_many_runs_stays_on_its_side_and_spreads_over_its_shards(side: str) -> None:
    strip = first_strip(plan_strips(STRIPS, OPTIONS, 60), side)
    plan = plan_strips(STRIPS, OPTIONS, 60, strip, HEAVY)

    # Counted again, over the plan's rows.
    shards = Counter(row.shard for row in plan.rows() if row.strip == strip)
    sides = {row.split for row in plan.rows() if row.strip == strip}
    found = spread(plan, strip)
    assert sides == {side}
    assert found.sides == 1
    assert found.acquisitions == shards.total() == RUNS * HEAVY
    assert (found.shards, found.most) == (len(shards), max(shards.values()))
    assert found.split_shards == len({row.shard for row in plan.rows() if row.split == side})
    # 1,000 of the 1,150 (train) or 1,030 (validation) acquisitions of its side: nearly every shard of 3 has some.
    assert found.shards > 0.95 * found.split_shards
    assert max(shard_loads(plan, OPTIONS)) == 60


def test_the_split_counts_strips_so_a_heavy_one_moves_the_share_of_acquisitions() -> None:
    equal, found = heavy_strips(STRIPS, 60, OPTIONS)
    assert equal == 0.2
    # 4 strips of validation with 40 acquisitions, 160 in train; one strip has 990 more.
    assert {row.side: row.share for row in found} == {"train": 40 / 1190, "validation": 1030 / 1190}


def test_no_strip_is_heavy_unless_it_is_named() -> None:
    assert plan_strips(3, OPTIONS, 60) == plan_strips(3, OPTIONS, 60, "", HEAVY)
    assert sum(map(len, (task.acquisitions for task in plan_strips(3, OPTIONS, 60, strip_name(2), 2).tasks))) == 40


def test_simulations_of_every_case_and_size() -> None:
    found = schedules(STRIPS, 4, (20, 200), OPTIONS)
    assert len(found) == 2 * 4
    rows = {(row.shard_patches, row.case.split(",")[0]): row for row in found}
    # 200 shards of one acquisition over 4 workers: 50 each, without a rest.
    assert rows[20, "equal strips"].queue == rows[20, "equal strips"].dealt == 1.0
    # 200 patches are 10 acquisitions: 4 shards of validation and 16 of train, 5 to each worker.
    assert rows[200, "equal strips"].shards == 20
    assert rows[200, "equal strips"].queue == 1.0
    slow = f"a worker {SLOW:.0f} times slower"
    # Dealt out it has 50 shards, 500 units; together they do 3.1 units a unit of time: 200 / 3.1.
    assert rows[20, slow].dealt == pytest.approx(500 / (200 / 3.1))
    # From the queue it takes one at 0, 10 ... 60 and ends at 70; the others do 193 in 65.
    assert rows[20, slow].queue == pytest.approx(70 / (200 / 3.1))
    # Larger shards: it takes one at 0 and at 5 others have done 15; its second ends at 20, the rest by 7.
    assert rows[200, slow].queue > rows[20, slow].queue
