"""Shards and single patches by the patch index: what is not what was built is refused, and named."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from drae_data.errors import DatasetError, RecordError
from drae_data.files import Files
from drae_data.patch_index import check_shard, read_index, read_patch
from drae_data.patch_lookup import find_patch
from drae_data.verification.claims import ShardClaim, read_claims
from tests.small_line import build_dataset, files_of, write_line


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("version")
    build_dataset(write_line(folder / "frames", "AB"), folder / "out")
    return folder / "out"


@pytest.fixture
def version(kept: Path, tmp_path: Path) -> Files:
    return files_of(shutil.copytree(kept, tmp_path / "version"))


def first(files: Files) -> ShardClaim:
    return next(iter(read_claims(files).shards.values()))


def test_a_patch_is_read_by_its_row(version: Files) -> None:
    shard, claims = first(version), read_claims(version)
    check_shard(version, shard)
    for row in read_index(version, shard).to_pylist()[:3]:
        expected = find_patch(version, row["key"]).pixels()
        assert np.array_equal(read_patch(version, claims, shard.name, row), expected)


def test_a_shard_of_other_bytes_is_named(version: Files) -> None:
    shard = first(version)
    place = Path(version.root, shard.name)
    place.write_bytes(place.read_bytes()[:-1] + b"x")
    with pytest.raises(DatasetError, match=f"{shard.name}: expected SHA-256 {shard.sha256}, got .*pipelines.verify"):
        check_shard(version, shard)
    place.unlink()
    with pytest.raises(DatasetError, match=f"{shard.name}: the shard cannot be read: No such file"):
        check_shard(version, shard)


def test_a_patch_that_is_not_the_one_of_its_row_is_named(version: Files) -> None:
    shard, claims = first(version), read_claims(version)
    one, two = read_index(version, shard).to_pylist()[:2]
    place = Path(version.root, shard.name)
    words = f"{shard.name}: expected the image of {one['key']} at byte"
    with pytest.raises(RecordError, match=f"{words} .* with SHA-256 {one['sha256']}, got another"):
        read_patch(version, claims, shard.name, {**two, "key": one["key"], "sha256": one["sha256"]})
    place.write_bytes(b"\xff" * place.stat().st_size)
    with pytest.raises(RecordError, match=f"{words} .*got: expected a tf.train.Example .*pipelines.verify"):
        read_patch(version, claims, shard.name, one)
    place.unlink()
    with pytest.raises(DatasetError, match=f"{words} .*got: No such file"):
        read_patch(version, claims, shard.name, one)
