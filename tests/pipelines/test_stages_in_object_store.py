"""The stages beside the build with an object store: frames are drawn into it, its versions are scored."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from drae_data.local_files import LocalFiles
from pipelines import score, synthesize
from pipelines.beam_files import files_at
from pipelines.local_copy import local_copy
from pipelines.runner import beam_options
from tests.acceptance_line import change
from tests.object_store import ObjectStore
from tests.pipelines.test_synthesize import small_params
from tests.small_line import tree_bytes

pytestmark = pytest.mark.beam


@pytest.fixture
def store() -> Iterator[ObjectStore]:
    with ObjectStore() as store:
        for bucket in ("frames", "datasets", "parts"):
            store.create_bucket(bucket)
        beam_options(store.flags)
        yield store


def test_frames_are_drawn_into_a_bucket(tmp_path: Path, store: ObjectStore) -> None:
    params = small_params(tmp_path)
    common = ["--params", str(params), "--set", "kit", "--threads", "2"]
    assert synthesize.main([*common, "--folder", str(tmp_path / "local")]) == 0
    store.fail_every = 5
    assert synthesize.main([*common, "--folder", "s3://frames/line", *store.flags]) == 0
    assert store.faults > 0
    expected = tree_bytes(tmp_path / "local")
    assert len([name for name in expected if name.endswith(".png")]) > 2
    assert store.tree("frames/line") == expected


@pytest.mark.slow
def test_a_version_in_a_bucket_has_the_scores_that_it_has_here(
    scored: Path, tmp_path: Path, store: ObjectStore
) -> None:
    place = tmp_path / "line"
    shutil.copytree(scored, place)
    shutil.rmtree(place / "scores")
    store.upload(place / "datasets", "datasets")
    shutil.rmtree(place / "datasets")
    change(place, dataset__folder="s3://datasets")
    # What another scoring left is removed, what other sets keep stays.
    store.put("parts/kit/other/x.npy", b"1")
    store.put("parts/calibration/other/x.npy", b"1")
    store.fail_every = 11
    with contextlib.chdir(place):
        assert score.main(["--set", "kit", "--parts", "s3://parts", *store.flags]) == 0
    assert store.faults > 0
    assert tree_bytes(place / "scores/kit") == tree_bytes(scored / "scores/kit")
    assert [*store.keys("parts/kit"), *store.keys("parts/calibration")] == ["calibration/other/x.npy"]
    # The model went where workers see it, shards never came whole to this process but to be scored.
    put = {request.path for request in store.asked if request.method in ("PUT", "POST")}
    assert {path.rpartition("/")[2] for path in put if "/model/" in path} == {"drae.keras", "model.json"}


def test_a_local_root_is_not_copied(tmp_path: Path, store: ObjectStore) -> None:
    with local_copy(LocalFiles(str(tmp_path)), ["absent"]) as folder:
        assert folder == tmp_path
    store.put("datasets/kit/a/b.txt", b"1")
    store.put("datasets/kit/c.txt", b"2")
    with local_copy(files_at("s3://datasets/kit"), ["a/b.txt"]) as folder:
        assert tree_bytes(folder) == {"a/b.txt": b"1"}
    assert not folder.exists()
    with pytest.raises(FileNotFoundError), local_copy(files_at("s3://datasets/kit"), ["none"]):
        raise AssertionError("there is no such file")
