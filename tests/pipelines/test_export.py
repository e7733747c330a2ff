"""An export of a version in an object store is that of the same version here. More in tests/interop/test_export.py."""

from pathlib import Path

import pytest

from pipelines.beam_files import files_at
from pipelines.export import main
from pipelines.runner import beam_options
from tests.object_store import ObjectStore
from tests.small_line import build_dataset, tree_bytes, write_line

pytestmark = pytest.mark.beam


@pytest.mark.parametrize("kind", ["parquet", "arrayrecord"])
def test_a_version_in_an_object_store_gives_the_same_export(tmp_path: Path, kind: str) -> None:
    build_dataset(write_line(tmp_path / "frames"), tmp_path / "version")
    with ObjectStore() as store:
        store.create_bucket("versions")
        beam_options(store.flags)
        there = files_at("s3://versions/small/1.0.0")
        for path, content in tree_bytes(tmp_path / "version").items():
            there.write(path, [content])
        given = ["--format", kind, "--out", str(tmp_path / "from_store")]
        assert main(["s3://versions/small/1.0.0", *given, *store.flags]) == 0
    assert main([str(tmp_path / "version"), "--format", kind, "--out", str(tmp_path / "from_here")]) == 0
    assert tree_bytes(tmp_path / "from_store") == tree_bytes(tmp_path / "from_here")
