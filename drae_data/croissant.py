"""`croissant.json`: a published version in the words of Croissant 1.0 (MLCommons), for tools that look for datasets.

The file repeats what the other files say, so the dataset digest does not cover it. Croissant names no TFRecord: shards
stand in it as files with their digests, and its record sets are the Parquet tables.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from drae_data.column_texts import COLUMN_TEXTS, TABLE_TEXTS
from drae_data.files import sha256_hex
from drae_data.metadata import json_bytes
from drae_data.tables import SCHEMAS, TABLES
from drae_data.version_files import PATCHES, part_path

PARQUET = "application/x-parquet"
_CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
# No media type is registered for it: Croissant then wants the address of a page that describes the format.
_TFRECORD = "https://www.tensorflow.org/tutorials/load_data/tfrecord"
_FORMATS = {".parquet": PARQUET, ".json": "application/json", ".md": "text/markdown"}
# The names of Croissant's own vocabulary, as every file of it declares them.
_TERMS = (
    "citeAs", "column", "equivalentProperty", "extract", "field", "fileProperty", "fileObject", "fileSet", "format",
    "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex",
    "repeated", "replace", "samplingRate", "separator", "source", "subField", "transform",
)  # fmt: skip
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in _TERMS},
}


@dataclass(frozen=True)
class DescribedFile:
    """A file as `croissant.json` names it.

    Attributes:
        path: in the folder.
        bytes: its size.
        sha256: of its content.
        text: what it holds, in words.
    """

    path: str
    bytes: int
    sha256: str
    text: str = ""


@dataclass(frozen=True)
class Described:
    """What the metadata says of a dataset as a whole.

    Attributes:
        name: of the dataset.
        version: of the dataset.
        digest: of the dataset.
        size: side of the patches in pixels.
        encoding: how records hold them.
        records: per split.
    """

    name: str
    version: str
    digest: str
    size: int
    encoding: str
    records: Mapping[str, int]


@dataclass(frozen=True)
class DescribedShard:
    """A shard with its part of the patch index, as `croissant.json` names them."""

    name: str
    split: str
    records: int
    bytes: int
    sha256: str
    index_bytes: int
    index_sha256: str


def croissant(dataset: Described, shards: Iterable[DescribedShard], others: Mapping[str, bytes]) -> bytes:
    """The bytes of a version's `croissant.json`.

    Args:
        dataset: what it is.
        shards: in any order.
        others: the content of all other files of the version, by path.
    """
    texts = {path: TABLE_TEXTS[name] for name, path in TABLES.items()}
    files = [DescribedFile(path, len(data), sha256_hex(data), texts.get(path, "")) for path, data in others.items()]
    for shard in shards:
        text = f"TFRecord file of the split {shard.split}, records: {shard.records}"
        files += (
            DescribedFile(shard.name, shard.bytes, shard.sha256, text),
            DescribedFile(part_path(shard.name), shard.index_bytes, shard.index_sha256),
        )
    index = {"fileSet": {"@id": "patch-index"}}
    tables = {name: {"fileObject": {"@id": path}} for name, path in TABLES.items()}
    record_sets = [
        table_records(name, SCHEMAS[name], source, COLUMN_TEXTS[name], TABLE_TEXTS[name])
        for name, source in {"patches": index, **tables}.items()
    ]
    # No column names the shard: the part's own name does.
    by_name = {**index, "extract": {"fileProperty": "filename"}, "transform": {"regex": r"^(.*)\.parquet$"}}
    record_sets[0]["field"].append({
        "@type": "cr:Field", "@id": "patches/shard", "name": "shard", "description": "file name of the shard",
        "dataType": "sc:Text", "source": by_name,
    })  # fmt: skip
    parts = file_set("patch-index", f"{PATCHES}/*.parquet", TABLE_TEXTS["patches"])
    return document(dataset, [*file_objects(files), parts], record_sets)


def document(
    dataset: Described, distribution: Sequence[Mapping[str, Any]], record_sets: Sequence[Mapping[str, Any]],
    **more: str,
) -> bytes:  # fmt: skip
    """A whole Croissant file.

    Args:
        dataset: what it is of.
        distribution: file objects and file sets.
        record_sets: what is read from them.
        more: further properties of the dataset, such as its license.
    """
    counts = " and ".join(f"{count:,} in {split}" for split, count in sorted(dataset.records.items()))
    return json_bytes({
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": _CONFORMS_TO,
        "name": dataset.name,
        "version": dataset.version,
        "identifier": f"sha256:{dataset.digest}",
        "description": f"Grey patches of {dataset.size} x {dataset.size} pixels ({dataset.encoding}), cut from camera "
        f"images of vial strips, one per image, vial and region: {counts}.",
        "distribution": list(distribution),
        "recordSet": list(record_sets),
        **more,
    })  # fmt: skip


def file_objects(files: Iterable[DescribedFile]) -> list[dict[str, Any]]:
    """Files as Croissant's file objects, in the order of their paths."""
    return [
        {
            "@type": "cr:FileObject", "@id": file.path, "name": file.path, "contentUrl": file.path,
            "contentSize": f"{file.bytes} B", "sha256": file.sha256, "encodingFormat": _format_of(file.path),
            **({"description": file.text} if file.text else {}),
        }
        for file in sorted(files, key=lambda file: file.path)
    ]  # fmt: skip


def _format_of(path: str) -> str:
    return next((kind for suffix, kind in _FORMATS.items() if path.endswith(suffix)), _TFRECORD)


def file_set(name: str, includes: str, text: str) -> dict[str, Any]:
    """Parquet files of one schema as Croissant's file set.

    Args:
        name: by which record sets refer to it.
        includes: a pattern of paths.
        text: what the files hold, in words.
    """
    return {
        "@type": "cr:FileSet", "@id": name, "name": name, "description": text, "encodingFormat": PARQUET,
        "includes": includes,
    }  # fmt: skip


def table_records(
    name: str, schema: pa.Schema, source: Mapping[str, Any], texts: Mapping[str, str], text: str
) -> dict[str, Any]:
    """A Parquet table as a record set whose fields are its columns; a column named key tells its rows apart.

    Args:
        name: of the record set.
        schema: of the table.
        source: the file object or file set that holds it.
        texts: what each column means, by name.
        text: what the table holds.
    """
    fields = [_column_field(name, column, source, texts) for column in schema]
    records = {"@type": "cr:RecordSet", "@id": name, "name": name, "description": text, "field": fields}
    return {**records, "key": {"@id": f"{name}/key"}} if "key" in schema.names else records


def _column_field(table: str, column: pa.Field, source: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
    """A column as a field; a list of structures has a field below it for each of their parts."""
    kind, extract = column.type, {**source, "extract": {"column": column.name}}
    repeated = {"repeated": True} if pa.types.is_list(kind) else {}
    inner = kind.value_type if repeated else kind
    field = {**_named(table, column.name, texts), **repeated}
    if not pa.types.is_struct(inner):
        return {**field, "dataType": _data_type(inner), "source": extract}
    parts = [
        {
            **_named(table, f"{column.name}.{part.name}", texts), "dataType": _data_type(part.type),
            "source": {**extract, "transform": {"jsonPath": part.name}},
        }
        for part in inner
    ]  # fmt: skip
    return {**field, "subField": parts}


def _named(table: str, path: str, texts: Mapping[str, str]) -> dict[str, Any]:
    name = path.rpartition(".")[2]
    return {"@type": "cr:Field", "@id": f"{table}/{path.replace('.', '/')}", "name": name, "description": texts[path]}


def _data_type(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind):
        return "sc:Integer"
    if pa.types.is_floating(kind):
        return "sc:Float"
    return "sc:DateTime" if pa.types.is_timestamp(kind) else "sc:Text"
