"""A version that extends another: old shards are linked, no strip changes its side, what is gone is recorded."""

import json
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drae_data.acquisition import AcquisitionKey
from drae_data.errors import DatasetError, PlanError
from drae_data.labels import LabelOptions
from drae_data.listing import ListedAcquisition
from drae_data.manifest import PlanRow
from drae_data.options import DatasetOptions, SplitOptions
from drae_data.publication import CommittedDataset
from drae_data.shard_plan import Plan, plan_shards
from drae_data.tables import read_table
from drae_data.verification.dataset import verify_dataset
from tests.small_line import build_dataset, files_of, small_frame, small_options, tree_bytes, write_line

FIFTH = Fraction(1, 5)
SPLITS = {
    "strip": SplitOptions("strip", FIFTH, 7),
    "acquisition": SplitOptions("acquisition", FIFTH, 7),
    "patch": SplitOptions("patch", FIFTH, 7),
    "blocks": SplitOptions("blocks", FIFTH, 7, block_strips=2),
    "list": SplitOptions("list", Fraction(0), 7, file="sides.csv"),
    "none": SplitOptions("none", Fraction(0), 7),
}
SIDES = {"sides.csv": b"strip,split\n" + b"".join(
    f"{strip},{'validation' if strip in 'BG' else 'train'}\n".encode() for strip in "ABCDEFGHIJ"
)}  # fmt: skip


class Line:
    """A small line that grows, with a version of its dataset for each step."""

    def __init__(self, folder: Path, by: str = "strip", **changes: Any) -> None:
        self.folder = folder
        self.options = small_options(split=SPLITS[by], **changes)
        self.tables: dict[str, bytes] = dict(SIDES)

    def write(self, strips: Iterable[str], runs: int = 2) -> Path:
        return write_line(self.folder / "frames", strips, runs)

    def build(self, version: str, extends: str = "", threads: int = 2, name: str = "") -> CommittedDataset:
        options = replace(self.options, version=version, extends=extends)
        earlier = self.folder / extends if extends else None
        root, out = self.folder / "frames", self.folder / (name or version)
        return build_dataset(root, out, options, threads, self.tables, earlier)

    def plan(self, version: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.table(version, "plan")
        return rows

    def table(self, version: str, name: str) -> list[dict[str, Any]]:
        content = (self.folder / version / f"{name}.parquet").read_bytes()
        rows: list[dict[str, Any]] = read_table(name, content).to_pylist()
        return rows

    def sides(self, version: str) -> dict[str, set[str]]:
        """Splits by strip, from the plan's table."""
        found = defaultdict(set)
        for row in self.plan(version):
            found[row["strip"]].add(row["split"])
        return found

    def groups(self, version: str) -> dict[frozenset[tuple[str, int]], Path]:
        """Shard file by the acquisitions and the split that it holds."""
        found = defaultdict(set)
        for row in self.plan(version):
            found[row["shard"]].add((row["strip"] + row["split"], row["run"]))
        return {frozenset(members): self.folder / version / shard for shard, members in found.items()}

    def verify(self, version: str) -> None:
        assert verify_dataset(files_of(self.folder / version), 1).faults == ()


def check_links(line: Line, before: str, after: str, but: frozenset[str] = frozenset()) -> None:
    """Every shard of the earlier version is in the later one under its new name: the same file, not a copy."""
    old, new = line.groups(before), line.groups(after)
    count = Counter(path.name.split(".")[0] for path in new.values())
    assert old
    for members, path in old.items():
        if {name[0] for name, _ in members} & but:
            continue
        twin = new[members]
        assert twin.samefile(path)
        assert twin.read_bytes() == path.read_bytes()
        parts = [place.parent / "patches" / f"{place.name}.parquet" for place in (path, twin)]
        assert parts[0].samefile(parts[1])
    for path in new.values():
        assert path.name.endswith(f"-of-{count[path.name.split('.')[0]]:05d}")


@pytest.mark.parametrize("by", SPLITS)
def test_new_strips_and_runs_go_into_new_shards(tmp_path: Path, by: str) -> None:
    line = Line(tmp_path, by)
    line.write("ABCDE")
    first = line.build("1.0.0")
    line.write("FGHIJ")
    shutil.copytree(tmp_path / "frames" / "B" / "run_01", tmp_path / "frames" / "B" / "run_02")
    snapshot = tree_bytes(tmp_path / "1.0.0")
    second = line.build("1.1.0", extends="1.0.0")
    assert tree_bytes(tmp_path / "1.0.0") == snapshot
    assert (len(first.acquisitions), len(second.acquisitions)) == (10, 21)
    assert second.reused == first.shards > 0
    check_links(line, "1.0.0", "1.1.0")
    for row in line.plan("1.0.0"):
        assert any(all(row[name] == other[name] for name in ("strip", "run", "split", "validation_patches"))
                   for other in line.plan("1.1.0"))  # fmt: skip
    if by not in ("acquisition", "patch"):
        assert all(len(sides) == 1 for sides in line.sides("1.1.0").values())
    line.verify("1.1.0")
    info = json.loads((tmp_path / "1.1.0" / "provenance.json").read_text())
    assert first.digest in json.dumps(info["extends"])


@pytest.mark.parametrize("by", ["strip", "patch"])
def test_threads_and_interruptions_do_not_matter(tmp_path: Path, by: str) -> None:
    line = Line(tmp_path, by)
    line.write("ABC")
    line.build("1.0.0")
    line.write("DEF")
    builds = [line.build("1.1.0", "1.0.0", threads, f"with_{threads}") for threads in (1, 3)]
    assert builds[0].digest == builds[1].digest
    assert tree_bytes(tmp_path / "with_1") == tree_bytes(tmp_path / "with_3")
    shard = sorted((tmp_path / "with_1").glob("*.tfrecord-*"))[0]
    shard.unlink()
    again = line.build("1.1.0", "1.0.0", 1, "with_1")
    assert (again.digest, again.reused) == (builds[0].digest, again.shards)


def test_a_build_from_scratch_of_the_grown_line_holds_the_same_patches(tmp_path: Path) -> None:
    line = Line(tmp_path)
    line.write("ABCDE")
    line.build("1.0.0")
    line.write("FGHIJ")
    grown, scratch = line.build("1.1.0", "1.0.0"), line.build("1.1.0", name="scratch")
    assert sum(grown.records.values()) == sum(scratch.records.values()) == 20 * 20
    line.verify("scratch")
    digests = [
        {row["key"]: row["sha256"] for part in (tmp_path / name / "patches").iterdir()
         for row in read_table("patches", part.read_bytes()).to_pylist()}
        for name in ("1.1.0", "scratch")
    ]  # fmt: skip
    assert digests[0] == digests[1]


def test_three_versions_in_a_chain(tmp_path: Path) -> None:
    line = Line(tmp_path)
    for version, strips, extends in (("1.0.0", "ABCDE", ""), ("1.1.0", "FG", "1.0.0"), ("1.2.0", "HIJ", "1.1.0")):
        line.write(strips)
        line.build(version, extends)
        line.verify(version)
    check_links(line, "1.0.0", "1.2.0")
    check_links(line, "1.1.0", "1.2.0")
    shutil.rmtree(tmp_path / "1.0.0")  # A later version stands without the earlier ones.
    line.verify("1.2.0")
    sides = line.sides("1.2.0")
    assert sum(found == {"validation"} for found in sides.values()) == 2  # A fifth of ten strips.


def test_a_withdrawn_acquisition_rebuilds_its_shard_alone_and_is_recorded(tmp_path: Path) -> None:
    line = Line(tmp_path)
    line.write("ABCDE")
    line.build("1.0.0")
    shutil.rmtree(tmp_path / "frames" / "C" / "run_01")
    second = line.build("1.1.0", "1.0.0")
    assert second.reused == second.shards - 1
    assert [(row["folder"], row["reason"]) for row in line.table("1.1.0", "left_out")] == [("C/run_01", "withdrawn")]
    assert "1.0.0" in line.table("1.1.0", "left_out")[0]["detail"]
    assert ("C", 1) not in {(row["strip"], row["run"]) for row in line.table("1.1.0", "acquisitions")}
    line.verify("1.1.0")
    line.write("F")
    third = line.build("1.2.0", "1.1.0")
    assert third.left_out == ()
    line.verify("1.2.0")


def test_a_shard_that_loses_all_its_acquisitions_goes(tmp_path: Path) -> None:
    line = Line(tmp_path, shard_patches=1)
    line.write("ABCDE", runs=1)
    assert line.build("1.0.0").shards == 5
    gone = next(iter(row["strip"] for row in line.plan("1.0.0") if row["split"] == "train"))
    shutil.rmtree(tmp_path / "frames" / gone)
    second = line.build("1.1.0", "1.0.0")
    assert (second.shards, second.reused) == (4, 4)
    line.verify("1.1.0")


def test_a_changed_frame_rebuilds_its_shard_alone(tmp_path: Path) -> None:
    line = Line(tmp_path)
    line.write("ABCDE")
    line.build("1.0.0")
    place = tmp_path / "frames" / "D" / "run_00" / "frame_01.png"
    before = tree_bytes(tmp_path / "1.0.0")
    cv2.imwrite(str(place), small_frame("another", 0, 0))
    second = line.build("1.1.0", "1.0.0")
    assert second.reused == second.shards - 1
    check_links(line, "1.0.0", "1.1.0", but=frozenset("D") | mates(line, "D", 0))
    assert tree_bytes(tmp_path / "1.0.0") == before
    assert line.groups("1.0.0").keys() == line.groups("1.1.0").keys()
    line.verify("1.1.0")


def mates(line: Line, strip: str, run: int) -> frozenset[str]:
    """The strips in the shard of an acquisition."""
    shard = next(row["shard"] for row in line.plan("1.0.0") if (row["strip"], row["run"]) == (strip, run))
    return frozenset(row["strip"] for row in line.plan("1.0.0") if row["shard"] == shard)


def test_a_mended_acquisition_leaves_quarantine_and_keeps_its_side(tmp_path: Path) -> None:
    line = Line(tmp_path, max_quarantined=1)
    line.write("ABCDE")
    place = tmp_path / "frames" / "D" / "run_00" / "frame_01.png"
    whole = place.read_bytes()
    place.write_bytes(whole[: len(whole) // 2])
    first = line.build("1.0.0")
    assert [row.folder for row in first.quarantine] == ["D/run_00"]
    unchanged = line.build("1.1.0", "1.0.0")
    assert (unchanged.reused, len(unchanged.quarantine)) == (unchanged.shards, 1)
    place.write_bytes(whole)
    mended = line.build("1.2.0", "1.0.0")
    assert (mended.reused, len(mended.quarantine), len(mended.acquisitions)) == (mended.shards - 1, 0, 10)
    assert line.sides("1.2.0") == line.sides("1.0.0")
    line.verify("1.2.0")


def test_a_label_that_changed_withdraws_and_a_label_alone_rebuilds_nothing(tmp_path: Path) -> None:
    labels = LabelOptions("labels.csv", {}, (), "", {"G": "good", "M": "defective"}, ("good",))
    line = Line(tmp_path, labels=labels)
    line.write("ABCDE")
    line.tables["labels.csv"] = b"strip,label\n" + b"".join(f"{strip},G\n".encode() for strip in "ABCDE")
    line.build("1.0.0")
    line.tables["labels.csv"] = line.tables["labels.csv"].replace(b"C,G", b"C,M")
    second = line.build("1.1.0", "1.0.0")
    assert {row["strip"] for row in line.table("1.1.0", "acquisitions")} == set("ABDE")
    left = {(row["folder"], row["reason"]) for row in line.table("1.1.0", "left_out")}
    assert {(f"C/run_{run:02d}", reason) for run in range(2) for reason in ("label",)} == left
    assert 0 < second.reused < second.shards + 1
    line.verify("1.1.0")
    line.options = replace(line.options, labels=replace(labels, select=()))
    line.tables["labels.csv"] = line.tables["labels.csv"].replace(b"D,G", b"D,M")
    relabelled = line.build("1.2.0", "1.1.0")
    assert {row.label for row in relabelled.acquisitions if row.strip == "D"} == {"defective"}
    line.verify("1.2.0")


def test_a_withdrawn_strip_that_comes_back_has_its_old_side(tmp_path: Path) -> None:
    """No strip changes its side, also where a version between had none of it."""
    line = Line(tmp_path)
    line.write("ABCDE", runs=1)
    line.build("1.0.0")
    lost = next(strip for strip, sides in line.sides("1.0.0").items() if sides == {"validation"})
    shutil.move(tmp_path / "frames" / lost, tmp_path / "aside")
    line.write("FGHIJ", runs=1)
    line.build("1.1.0", "1.0.0")
    shutil.move(tmp_path / "aside", tmp_path / "frames" / lost)
    line.build("1.2.0", "1.1.0")
    assert line.sides("1.2.0")[lost] == {"validation"}


def test_a_list_may_grow_but_move_no_strip(tmp_path: Path) -> None:
    line = Line(tmp_path, "list")
    line.write("ABC")
    line.build("1.0.0")
    line.tables["sides.csv"] = SIDES["sides.csv"].replace(b"B,validation", b"B,train")
    with pytest.raises(PlanError, match=r"sides\.csv: expected B in validation.*got train; no strip changes sides"):
        line.build("1.1.0", "1.0.0")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("absent", "version 1.0.0 must stand there"),
        ("uncommitted", "version 1.0.0 must stand there"),
        ("no plan", "plan.parquet.*version 1.0.0 must stand there"),
        ("otherwise split", r"split by patch \(split.by\), as this one is, got strip"),
        ("another version", r"expected version 1.0.0 \(extends\), got '0.9.0'"),
        ("no split", "expected split and digest"),
        ("broken plan", "plan"),
    ],
)  # fmt: skip
def test_a_version_that_cannot_be_extended_is_named_with_the_reason(tmp_path: Path, damage: str, said: str) -> None:
    line = Line(tmp_path)
    line.write("AB")
    line.build("1.0.0" if damage != "another version" else "0.9.0", name="1.0.0")
    version = tmp_path / "1.0.0"
    if damage == "absent":
        shutil.rmtree(version)
    elif damage == "uncommitted":
        (version / "dataset_info.json").unlink()
    elif damage == "no plan":
        (version / "plan.parquet").unlink()
    elif damage == "broken plan":
        (version / "plan.parquet").write_bytes(b"PAR1")
    elif damage == "no split":
        (version / "provenance.json").write_text('{"parameters": {}, "version": "1.0.0"}')
    elif damage == "otherwise split":
        line.options = replace(line.options, split=SPLITS["patch"])
    with pytest.raises(DatasetError, match=said):
        line.build("1.1.0", "1.0.0")
    assert not (tmp_path / "1.1.0").exists()


def test_other_parameters_of_patches_rebuild_all_and_keep_the_sides(tmp_path: Path) -> None:
    line = Line(tmp_path)
    line.write("ABCDE")
    line.build("1.0.0")
    line.options = replace(line.options, patch=replace(line.options.patch, size=24))
    second = line.build("1.1.0", "1.0.0")
    assert second.reused == 0
    assert line.sides("1.1.0") == line.sides("1.0.0")
    line.verify("1.1.0")


# Plans alone: many lines, no frames.


def listing(strips: Iterable[int], runs: int) -> list[ListedAcquisition]:
    keys = [AcquisitionKey(f"S{strip}", run) for strip in sorted(strips) for run in range(runs)]
    return [ListedAcquisition(key, str(key)) for key in sorted(keys)]


def options_of(split: SplitOptions) -> DatasetOptions:
    return small_options(split=split, version="9.0.0", extends="1.0.0")


def validation(plan: Plan, split: SplitOptions) -> tuple[Fraction, int]:
    """How much is in validation, and of how much: strips, acquisitions or patches."""
    if split.by == "patch":
        each = small_options().patches_per_acquisition
        by_side = Counter[str]()
        for task in plan.tasks:
            for item in task.acquisitions:
                by_side[task.split] += task.patches_of(item, each)
        return Fraction(by_side["validation"]), by_side.total()
    units: Mapping[str, str] = {
        str(item.key) if split.by == "acquisition" else item.key.strip: task.split
        for task in plan.tasks for item in task.acquisitions
    }  # fmt: skip
    return Fraction(sum(side == "validation" for side in units.values())), len(units)


STEPS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3), st.integers(1, 3)), min_size=1, max_size=4)


# At a fortieth every second acquisition of 20 patches has one in validation.
SHARES = st.sampled_from([Fraction(0), Fraction(1, 40), Fraction(1, 10), Fraction(1, 3), Fraction(9, 10)])


@given(STEPS, st.sampled_from(["strip", "acquisition", "patch", "none"]), SHARES,
       st.integers(0, 99))  # fmt: skip
def test_growth_keeps_every_place_and_fills_the_share(
    steps: list[tuple[int, int, int]], by: str, fraction: Fraction, seed: int
) -> None:
    """Version after version with new strips, withdrawn strips and more runs.

    The share is the nearest whole of all, where what is new can bring it there.
    """
    split = SplitOptions(by, Fraction(0) if by == "none" else fraction, seed)
    strips, count, earlier = {0, 1, 2}, 3, tuple[PlanRow, ...]()
    runs = 1
    for new, gone, more in [(0, 0, 1), *steps]:
        strips = set(sorted(strips)[gone:]) | set(range(count, count + new))
        count, runs = count + new, max(runs, more)
        if not strips:
            return
        listed = listing(strips, runs)
        try:
            plan = plan_shards(listed, options_of(split), {}, earlier)
        except PlanError:
            # Said instead of built: nothing that validation had is left, and nothing new can fill it.
            keys = {item.key for item in listed}
            assert not any(row.shard and row.split == "validation" and row.key in keys for row in earlier)
            return
        rows = tuple(row for row in plan.rows() if row.shard)
        placed = [(row.key, row.split) for row in rows]
        assert len(placed) == len(set(placed))
        assert {key for key, _ in placed} == {item.key for item in listed}
        kept = {(row.key, row.split, row.validation_patches) for row in earlier if row.key.strip[1:].isdigit()
                and int(row.key.strip[1:]) in strips}  # fmt: skip
        assert kept <= {(row.key, row.split, row.validation_patches) for row in rows}
        before = {row.key for row in earlier if row.shard}
        assert {row.key for row in plan.withdrawn} == before - {item.key for item in listed}
        if by != "none":
            check_share(plan, split, kept)
        earlier = plan.rows()


def check_share(plan: Plan, split: SplitOptions, kept: set[tuple[AcquisitionKey, str, int]]) -> None:
    got, total = validation(plan, split)
    wanted = int(total * split.validation_fraction + Fraction(1, 2))
    if split.by == "patch":
        each = small_options().patches_per_acquisition
        before = {key: patches for key, _, patches in kept}
        low, high = sum(before.values()), sum(before.values()) + total - len(before) * each
    else:
        if split.validation_fraction and total >= 2:
            wanted = min(max(wanted, 1), total - 1)
        names = {(str(key) if split.by == "acquisition" else key.strip): side for key, side, _ in kept}
        low = sum(side == "validation" for side in names.values())
        high = low + total - len(names)
    assert got == min(max(wanted, low), high)


@given(st.integers(1, 12), st.lists(st.integers(0, 9), max_size=3), st.integers(1, 4), st.integers(0, 99))
def test_blocks_grow_as_whole_blocks_of_new_strips(first: int, steps: list[int], size: int, seed: int) -> None:
    split = SplitOptions("blocks", Fraction(1, 3), seed, block_strips=size)
    strips, earlier, blocks, sides = 0, tuple[PlanRow, ...](), dict[int, int](), dict[int, str]()
    for new in [first, *steps]:
        blocks |= {strip: strips + (strip - strips) // size * size for strip in range(strips, strips + new)}
        strips += new
        plan = plan_shards(listing(range(strips), 1), options_of(split), {}, earlier)
        sides = {int(row.key.strip[1:]): row.split for row in plan.rows()}
        assert all(sides[strip] == sides[block] for strip, block in blocks.items())
        assert all(sides[int(row.key.strip[1:])] == row.split for row in earlier)
        earlier = plan.rows()
    count = len(set(blocks.values()))
    got = sum(sides[block] == "validation" for block in set(blocks.values()))
    if not steps or max(steps) == 0:
        assert got == (min(max((2 * count + 3) // 6, 1), count - 1) if count > 1 else (2 * count + 3) // 6)


@pytest.mark.parametrize("seed", range(5))
def test_the_share_of_blocks_is_exact_where_a_strip_comes_with_each_version(seed: int) -> None:
    """A block of ten strips, then ten versions with one strip, a block of its own, each: 11 blocks, 1 in validation."""
    split = SplitOptions("blocks", Fraction(1, 10), seed, block_strips=10)
    earlier = tuple[PlanRow, ...]()
    for strips in range(10, 21):
        earlier = plan_shards(listing(range(strips), 1), options_of(split), {}, earlier).rows()
    assert sum(row.split == "validation" for row in earlier) == 1
