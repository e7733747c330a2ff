"""A shard as a Parquet file with PNG images in it, as Hugging Face `datasets` and mlcroissant read them."""

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from drae_data.acquisition import KEY_COLUMNS, AcquisitionKey
from drae_data.encodings import decode_patch_image
from drae_data.errors import DatasetError, RecordError
from drae_data.exports.shard_patches import ExportedShard, StoredPatch, published_file, stored_patches
from drae_data.files import Files, sha256_hex
from drae_data.patch_index import verify_advice
from drae_data.png import encode_png
from drae_data.tables import SCHEMAS, TABLES, read_table
from drae_data.verification.claims import Claims

_INDEX = SCHEMAS["patches"]
# Behind the digest stand the statistics.
_STATISTICS = _INDEX.names[_INDEX.get_field_index("sha256") + 1 :]
# A group of so many rows is written at a time: some 6 MB of PNG, what a viewer of rows fetches at once.
_GROUP_ROWS = 256
_UNIQUE = ("key", "sha256")


def _columns(*names: str) -> list[pa.Field]:
    return [_INDEX.field(name) for name in names]


_SCHEMA = pa.schema([
    ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
    *_columns("key", *KEY_COLUMNS),
    ("frame", pa.int32()),
    ("rank", pa.string()),
    *_columns("vial", "region", "split"),
    ("label", pa.string()),
    *_columns("sha256", *_STATISTICS),
])  # fmt: skip
# What tells `datasets` that the column image holds pictures; the others are what Arrow says, but for one name.
_FEATURES = {
    field.name: {"_type": "Image"}
    if field.name == "image"
    else {"_type": "Value", "dtype": {"float": "float32"}.get(str(field.type), str(field.type))}
    for field in _SCHEMA
}
SCHEMA = _SCHEMA.with_metadata({b"huggingface": json.dumps({"info": {"features": _FEATURES}}, sort_keys=True).encode()})


def parquet_path(shard: ExportedShard) -> str:
    """Where a shard's Parquet file lies, relative to the export."""
    return f"data/{shard.claim.split}-{shard.number:05d}-of-{shard.count:05d}.parquet"


def read_acquisition_labels(files: Files, claims: Claims) -> dict[AcquisitionKey, str]:
    """The label of every acquisition of a version; raises `DatasetError` like `published_file`."""
    table = read_table("acquisitions", published_file(files, claims, TABLES["acquisitions"]))
    return {AcquisitionKey.of(row): row["label"] for row in table.select([*KEY_COLUMNS, "label"]).to_pylist()}


def write_parquet(
    target: Path, files: Files, claims: Claims, shard: ExportedShard, labels: Mapping[AcquisitionKey, str],
    pool: ThreadPoolExecutor, written: Callable[[int], None],
) -> None:  # fmt: skip
    """Writes one shard as a Parquet file, rows in the order of records.

    Args:
        target: the file.
        files: the version folder.
        claims: of the version.
        shard: to be written.
        labels: of the acquisitions.
        pool: encodes raw patches as PNG; the bytes do not depend on how many threads it has.
        written: called with the number of rows of each group once it is written.

    Raises:
        DatasetError: see `stored_patches`; or an acquisition has no label.
        RecordError: see `stored_patches`.
    """
    options: dict[str, Any] = {
        # PNG does not shrink further; keys and digests never come twice.
        "compression": {name: "none" if name == "image.bytes" else "zstd" for name in _leaves()},
        "use_dictionary": [field.name for field in SCHEMA if field.type == pa.string() and field.name not in _UNIQUE],
        "write_statistics": [name for name in _leaves() if not name.startswith("image.")],
    }
    patches = stored_patches(files, shard.claim)
    target.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(target, SCHEMA, **options) as writer:
        while group := list(islice(patches, _GROUP_ROWS)):
            try:
                images = list(pool.map(lambda patch: _as_png(patch, claims), group))
            except RecordError as error:
                raise RecordError(f"{files.root}/{shard.claim.name}: {error}; {verify_advice(files.root)}") from error
            rows = list(_rows(group, images, labels))
            writer.write_table(pa.Table.from_pylist(rows, schema=SCHEMA))
            written(len(group))


def _leaves() -> Iterator[str]:
    for field in SCHEMA:
        parts = [f".{part.name}" for part in field.type] if pa.types.is_struct(field.type) else [""]
        yield from (f"{field.name}{part}" for part in parts)


def _as_png(patch: StoredPatch, claims: Claims) -> bytes:
    if claims.encoding == "png":
        return patch.encoded
    return encode_png(decode_patch_image(patch.encoded, claims.size, claims.encoding))


def _rows(
    patches: list[StoredPatch], images: list[bytes], labels: Mapping[AcquisitionKey, str]
) -> Iterator[dict[str, Any]]:
    for patch, image in zip(patches, images, strict=True):
        row, key = patch.row, AcquisitionKey.of(patch.row)
        if key not in labels:
            raise DatasetError(f"acquisition {key}: it has patches, but no row in {TABLES['acquisitions']}")
        rank = patch.features["rank"]
        yield {
            **{name: row[name] for name in SCHEMA.names if name in row},
            "image": {"bytes": image, "path": row["key"].replace("/", "_") + ".png"},
            "frame": patch.features["frame"],
            "rank": rank.decode() if isinstance(rank, bytes) else "",
            "label": labels[key],
            "sha256": sha256_hex(image),
        }
