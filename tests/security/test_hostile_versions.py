"""A published version, scores and params files from strangers: they are read as data, within their own folder."""

import io
import json
import os
import pickle
import struct
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drae_acceptance.errors import ScoreError
from drae_acceptance.gallery import FOLDER, INDEX, read_gallery
from drae_data.errors import DatasetError, KeyFormatError, RecordError
from drae_data.files import sha256_hex
from drae_data.local_files import LocalFiles
from drae_data.patch_lookup import find_patch
from drae_data.records import count_records, masked_crc, read_records
from drae_data.tables import SCHEMAS, TABLES, read_ledger, read_table, table_rows
from drae_data.verification.claims import ShardClaim, read_claims
from drae_data.verification.frames import frames_changed
from pipelines.params import ParamsError, load_params
from pipelines.score_parts import part_name, read_part
from tests.security.bounded import run_bounded
from tests.small_line import build_dataset, files_of, write_line
from tests.small_params import LINE


@pytest.fixture
def version(tmp_path: Path) -> Path:
    build_dataset(write_line(tmp_path / "frames"), tmp_path / "version")
    return tmp_path / "version"


def change_json(path: Path, *keys: str | int, to: object) -> None:
    values: Any = json.loads(path.read_text())
    holder = values
    for key in keys[:-1]:
        holder = holder[key]
    holder[keys[-1]] = to
    path.write_text(json.dumps(values))


@pytest.mark.parametrize("name", ["/dev/zero", "../frames/A/run_00/frame_00.png", "a\nb", "a\x1b[2J"])
def test_a_shard_is_a_file_of_the_version_folder(version: Path, name: str) -> None:
    """Its name stands in a JSON file: it could otherwise name any file, and one that never ends."""
    change_json(version / "provenance.json", "shards", 0, "name", to=name)
    with pytest.raises(DatasetError, match=r"shards\[0\]: name: expected"):
        read_claims(files_of(version))


def rewrite(path: Path, name: str, **changes: Any) -> None:
    """Changes columns of the first row of a published table."""
    table = read_table(name, path.read_bytes())
    rows = table.to_pylist()
    rows[0].update(changes)
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), sink)
    path.write_bytes(sink.getvalue())


@pytest.mark.parametrize("folder", ["/dev", "../../../../../../dev"])
def test_frames_are_looked_for_below_their_root_alone(version: Path, tmp_path: Path, folder: str) -> None:
    """The table says which files a version was built from: `verify --root` must not read others for it."""
    table = read_table("acquisitions", (version / TABLES["acquisitions"]).read_bytes())
    row = table.to_pylist()[0]
    frames = [{**frame, "file": "zero"} for frame in row["frames"]]
    rewrite(version / TABLES["acquisitions"], "acquisitions", folder=folder, frames=frames)
    code = (
        "import sys\nfrom drae_data.local_files import LocalFiles\n"
        "from drae_data.verification.frames import frames_changed\n"
        "for fault in frames_changed(LocalFiles(sys.argv[1]), LocalFiles(sys.argv[2])):\n    print(fault.name)\n"
    )
    said = run_bounded(code, str(version), str(tmp_path / "frames"))
    assert said.split() == ["frame_missing"] * len(frames)


def test_a_length_with_a_right_checksum_is_not_believed(tmp_path: Path) -> None:
    """TFRecord protects a length against accidents, not against somebody who computes checksums."""
    for length in (1 << 31, 1 << 40, (1 << 63) - 1, (1 << 64) - 1):
        header = struct.pack("<Q", length)
        data = header + struct.pack("<I", masked_crc(header)) + b"abc"
        (tmp_path / "shard").write_bytes(data)
        with pytest.raises(RecordError, match=f"the file ends inside its {length} bytes"):
            list(read_records(data))
        with (tmp_path / "shard").open("rb") as stream, pytest.raises(RecordError, match="the file ends inside"):
            count_records(stream)


def parquet(schema: pa.Schema, columns: list[pa.Array], metadata: dict[bytes, bytes]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(columns, schema=schema.with_metadata(metadata)), sink)
    return sink.getvalue()


def test_texts_of_a_table_that_are_no_text_are_refused() -> None:
    """Parquet takes any bytes for a text; Python stumbles over them where a row is looked at."""
    bad = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(struct.pack("<ii", 0, 2)), pa.py_buffer(b"\xff\xfe")]
    )
    good = pa.array(["x"])
    metadata = {b"drae_schema": b"findings/2"}
    with pytest.raises(DatasetError, match="table findings: expected a Parquet file"):
        read_table("findings", parquet(SCHEMAS["findings"], [good, good, bad], metadata))
    with pytest.raises(DatasetError, match="table findings: expected a Parquet file"):
        read_table("findings", parquet(SCHEMAS["findings"], [good, good, good], {b"drae_schema": b"\xff"}))


def test_a_time_that_no_year_has_is_refused() -> None:
    column = pa.array([2**62], pa.timestamp("us", tz="UTC"))
    with pytest.raises(DatasetError, match="years 1 and 9999"):
        table_rows(pa.table({"acquired_at": column}))


def test_brackets_in_brackets_are_refused(version: Path) -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    schema = SCHEMAS["patches"].with_metadata({b"drae_ledger": deep})
    sink = io.BytesIO()
    pq.write_table(schema.empty_table(), sink)
    with pytest.raises(DatasetError, match="ledger"):
        read_ledger(sink.getvalue())
    (version / "provenance.json").write_bytes(deep)
    with pytest.raises(DatasetError, match=r"provenance\.json: expected JSON"):
        read_claims(files_of(version))
    with pytest.raises(DatasetError, match=r"provenance\.json: expected JSON"):
        find_patch(files_of(version), "A/r0/f00/v0/R0")


def test_a_patch_key_of_a_stranger_is_refused_in_words(version: Path) -> None:
    with pytest.raises(KeyFormatError):
        find_patch(files_of(version), "A/r0/f" + "1" * 5000 + "/v0/R0")


@pytest.mark.parametrize("boxes", [[["R0", [[0, 0, 8]]]], [["R0", [8]]], [["R0"]], {"R0": 1}, 7])
def test_distorted_boxes_are_refused_in_words(version: Path, boxes: object) -> None:
    change_json(version / "provenance.json", "parameters", "strip_layout", "layouts", 0, 1, "boxes", to=boxes)
    with pytest.raises(DatasetError, match=r"provenance\.json: expected the parameters of a build"):
        find_patch(files_of(version), "A/r0/f00/v0/R0")


class Payload:
    """A pickle that makes a folder when it is read."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.place),)


def test_pickled_scores_are_not_unpickled(tmp_path: Path) -> None:
    """NumPy's files can hold pickles, which are programs."""
    claim = ShardClaim("small-train.tfrecord-00000-of-00001", "train", "", "", 0, 3)
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (3,), }"
    header += b" " * (117 - len(header)) + b"\n"
    pickled = pickle.dumps(Payload(tmp_path / "made"))
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + pickled
    for data in (content, pickled):
        (tmp_path / part_name(claim.name)).write_bytes(data)
        with pytest.raises(ScoreError, match="expected the scores of a shard"):
            read_part(files_of(tmp_path), claim)
    assert not (tmp_path / "made").exists()
    pickle.loads(pickled)
    assert (tmp_path / "made").exists(), "the payload would have worked"


@pytest.mark.parametrize("name", ["/dev/zero", "../../secret.png"])
def test_a_gallery_names_files_of_its_own_folder(tmp_path: Path, name: str) -> None:
    """What it names goes into the report, which is handed on."""
    picture = {
        "key": "A/r0/f00/v0/R0", "strip": "A", "run": 0, "image": "f00", "vial": 0, "region": "R0", "score": 0.5,
        "label": "good", "defect": "", "frames": [], "patch_sha256": "", "picture": name, "box": [0, 0, 1, 1],
        "reconstruction": "b.png", "heatmap": "c.png", "pictures_sha256": ["0", "0", "0"],
    }  # fmt: skip
    (tmp_path / FOLDER).mkdir()
    content = json.dumps([picture]).encode()
    (tmp_path / FOLDER / INDEX).write_bytes(content)
    with pytest.raises(ScoreError, match="the name of a picture in the same folder"):
        read_gallery(tmp_path, sha256_hex(content))


def test_a_few_lines_of_yaml_do_not_stand_for_gigabytes(tmp_path: Path) -> None:
    """Each anchor repeats the one before ten times: a thousand million values, of which a message would tell."""
    lines = ["bomb:", "- &a0 [" + ", ".join(["x"] * 10) + "]"]
    lines += [f"- &a{number} [" + ", ".join([f"*a{number - 1}"] * 10) + "]" for number in range(1, 9)]
    (tmp_path / "params.yaml").write_text(LINE + "\n".join(lines) + "\n")
    code = (
        "import sys\nfrom pathlib import Path\nfrom pipelines.params import ParamsError, load_params\n"
        "try:\n    load_params(Path(sys.argv[1]))\nexcept ParamsError as error:\n    print(error)\n"
    )
    said = run_bounded(code, str(tmp_path / "params.yaml"), address_space=6 << 30)
    assert "at most 100,000 values" in said
    assert len(said) < 1000


@pytest.mark.parametrize(
    "value", ["!!python/object/apply:os.mkdir ['{place}']", "!!python/name:os.mkdir", "!!python/module:os", "!x {{}}"]
)
def test_a_params_file_makes_no_objects(tmp_path: Path, value: str) -> None:
    place = tmp_path / "params.yaml"
    place.write_text(LINE.replace("seed: 7", "seed: " + value.format(place=tmp_path / "made")))
    with pytest.raises(ParamsError, match="expected YAML"):
        load_params(place)
    assert not (tmp_path / "made").exists()


def test_anchors_of_people_are_taken(tmp_path: Path) -> None:
    text = LINE.replace("frames: [0, 1, 2]\n", "frames: &all [0, 1, 2]\n").replace(
        "{frames: [0, 1, 2],", "{frames: *all,"
    )
    assert "*all" in text
    (tmp_path / "params.yaml").write_text(text)
    assert load_params(tmp_path / "params.yaml").build["small"].images.frames == [0, 1, 2]


def test_frames_of_a_version_are_compared_where_the_table_is_honest(version: Path, tmp_path: Path) -> None:
    assert list(frames_changed(files_of(version), LocalFiles(str(tmp_path / "frames")))) == []
