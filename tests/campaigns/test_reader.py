"""The reader of the kill campaign sees halves where they are planted, and only there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from drae_data.publication import CommittedDataset
from drae_data.version_files import COMMIT_POINT
from tests.campaigns.reader import Reader, thorough_faults
from tests.small_line import build_dataset, write_line


@pytest.fixture
def built(tmp_path: Path) -> CommittedDataset:
    return build_dataset(write_line(tmp_path / "frames"), tmp_path / "version")


@pytest.fixture
def version(tmp_path: Path, built: CommittedDataset) -> Path:
    return tmp_path / "version"


@pytest.fixture
def allowed(built: CommittedDataset) -> dict[str, str]:
    return {built.digest: "new"}


def first_shard(version: Path) -> Path:
    return min(version.glob("small-train.tfrecord-*"))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


HALVES: dict[str, Callable[[Path], None]] = {
    "small-train.tfrecord-00000-of-00004: expected": lambda version: cut(first_shard(version)),
    "00000-of-00004 is not": lambda version: first_shard(version).unlink(),
    "00000-of-00004.parquet is not": lambda version: min((version / "patches").glob("*train*")).unlink(),
    "provenance.json": lambda version: (version / "provenance.json").unlink(),
    "JSONDecodeError": lambda version: cut(version / COMMIT_POINT),
}


def test_a_whole_version_is_seen_as_what_it_is(version: Path, allowed: dict[str, str]) -> None:
    reader = Reader(version, allowed)
    reader.look()
    assert (dict(reader.views), reader.faults) == ({"new": 1}, [])
    assert thorough_faults(version, allowed) == []


@pytest.mark.parametrize("named", HALVES)
def test_half_a_version_is_a_fault(version: Path, allowed: dict[str, str], named: str) -> None:
    HALVES[named](version)
    reader = Reader(version, allowed)
    reader.look()
    assert not reader.views
    assert any(named in fault for fault in reader.faults), reader.faults
    assert thorough_faults(version, allowed)


def test_a_digest_that_nobody_expects_is_a_fault(version: Path) -> None:
    reader = Reader(version, {})
    reader.look()
    assert "a digest that no build here gives" in reader.faults[0]
    assert "a digest that no build here gives" in thorough_faults(version, {})[0]


def test_without_a_commit_point_there_is_no_dataset(version: Path, allowed: dict[str, str]) -> None:
    first_shard(version).unlink()
    (version / COMMIT_POINT).unlink()
    reader = Reader(version, allowed)
    reader.look()
    assert (dict(reader.views), reader.faults) == ({"absent": 1}, [])
    assert thorough_faults(version, allowed) == []


def test_a_version_that_gave_way_during_the_look_is_no_fault(version: Path, allowed: dict[str, str]) -> None:
    class Slow(Reader):
        def _judge(self, folder: int) -> tuple[str, list[str]]:
            version.rename(version.with_name("aside"))
            first_shard(version.with_name("aside")).unlink()
            return super()._judge(folder)

    reader = Slow(version, allowed)
    reader.look()
    assert (dict(reader.views), reader.faults) == ({"superseded": 1}, [])
