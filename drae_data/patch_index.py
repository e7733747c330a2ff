"""The patch index of a published version: which records a shard holds, and single patches read by it."""

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from drae_data.encodings import decode_patch_image
from drae_data.errors import DatasetError, RecordError
from drae_data.files import Files, sha256_hex
from drae_data.rank_images import Pixels
from drae_data.records import IMAGE, decode_example
from drae_data.tables import read_table
from drae_data.verification.claims import Claims, ShardClaim
from drae_data.version_files import part_path

_CHUNK = 1 << 20


def read_index(files: Files, shard: ShardClaim) -> pa.Table:
    """The patch index of a shard; row n is record n.

    Args:
        files: the version folder.
        shard: as `provenance.json` states it.

    Raises:
        DatasetError: the index is not the one that was built.
    """
    path = part_path(shard.name)
    place = f"{files.root}/{path}"
    try:
        content = files.read(path)
    except OSError as error:
        raise DatasetError(f"{place}: the patch index cannot be read: {error.strerror or error}") from error
    if (digest := sha256_hex(content)) != shard.index_sha256:
        raise DatasetError(f"{place}: expected SHA-256 {shard.index_sha256}, got {digest}; {verify_advice(files.root)}")
    table = read_table("patches", content)
    if table.num_rows != shard.records:
        raise DatasetError(f"{place}: expected {shard.records} rows, got {table.num_rows}")
    return table


def check_shard(files: Files, shard: ShardClaim) -> None:
    """Whether a shard's bytes are those that were built; a chunk of them is in memory at a time.

    Args:
        files: the version folder.
        shard: as `provenance.json` states it.

    Raises:
        DatasetError: they are not, or cannot be read.
    """
    place = f"{files.root}/{shard.name}"
    try:
        with files.open(shard.name) as stream:
            digest = hashlib.sha256()
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise DatasetError(
            f"{place}: the shard cannot be read: {error.strerror or error}; {verify_advice(files.root)}"
        ) from error
    if (came := digest.hexdigest()) != shard.sha256:
        raise DatasetError(f"{place}: expected SHA-256 {shard.sha256}, got {came}; {verify_advice(files.root)}")


def index_columns(files: Files, shard: ShardClaim, columns: list[str]) -> dict[str, npt.NDArray[np.generic]]:
    """Columns of a shard's patch index; raises like `read_index`."""
    table = read_index(files, shard)
    return {column: table.column(column).to_numpy(zero_copy_only=False) for column in columns}


def read_patch(files: Files, claims: Claims, shard: str, row: dict[str, Any]) -> Pixels:
    """One patch by its row of the index: uint8 [size, size].

    Args:
        files: the version folder.
        claims: of the version.
        shard: that holds the patch.
        row: of the index: key, offset, length, sha256.

    Raises:
        DatasetError: the shard cannot be read.
        RecordError: the record is not the one that the index names.
    """
    place = f"{files.root}/{shard}: expected the image of {row['key']} at byte {row['offset']:,}"
    try:
        with files.open(shard) as stream:
            stream.seek(row["offset"])
            data = stream.read(row["length"])
        encoded = decode_example(data).get(IMAGE)
    except OSError as error:
        raise DatasetError(f"{place}, got: {error.strerror or error}; {verify_advice(files.root)}") from error
    except RecordError as error:
        raise RecordError(f"{place}, got: {error}; {verify_advice(files.root)}") from error
    if not isinstance(encoded, bytes) or sha256_hex(encoded) != row["sha256"]:
        raise RecordError(f"{place} with SHA-256 {row['sha256']}, got another; {verify_advice(files.root)}")
    return decode_patch_image(encoded, claims.size, claims.encoding)


def verify_advice(root: str) -> str:
    """What to do about a version that is not what it states."""
    return f"run `python -m pipelines.verify {root}` for all faults, then build the version again"
