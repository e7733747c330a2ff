"""The command `export`: the same bytes each time, nothing half-written, and words for what is wrong."""

import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from drae_data.errors import DatasetError, RecordError
from drae_data.exports.folder import ExportOptions, export_dataset
from drae_data.patches import PatchOptions
from drae_data.records import read_records
from pipelines.export import main
from tests.small_line import build_dataset, files_of, small_options, tree_bytes, write_line


@pytest.fixture(scope="module", params=["png", "raw"])
def small(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    folder = tmp_path_factory.mktemp("small")
    options = small_options(patch=PatchOptions(16, "stretch", "linear", 0, request.param))
    build_dataset(write_line(folder / "frames"), folder / "out", options)
    return folder / "out"


@pytest.fixture
def version(small: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small, tmp_path / "version"))


def run(version: Path, out: Path, *more: str, kind: str = "parquet") -> int:
    return main([str(version), "--format", kind, "--out", str(out), *more])


@pytest.mark.parametrize("kind", ["parquet", "arrayrecord"])
def test_another_number_of_threads_gives_the_same_bytes(small: Path, tmp_path: Path, kind: str) -> None:
    assert run(small, tmp_path / "one", "--threads", "1", kind=kind) == 0
    assert run(small, tmp_path / "two", "--threads", "4", kind=kind) == 0
    files = tree_bytes(tmp_path / "one")
    assert files == tree_bytes(tmp_path / "two")
    assert sum("-of-00004" in path for path in files) == 4


def test_groups_of_rows_change_no_row(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(small, tmp_path / "whole") == 0
    monkeypatch.setattr("drae_data.exports.parquet_export._GROUP_ROWS", 7)
    assert run(small, tmp_path / "cut") == 0
    for path in sorted((tmp_path / "whole/data").iterdir()):
        whole, cut = pq.ParquetFile(path), pq.ParquetFile(tmp_path / "cut/data" / path.name)
        assert (whole.num_row_groups, cut.num_row_groups) == (1, 6)
        assert whole.read().equals(cut.read())


@pytest.mark.parametrize("kind", ["parquet", "arrayrecord"])
def test_export_json_names_every_file_and_its_shard(small: Path, tmp_path: Path, kind: str) -> None:
    assert run(small, tmp_path / "out", kind=kind) == 0
    values = json.loads((tmp_path / "out/export.json").read_text())
    files = {path: content for path, content in tree_bytes(tmp_path / "out").items() if path != "export.json"}
    assert {file["path"]: (file["bytes"], file["sha256"]) for file in values["files"]} == {
        path: (len(content), sha256(content).hexdigest()) for path, content in files.items()
    }
    shards = {path.name: path.read_bytes() for path in small.glob("*.tfrecord-*")}
    assert {file["shard"]: (file["shard_sha256"], file["records"]) for file in values["files"] if "shard" in file} == {
        name: (sha256(content).hexdigest(), len(list(read_records(content)))) for name, content in shards.items()
    }
    provenance = json.loads((small / "provenance.json").read_text())
    assert (values["dataset"], values["version"], values["digest"]) == ("small", "1.0.0", provenance["digest"])
    assert (values["format"], values["records"]) == (kind, {"train": 160, "validation": 40})


def test_the_version_stays_what_it_is(small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = tree_bytes(small)
    assert run(small, tmp_path / "out") == 0
    assert "small 1.0.0 -> " in (text := capsys.readouterr().out)
    assert "200 patches (train 160, validation 40) in 8 files" in text
    assert tree_bytes(small) == before


@pytest.mark.parametrize("kind", ["parquet", "arrayrecord"])
def test_a_single_split(small: Path, tmp_path: Path, kind: str) -> None:
    assert run(small, tmp_path / "out", "--split", "validation", kind=kind) == 0
    named = "".join(path for path in tree_bytes(tmp_path / "out"))
    assert "validation-00000-of-00001" in named.replace(".array_record", "")
    assert "train" not in named
    text = (tmp_path / "out" / ("README.md" if kind == "parquet" else "dataset_info.json")).read_text()
    assert "validation" in text
    assert "train-" not in text.replace("train-00000-of-NNNNN", "")


def test_an_earlier_export_is_replaced(small: Path, tmp_path: Path) -> None:
    assert run(small, tmp_path / "out", kind="arrayrecord") == 0
    assert run(small, tmp_path / "out") == 0
    assert run(small, tmp_path / "new") == 0
    assert tree_bytes(tmp_path / "out") == tree_bytes(tmp_path / "new")
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.endswith(".lock")) == ["new", "out"]


def test_a_folder_with_anything_else_is_refused(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    assert run(small, out) == 0
    (out / "data" / "notes.txt").write_text("mine")
    before = tree_bytes(out)
    assert run(small, out) == 1
    assert "data/notes.txt in it is of no export" in capsys.readouterr().err
    assert tree_bytes(out) == before
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "export.json").write_text('{"kind": "of somebody else", "files": []}')
    assert run(small, tmp_path / "other") == 1
    assert "export.json in it is of no export" in capsys.readouterr().err
    (tmp_path / "other" / "export.json").write_text("[" * 200_000)
    assert run(small, tmp_path / "other") == 1
    assert "export.json in it is of no export" in capsys.readouterr().err


def test_a_flag_that_is_not_written_out_is_no_flag_of_this_command(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(small, tmp_path / "out", "--licens=mit") == 1
    assert "licens" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("out", "more", "message"),
    [
        ("s3://bucket/x", [], "expected a folder of this machine, to be copied to a store afterwards"),
        ("version/export", [], "a folder outside of the dataset"),
        ("file", [], "expected a folder, it is a file"),
        ("out", ["--split", "test"], "--split: expected one of train, validation, got 'test'"),
        ("out", ["--license", "two\nlines"], "--license: expected one line, such as apache-2.0"),
        ("out", ["--splt", "x"], "got '--splt'"),
    ],
)
def test_what_a_user_gave_wrong_is_one_message(
    version: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], out: str, more: list[str], message: str
) -> None:
    (tmp_path / "file").write_text("mine")
    before = tree_bytes(tmp_path)
    assert (
        main([str(version), "--format", "parquet", "--out", out if "://" in out else str(tmp_path / out), *more]) == 1
    )
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert tree_bytes(tmp_path) == before


def test_a_license_has_no_place_in_array_records(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(small, tmp_path / "out", "--license", "apache-2.0", kind="arrayrecord") == 1
    assert "--license: expected nothing but for --format parquet" in capsys.readouterr().err


def test_what_is_no_dataset_is_not_exported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "nothing", tmp_path / "out") == 1
    assert "there is no such folder" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def train(version: Path) -> Path:
    return sorted(version.glob("small-train*"))[1]


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "shard": (lambda version: flip(train(version)), "small-train.tfrecord-00001-of-00004: expected SHA-256"),
    "shard gone": (lambda version: train(version).unlink(), "tfrecord-00001-of-00004: the shard cannot be read"),
    "index": (
        lambda version: flip(version / "patches" / f"{train(version).name}.parquet"),
        "small-train.tfrecord-00001-of-00004.parquet: expected SHA-256",
    ),
    "labels of acquisitions": (
        lambda version: flip(version / "acquisitions.parquet"), "acquisitions.parquet: expected SHA-256",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_what_is_broken_ends_in_words_and_leaves_nothing(version: Path, tmp_path: Path, name: str) -> None:
    plant, message = BROKEN[name]
    assert run(version, tmp_path / "out", kind="arrayrecord") == 0
    before = tree_bytes(tmp_path / "out")
    plant(version)
    with pytest.raises(DatasetError, match=message) as error:
        export_dataset(files_of(version), tmp_path / "out", ExportOptions("parquet"))
    assert "run `python -m pipelines.verify " in str(error.value)
    assert tree_bytes(tmp_path / "out") == before
    assert not (tmp_path / ".out.part").exists()


def test_a_record_that_the_index_does_not_name_is_found(version: Path, tmp_path: Path) -> None:
    """Shards exchanged together with what provenance.json says of them: each file alone is as stated."""
    one, other = sorted(version.glob("small-train*"))[:2]
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)
    values: Any = json.loads((version / "provenance.json").read_text())
    first, second = (row for row in values["shards"] if row["name"] in (one.name, other.name))
    for key in ("sha256", "bytes"):
        first[key], second[key] = second[key], first[key]
    (version / "provenance.json").write_text(json.dumps(values))
    with pytest.raises(RecordError, match=r"00000-of-00004: record 0: expected the image of .*, its key is "):
        export_dataset(files_of(version), tmp_path / "out", ExportOptions("parquet"))


def test_without_its_package_the_format_is_refused(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "array_record.python.array_record_module", None)
    assert run(small, tmp_path / "out", kind="arrayrecord") == 1
    assert "expected parquet, or an installed package array_record" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
