"""The plan's counts are the paper's, exact; it depends on names alone; every acquisition has its one place."""

import json
import random
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drae_data.acquisition import AcquisitionKey
from drae_data.listing import ListedAcquisition, list_folders
from drae_data.options import DatasetOptions, SplitOptions, select_images
from drae_data.shard_plan import PlannedAcquisition, ShardTask, plan_shards
from drae_data.strip_layout import StripLayout
from drae_data.strip_layouts import StripLayouts
from tests.small_line import small_options

PAPER_LAYOUT = StripLayout(
    "fractions", None,
    {f"R{region}": tuple((vial / 5, region / 4, 0.2, 0.25) for vial in range(5)) for region in range(4)},
    allow_overlap=False,
)  # fmt: skip


def paper_options(by: str) -> DatasetOptions:
    fraction = Fraction(0 if by == "none" else 1, 10)
    return small_options(
        frames=tuple(range(16)), images=select_images(range(16), ["min", "max"]),
        layouts=StripLayouts.single(PAPER_LAYOUT), split=SplitOptions(by, fraction, 1), shard_patches=3000,
    )  # fmt: skip


def listed(strips: int, runs: int) -> list[ListedAcquisition]:
    return [
        ListedAcquisition(AcquisitionKey(f"S{strip:04d}", run), f"S{strip:04d}/run_{run:02d}")
        for strip in range(strips)
        for run in range(runs)
    ]


def patches(plan: tuple[ShardTask, ...], options: DatasetOptions) -> Counter[str]:
    counts: Counter[str] = Counter()
    for task in plan:
        for item in task.acquisitions:
            counts[task.split] += task.patches_of(item, options.patches_per_acquisition)
    return counts


@pytest.mark.parametrize(
    ("by", "train"), [("strip", 2_534_400), ("acquisition", 2_533_680), ("patch", 2_533_680), ("none", 0)]
)
def test_the_papers_782_strips_of_10_runs_give_its_counts(by: str, train: int) -> None:
    """2,815,200 patches; 2,533,680 for training as the paper says, 704 strips = 2,534,400 when split by strip."""
    options = paper_options(by)
    assert options.patches_per_acquisition == 360
    counts = patches(plan_shards(listed(782, 10), options).tasks, options)
    assert sum(counts.values()) == 2_815_200
    assert counts["train"] == train


def test_no_strip_is_on_two_sides_when_split_by_strip() -> None:
    sides: dict[str, set[str]] = {}
    for task in plan_shards(listed(50, 4), small_options()).tasks:
        for item in task.acquisitions:
            sides.setdefault(item.key.strip, set()).add(task.split)
    assert len(sides) == 50
    assert all(len(splits) == 1 for splits in sides.values())


@given(st.integers(2, 60), st.integers(1, 4), st.sampled_from(["strip", "acquisition", "none"]), st.integers(0, 10**9))
def test_each_acquisition_is_in_exactly_one_shard_and_counts_are_exact(
    strips: int, runs: int, by: str, seed: int
) -> None:
    options = small_options(split=SplitOptions(by, Fraction(0 if by == "none" else 1, 10), seed))
    plan = plan_shards(listed(strips, runs), options).tasks
    placed = [item.key for task in plan for item in task.acquisitions]
    assert sorted(placed) == [item.key for item in listed(strips, runs)]
    units = {"strip": strips, "acquisition": strips * runs, "none": 1}[by]
    validation = {item.key.strip if by == "strip" else item.key for task in plan if task.split == "validation"
                  for item in task.acquisitions}  # fmt: skip
    nearest = (2 * units + 10) // 20  # units / 10 rounded half up, in integers
    assert len(validation) == (0 if by == "none" else min(max(nearest, 1), units - 1))


@given(st.integers(1, 40), st.fractions(0, Fraction(99, 100)))
def test_split_by_patch_is_exact_at_every_length(acquisitions: int, fraction: Fraction) -> None:
    options = small_options(split=SplitOptions("patch", fraction, 3))
    counts = patches(plan_shards(listed(acquisitions, 1), options).tasks, options)
    total = acquisitions * options.patches_per_acquisition
    assert counts.total() == total
    assert abs(counts["validation"] - total * fraction) <= Fraction(1, 2)


def test_the_order_of_listing_does_not_matter() -> None:
    options = small_options()
    folders = [item.folder for item in listed(30, 2)]
    shuffled = folders.copy()
    random.Random(5).shuffle(shuffled)
    plans = [plan_shards(list_folders(names, options, "").acquisitions, options) for names in (folders, shuffled)]
    assert plans[0] == plans[1]


def test_another_seed_gives_another_plan() -> None:
    plans = {
        plan_shards(listed(30, 2), small_options(split=SplitOptions("strip", Fraction(1, 5), seed))).tasks
        for seed in (1, 2)
    }
    assert len(plans) == 2


def test_shards_hold_at_most_shard_patches_and_differ_by_one_acquisition() -> None:
    options = small_options()  # 20 patches per acquisition, at most 45 in a shard: two acquisitions
    plan = plan_shards(listed(21, 1), options).tasks
    sizes = {
        split: [len(task.acquisitions) for task in plan if task.split == split] for split in ("train", "validation")
    }
    assert sizes == {"train": [1, 2, 2, 2, 2, 2, 2, 2, 2], "validation": [2, 2]}


def test_shard_names_are_those_of_tfds() -> None:
    names = [task.name for task in plan_shards(listed(5, 2), small_options()).tasks]
    assert names[0] == "small-train.tfrecord-00000-of-00004"
    assert names[-1] == "small-validation.tfrecord-00000-of-00001"


def test_a_task_reads_back_from_json() -> None:
    plan = plan_shards(listed(4, 2), small_options(split=SplitOptions("patch", Fraction(1, 10), 1)))
    files = PlannedAcquisition(AcquisitionKey("S1", 2, "B7", "5 ml", "2"), "", ("a.png", "b.png"), "20240314", None)
    for task in (*plan.tasks, ShardTask("new", "test", "old", (files,))):
        assert ShardTask.from_json(json.loads(json.dumps(task.to_json()))) == task
