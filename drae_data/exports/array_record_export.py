"""A shard as an ArrayRecord file, for readers that want any record by its number (Grain, TFDS data sources).

One record in each of the file's groups, not compressed: so a reader decodes no neighbours, and the bytes depend on no
compression library. They repeat, whatever the number of threads that the writer uses (decision 26, and a test).
"""

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from drae_data.errors import OptionError
from drae_data.exports.shard_patches import ExportedShard, stored_patches
from drae_data.files import Files
from drae_data.metadata import json_bytes
from drae_data.verification.claims import Claims

FILE_FORMAT = "array_record"
_OPTIONS = "group_size:1,uncompressed"
# How often it is said that records were written.
_STEP = 256


def array_record_path(claims: Claims, shard: ExportedShard) -> str:
    """Where a shard's ArrayRecord file lies, relative to the export: the name that TFDS looks for."""
    return f"{claims.info.name}-{shard.claim.split}.{FILE_FORMAT}-{shard.number:05d}-of-{shard.count:05d}"


def array_record_module() -> Any:
    """The package's module.

    Raises:
        OptionError: it is not installed.
    """
    try:
        return import_module("array_record.python.array_record_module")
    except ImportError as error:
        raise OptionError(
            "--format", "arrayrecord", f"parquet, or an installed package array_record (requirements.lock): {error}"
        ) from error


def write_array_record(target: Path, files: Files, shard: ExportedShard, written: Callable[[int], None]) -> None:
    """Writes one shard as an ArrayRecord file of the same serialized `tf.train.Example` messages in the same order.

    Args:
        target: the file.
        files: the version folder.
        shard: to be written.
        written: called now and then with the number of records since it was called last.

    Raises:
        DatasetError: see `stored_patches`.
        RecordError: see `stored_patches`.
    """
    writer = array_record_module().ArrayRecordWriter(str(target), _OPTIONS)
    count = 0
    try:
        for count, patch in enumerate(stored_patches(files, shard.claim), 1):
            writer.write(patch.example)
            if count % _STEP == 0:
                written(_STEP)
    finally:
        writer.close()
    written(count % _STEP)


def array_record_info(info: bytes, splits: tuple[str, ...]) -> bytes:
    """The version's `dataset_info.json` for its export: another file format, the exported splits.

    Args:
        info: as the version holds it.
        splits: that were exported.
    """
    values = json.loads(info)
    kept = [split for split in values["splits"] if split["name"] in splits]
    return json_bytes({**values, "fileFormat": FILE_FORMAT, "splits": kept})
