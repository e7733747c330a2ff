"""The plan's counts are the paper's, exact; it depends on names alone; every acquisition has its one place."""

import random
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drae_data.acquisition import AcquisitionKey
from drae_data.errors import ListingError
from drae_data.options import DatasetOptions, SplitOptions, select_images
from drae_data.shard_plan import ListedAcquisition, Listing, ShardTask, list_folders, plan_shards
from drae_data.strip_layout import StripLayout
from tests.small_line import small_options

PAPER_LAYOUT = StripLayout(
    "fractions", None,
    {f"R{region}": tuple((vial / 5, region / 4, 0.2, 0.25) for vial in range(5)) for region in range(4)},
    allow_overlap=False,
)  # fmt: skip


def paper_options(by: str) -> DatasetOptions:
    return small_options(
        frames=tuple(range(16)), images=select_images(range(16), ["min", "max"]), layout=PAPER_LAYOUT,
        split=SplitOptions(by, Fraction(1, 10), 1), shard_patches=3000,
    )  # fmt: skip


def listing(strips: int, runs: int) -> Listing:
    return Listing(
        tuple(
            ListedAcquisition(AcquisitionKey(f"S{strip:04d}", run), f"S{strip:04d}/run_{run:02d}")
            for strip in range(strips) for run in range(runs)
        ), (),
    )  # fmt: skip


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
    counts = patches(plan_shards(listing(782, 10), options), options)
    assert sum(counts.values()) == 2_815_200
    assert counts["train"] == train


def test_no_strip_is_on_two_sides_when_split_by_strip() -> None:
    sides: dict[str, set[str]] = {}
    for task in plan_shards(listing(50, 4), small_options()):
        for item in task.acquisitions:
            sides.setdefault(item.key.strip, set()).add(task.split)
    assert len(sides) == 50
    assert all(len(splits) == 1 for splits in sides.values())


@given(st.integers(2, 60), st.integers(1, 4), st.sampled_from(["strip", "acquisition", "none"]), st.integers(0, 10**9))
def test_each_acquisition_is_in_exactly_one_shard_and_counts_are_exact(
    strips: int, runs: int, by: str, seed: int
) -> None:
    options = small_options(split=SplitOptions(by, Fraction(1, 10), seed))
    plan = plan_shards(listing(strips, runs), options)
    placed = [item.key for task in plan for item in task.acquisitions]
    assert sorted(placed) == [item.key for item in listing(strips, runs).acquisitions]
    units = {"strip": strips, "acquisition": strips * runs, "none": 1}[by]
    validation = {item.key.strip if by == "strip" else item.key for task in plan if task.split == "validation"
                  for item in task.acquisitions}  # fmt: skip
    nearest = (2 * units + 10) // 20  # units / 10 rounded half up, in integers
    assert len(validation) == (0 if by == "none" else min(max(nearest, 1), units - 1))


@given(st.integers(1, 40), st.fractions(0, Fraction(99, 100)))
def test_split_by_patch_is_exact_at_every_length(acquisitions: int, fraction: Fraction) -> None:
    options = small_options(split=SplitOptions("patch", fraction, 3))
    counts = patches(plan_shards(listing(acquisitions, 1), options), options)
    total = acquisitions * options.patches_per_acquisition
    assert counts.total() == total
    assert abs(counts["validation"] - total * fraction) <= Fraction(1, 2)


def test_the_order_of_listing_does_not_matter() -> None:
    options = small_options()
    folders = [item.folder for item in listing(30, 2).acquisitions]
    shuffled = folders.copy()
    random.Random(5).shuffle(shuffled)
    assert plan_shards(list_folders(folders, options, ""), options) == plan_shards(
        list_folders(shuffled, options, ""), options
    )


def test_another_seed_gives_another_plan() -> None:
    plans = {
        plan_shards(listing(30, 2), small_options(split=SplitOptions("strip", Fraction(1, 5), seed))) for seed in (1, 2)
    }
    assert len(plans) == 2


def test_shards_hold_at_most_shard_patches_and_differ_by_one_acquisition() -> None:
    options = small_options()  # 20 patches per acquisition, at most 45 in a shard: two acquisitions
    plan = plan_shards(listing(21, 1), options)
    sizes = {
        split: [len(task.acquisitions) for task in plan if task.split == split] for split in ("train", "validation")
    }
    assert sizes == {"train": [1, 2, 2, 2, 2, 2, 2, 2, 2], "validation": [2, 2]}


def test_shard_names_are_those_of_tfds() -> None:
    names = [task.name for task in plan_shards(listing(5, 2), small_options())]
    assert names[0] == "small-train.tfrecord-00000-of-00004"
    assert names[-1] == "small-validation.tfrecord-00000-of-00001"


def test_a_task_reads_back_from_json() -> None:
    for task in plan_shards(listing(4, 2), small_options(split=SplitOptions("patch", Fraction(1, 10), 1))):
        assert ShardTask.from_json(task.to_json()) == task


def test_folders_that_are_no_acquisitions_and_double_claims_are_named() -> None:
    found = list_folders(["A/run_1", "A/run_01", "B/run_0", "B/notes", "C\udcff/run_0"], small_options(), "frames")
    assert [str(item.key) for item in found.acquisitions] == ["B/r0"]
    assert [(row.folder, row.reason) for row in found.refused] == [
        ("A/run_01", "duplicate_acquisition"), ("A/run_1", "duplicate_acquisition"),
        ("B/notes", "unmatched_name"), ("C\\xff/run_0", "unmatched_name"),
    ]  # fmt: skip
    assert found.folders == 5


def test_a_root_without_acquisitions_says_what_was_expected() -> None:
    with pytest.raises(ListingError, match=r"run_\{run\}.*2 folders.*\n  x/y: unmatched_name"):
        list_folders(["x/y", "x/z"], small_options(), "frames")
