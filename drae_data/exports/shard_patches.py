"""The patches of a shard, record by record, each checked against the index: what every export is made from."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from drae_data.errors import DatasetError, RecordError
from drae_data.files import Files, sha256_hex
from drae_data.patch_index import check_shard, read_index, verify_advice
from drae_data.records import IMAGE, decode_example, read_records
from drae_data.verification.claims import Claims, ShardClaim


@dataclass(frozen=True)
class StoredPatch:
    """A patch as its shard holds it.

    Attributes:
        row: of the patch index.
        example: the serialized `tf.train.Example`.
        features: what it holds.
        encoded: its feature image.
    """

    row: dict[str, Any]
    example: bytes
    features: dict[str, bytes | int]
    encoded: bytes


@dataclass(frozen=True)
class ExportedShard:
    """A shard and its place among those of its split."""

    claim: ShardClaim
    number: int
    count: int


def shards_of(claims: Claims, splits: tuple[str, ...]) -> list[ExportedShard]:
    """The shards of some splits, in their order.

    Raises:
        DatasetError: `dataset_info.json` names a shard that `provenance.json` does not.
    """
    found = []
    for split in claims.info.splits:
        for number, (name, _) in enumerate(split.shards):
            if split.name not in splits:
                continue
            if name not in claims.shards:
                raise DatasetError(f"shard {name}: dataset_info.json names it, provenance.json does not")
            found.append(ExportedShard(claims.shards[name], number, len(split.shards)))
    return found


def published_file(files: Files, claims: Claims, path: str) -> bytes:
    """The content of a table or of `features.json`.

    Args:
        files: the version folder.
        claims: of the version.
        path: in the folder.

    Raises:
        DatasetError: it is not the file that was built, or cannot be read.
    """
    place = f"{files.root}/{path}"
    try:
        content = files.read(path)
    except OSError as error:
        raise DatasetError(
            f"{place}: cannot be read: {error.strerror or error}; {verify_advice(files.root)}"
        ) from error
    if (digest := sha256_hex(content)) != claims.files[path]:
        raise DatasetError(f"{place}: expected SHA-256 {claims.files[path]}, got {digest}; {verify_advice(files.root)}")
    return content


def stored_patches(files: Files, shard: ShardClaim) -> Iterator[StoredPatch]:
    """The patches of a shard in the order of its records; one record is in memory at a time.

    Args:
        files: the version folder.
        shard: as `provenance.json` states it.

    Raises:
        DatasetError: the shard or its index is not the one that was built, or cannot be read.
        RecordError: a record is not the one that the index names.
    """
    check_shard(files, shard)
    rows = read_index(files, shard).to_pylist()
    place = f"{files.root}/{shard.name}"
    count = 0
    try:
        with files.open(shard.name) as stream:
            for count, (_, example) in enumerate(read_records(stream), 1):
                if count > len(rows):
                    break
                yield _checked(rows[count - 1], example)
    except OSError as error:
        raise DatasetError(f"{place}: the shard cannot be read: {error.strerror or error}") from error
    except RecordError as error:
        raise RecordError(f"{place}: {error}; {verify_advice(files.root)}") from error
    if count != len(rows):
        raise RecordError(f"{place}: expected {len(rows)} records, as its index has rows; {verify_advice(files.root)}")


def _checked(row: dict[str, Any], example: bytes) -> StoredPatch:
    features = decode_example(example)
    encoded = features.get(IMAGE)
    if features.get("key") != row["key"].encode() or not isinstance(encoded, bytes):
        raise RecordError(
            f"record {row['index']}: expected the image of {row['key']}, its key is {features.get('key')!r}"
        )
    if (digest := sha256_hex(encoded)) != row["sha256"]:
        raise RecordError(f"record {row['index']}: expected an image of SHA-256 {row['sha256']}, got {digest}")
    return StoredPatch(row, example, features, encoded)
