"""The camera's computer that is played: what it delivers, and that the files are as the fault says."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from drae_data.errors import AcquisitionError, ListingError, OptionError
from drae_data.intake import IntakeOptions
from drae_data.options import SplitOptions
from drae_data.path_template import PathTemplate
from drae_line.incoming import Incoming
from drae_line.simulator import FAULTS, Delivery, deliver, plan_deliveries
from tests.small_line import small_options, tree_bytes, write_line

OPTIONS = small_options()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four acquisitions: the strips A and B, two runs each. Not to be changed."""
    return write_line(tmp_path_factory.mktemp("source"), strips="AB", runs=2)


def plan(source: Path, count: int, faults: float = 0.5, seed: int = 1) -> list[Delivery]:
    return list(plan_deliveries(source, OPTIONS, count, faults, seed))


def test_the_same_seed_gives_the_same_deliveries(source: Path) -> None:
    assert plan(source, 30) == plan(source, 30)
    assert plan(source, 30) != plan(source, 30, seed=2)
    assert plan(source, 30)[:10] == plan(source, 10)


def test_each_acquisition_comes_once_before_it_comes_again_under_a_new_name(source: Path) -> None:
    keys = [str(item.key) for item in plan(source, 12)]
    assert len(set(keys)) == 12
    assert sorted(keys[:4]) == ["A/r0", "A/r1", "B/r0", "B/r1"]
    assert sorted(keys[4:8]) == ["A_1/r0", "A_1/r1", "B_1/r0", "B_1/r1"]
    assert sorted(keys[8:]) == ["A_2/r0", "A_2/r1", "B_2/r0", "B_2/r1"]


def test_the_new_name_stands_in_the_folder_and_the_frames_are_those_of_the_source(source: Path) -> None:
    for item in plan(source, 12):
        for path, target in item.files:
            strip, run, name = target.split("/")
            assert OPTIONS.template.match_acquisition(f"{strip}/{run}").key == item.key
            assert path == source / strip.partition("_")[0] / run / name
        assert len({target for _, target in item.files}) == 3


def test_frames_come_in_any_order(source: Path) -> None:
    orders = {tuple(target[-6:] for _, target in item.files) for item in plan(source, 60)}
    assert len(orders) == 6


def test_every_fault_occurs_about_as_often(source: Path) -> None:
    counts = Counter(item.fault for item in plan(source, 1000, faults=0.5))
    assert set(counts) == {"", *FAULTS}
    # 500 faults of five kinds: a kind has 100 of 1000, give or take four times sqrt(1000 * 0.1 * 0.9) = 9.5.
    assert all(62 <= counts[fault] <= 138 for fault in FAULTS)
    assert Counter(item.fault for item in plan(source, 50, faults=0.0)) == {"": 50}
    assert "" not in Counter(item.fault for item in plan(source, 50, faults=1.0))
    assert {item.victim for item in plan(source, 50)} == {0, 1, 2}


def test_all_are_delivered_before_any_comes_again(source: Path) -> None:
    found = [str(item.key) for item in plan_deliveries(source, OPTIONS, 5, 0.0, 1)]
    assert sorted(found[:4]) == ["A/r0", "A/r1", "B/r0", "B/r1"]
    assert found[4] in {"A_1/r0", "A_1/r1", "B_1/r0", "B_1/r1"}


@pytest.mark.parametrize("fault", ["", *FAULTS])
def test_what_is_delivered_is_what_the_fault_says(source: Path, tmp_path: Path, fault: str) -> None:
    item = next(one for one in plan(source, 500) if one.fault == fault)
    deliver(item, tmp_path, pause=0.01)
    expected = {target: path.read_bytes() for path, target in item.files}
    victim = item.files[item.victim][1]
    whole = expected[victim]
    if fault == "missing":
        del expected[victim]
    else:
        expected[victim] = {"truncated": whole[: len(whole) // 2], "empty": b""}.get(fault, whole)
    assert tree_bytes(tmp_path) == expected


def test_what_is_whole_is_complete_and_what_is_broken_is_not(source: Path, tmp_path: Path) -> None:
    incoming = Incoming(tmp_path, OPTIONS, 0.0, 1.0, [])
    deliveries = {str(item.key): item for item in plan(source, 40)}
    for item in deliveries.values():
        deliver(item, tmp_path, pause=0.0)
    incoming.scan(0.0)
    found = {}
    for now in (0.0, 2.0):
        while (arrival := incoming.take(now)) is not None:
            found[str(arrival.key)] = arrival.problem.reason if arrival.problem else ""
    expected = {"missing": "missing_frame", "empty": "empty_file"}  # A truncated one shows when it is decoded.
    assert found == {key: expected.get(item.fault, "") for key, item in deliveries.items()}


@pytest.mark.parametrize("faults", [-0.1, 1.1, float("nan")])
def test_a_share_of_faults_that_is_none_is_refused(source: Path, faults: float) -> None:
    with pytest.raises(OptionError, match="--faults: expected 0 to 1"):
        plan(source, 1, faults)


def test_a_source_without_acquisitions_or_with_an_incomplete_one_is_refused(source: Path, tmp_path: Path) -> None:
    with pytest.raises(ListingError, match="expected folders named like"):
        plan(tmp_path, 1)
    write_line(tmp_path, strips="A", runs=1, frames=2)
    with pytest.raises(AcquisitionError, match="missing frame 2"):
        plan(tmp_path, 1)


def test_frames_that_are_files_are_delivered_too(tmp_path: Path) -> None:
    options = small_options(
        template=PathTemplate("{strip}_{run}_{frame}.png"), split=SplitOptions("none", Fraction(0), 1)
    )
    for strip in "AB":
        for frame in range(3):
            (tmp_path / f"{strip}_0_{frame}.png").write_bytes(b"frame %d" % frame)
    found = list(plan_deliveries(tmp_path, options, 4, 0.0, 1))
    assert [len(item.files) for item in found] == [3] * 4
    for item in found:
        for path, target in item.files:
            assert options.template.match_acquisition(target).key == item.key
            assert path.name[-5:] == target[-5:]
    assert {item.key.strip for item in found[2:]} == {"A_1", "B_1"}


@pytest.mark.parametrize(
    "template", ["run_{run}/{strip}/frame_{frame}.png", "line{station}/{strip}/run_{run}/{frame}.png"]
)
def test_the_strip_is_renamed_and_nothing_else(tmp_path: Path, template: str) -> None:
    options = replace(OPTIONS, template=PathTemplate(template))
    values = {"{run}": "00", "{strip}": "0", "{station}": "10"}
    for frame in range(3):
        path = template.replace("{frame}", str(frame))
        for name, value in values.items():
            path = path.replace(name, value)
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"frame")
    again = list(plan_deliveries(tmp_path, options, 2, 0.0, 1))[1]
    assert again.key.strip == "0_1"
    for _, target in again.files:
        assert (
            options.template.match_acquisition("/".join(target.split("/")[: options.template.depth])).key == again.key
        )


def test_a_name_that_does_not_stand_as_it_is_in_the_folder_is_refused(tmp_path: Path) -> None:
    # The key has the composed letter, the folder the letter and its mark (NFD).
    write_line(tmp_path, strips=["a\u0308"], runs=1)
    with pytest.raises(OptionError, match="names that hold the strip's name"):
        plan(tmp_path, 2, 0.0)


def test_a_set_with_a_marker_is_delivered_with_it_last(source: Path, tmp_path: Path) -> None:
    root = write_line(tmp_path / "marked", strips="A", runs=1)
    (root / "A/run_00/done.txt").write_bytes(b"")
    options = small_options(intake=IntakeOptions("refuse", "done.txt", 0, "inside"))
    (item,) = plan_deliveries(root, options, 1, 0.0, 1)
    deliver(item, tmp_path / "incoming", pause=0.0)
    assert item.files[-1][1] == "A/run_00/done.txt"
    assert (tmp_path / "incoming/A/run_00/done.txt").exists()
