"""What stands beside exported Parquet files: `croissant.json`, and `README.md` with Hugging Face's front matter."""

import json
from collections.abc import Iterable

from drae_data.column_texts import COLUMN_TEXTS
from drae_data.croissant import Described, DescribedFile, document, file_objects, file_set, table_records
from drae_data.exports.parquet_export import SCHEMA

RECORD_SET = "images"
_FILES = "parquet-files"
_TEXT = "One row per patch, in the order of the records in the shards."
_INDEX_TEXTS = COLUMN_TEXTS["patches"]
# Every column of the export, in its order.
TEXTS: dict[str, str] = {
    name: {
        **_INDEX_TEXTS,
        "image": "the patch as PNG, 8 bit grey, and a name for it",
        "frame": "the frame's index, 0 up; -1 for a rank image",
        "rank": "min or max for a rank image; empty for a frame",
        "label": "of the acquisition: good, defective, excluded or unknown",
        "sha256": "SHA-256 of the PNG bytes, 64 lower-case hexadecimal digits",
    }[name]
    for name in SCHEMA.names
}


def export_croissant(dataset: Described, files: Iterable[DescribedFile], license_text: str) -> bytes:
    """The bytes of an export's `croissant.json`, whose record set `images` mlcroissant reads.

    Args:
        dataset: what it is.
        files: Parquet files and README.
        license_text: as the user gives it; empty for none.
    """
    source = {"fileSet": {"@id": _FILES}}
    records = table_records(RECORD_SET, SCHEMA.remove(0), source, TEXTS, _TEXT)
    # The split stands in the files' names: mlcroissant then reads no more files than a filter by it needs.
    splits = "|".join(sorted(dataset.records))
    by_name = {**source, "extract": {"fileProperty": "fullpath"}, "transform": {"regex": f"^data/({splits})-.*$"}}
    fields = [
        {
            "@type": "cr:Field", "@id": f"{RECORD_SET}/image", "name": "image", "description": TEXTS["image"],
            "dataType": "sc:ImageObject",
            "source": {**source, "extract": {"column": "image"}, "transform": {"jsonPath": "bytes"}},
        },
        *({**field, "source": by_name} if field["name"] == "split" else field for field in records["field"]),
    ]  # fmt: skip
    more = {"license": license_text} if license_text else {}
    distribution = [*file_objects(files), file_set(_FILES, "data/*.parquet", _TEXT)]
    return document(dataset, distribution, [{**records, "field": fields}], **more)


def export_readme(dataset: Described, license_text: str) -> bytes:
    """The bytes of an export's `README.md`; its front matter says where each split lies.

    Args:
        dataset: what it is.
        license_text: as the user gives it; empty for none.
    """
    front = [
        "---",
        *([f"license: {json.dumps(license_text)}"] if license_text else []),
        f"pretty_name: {dataset.name} {dataset.version}",
        "configs:",
        "- config_name: default",
        "  data_files:",
        *(line for split in dataset.records for line in (f"  - split: {split}", f'    path: "data/{split}-*.parquet"')),
        "---",
    ]
    counts = [f"| {split} | {count:,} |" for split, count in dataset.records.items()]
    columns = [f"| `{field.name}` | {field.type} | {TEXTS[field.name]} |" for field in SCHEMA]
    text = [
        f"# {dataset.name} {dataset.version}",
        f"Grey patches of {dataset.size} x {dataset.size} pixels, cut from camera images of vial strips, one per\n"
        "image, vial and region. Exported from the dataset with the digest",
        f"    {dataset.digest}",
        _lines(["| split | patches |", "| --- | --- |", *counts]),
        "Read it with any of:",
        '    datasets.load_dataset("FOLDER")["train"][0]["image"]\n'
        '    mlcroissant.Dataset("FOLDER/croissant.json").records("images", {"images/split": "train"})\n'
        '    pyarrow.parquet.read_table("FOLDER/data/train-00000-of-NNNNN.parquet")',
        _lines(["| column | type | meaning |", "| --- | --- | --- |", *columns]),
        "`export.json` names every file with its SHA-256 and the shard that it was made from.",
    ]
    return (_lines(front) + "\n\n" + "\n\n".join(text) + "\n").encode()


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)
