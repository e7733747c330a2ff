"""The JSON files of a published version: TFDS's `features.json` and `dataset_info.json`, and our `provenance.json`.

The first two are what `tfds.builder_from_directory` reads (TensorFlow Datasets 4.9); written here by hand, so that the
builder needs neither TFDS nor TensorFlow.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from drae_data import __version__
from drae_data.content import content, parameters
from drae_data.errors import DatasetError
from drae_data.files import Files, sha256_hex
from drae_data.options import DatasetOptions
from drae_data.records import FEATURES
from drae_data.shard_plan import ShardTask
from drae_data.version_files import part_path

# TFDS finds the shards by these two; the names are those that `shard_name` gives.
FILE_FORMAT = "tfrecord"
FILEPATH_TEMPLATE = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"
_TFDS = "tensorflow_datasets.core.features"


_IMAGE_FEATURES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "png": lambda shape: {
        "pythonClassName": f"{_TFDS}.image_feature.Image",
        "image": {"shape": shape, "dtype": "uint8", "encodingFormat": "png"},
    },
    # A tensor whose bytes stand as they are: TFDS's other encodings of uint8 take more room than PNG saves.
    "raw": lambda shape: {
        "pythonClassName": f"{_TFDS}.tensor_feature.Tensor",
        "tensor": {"shape": shape, "dtype": "uint8", "encoding": "bytes"},
    },
}


@dataclass(frozen=True)
class Extended:
    """The earlier version that a version extends: its number and digest."""

    version: str
    digest: str


def features(options: DatasetOptions) -> bytes:
    """`features.json`: what one record holds, for TFDS."""
    shape = {"dimensions": [str(options.patch.size), str(options.patch.size), "1"]}
    kinds: dict[str, dict[str, Any]] = {
        "image": _IMAGE_FEATURES[options.patch.encoding](shape),
        "text": {"pythonClassName": f"{_TFDS}.text_feature.Text", "text": {}},
        "int64": {
            "pythonClassName": f"{_TFDS}.scalar.Scalar",
            "tensor": {"shape": {}, "dtype": "int64", "encoding": "none"},
        },
    }
    return json_bytes({
        "pythonClassName": f"{_TFDS}.features_dict.FeaturesDict",
        "featuresDict": {"features": {name: kinds[kind] for name, kind in FEATURES.items()}},
    })  # fmt: skip


def dataset_info(options: DatasetOptions, plan: Sequence[ShardTask], shards: Mapping[str, dict[str, Any]]) -> bytes:
    """`dataset_info.json`: splits, shard lengths and sizes, for TFDS. Writing it is the commit."""
    by_split: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for task in plan:
        by_split[task.split].append(shards[task.name])
    splits = [
        {
            "name": split,
            "shardLengths": [str(ledger["records"]) for ledger in ledgers],
            "numBytes": str(sum(ledger["bytes"] for ledger in ledgers)),
            "filepathTemplate": FILEPATH_TEMPLATE,
        }
        for split, ledgers in by_split.items()
    ]
    return json_bytes({
        "name": options.name,
        "version": options.version,
        "description": "Patches of vial strips, one per image, vial and region; see provenance.json.",
        "fileFormat": FILE_FORMAT,
        "moduleName": "drae_data",
        "splits": splits,
    })  # fmt: skip


def dataset_digest(options: DatasetOptions, shards: Mapping[str, dict[str, Any]], others: Mapping[str, bytes]) -> str:
    """The digest of what a build wrote, see `combined_digest`.

    Args:
        options: of the dataset.
        shards: ledgers by shard name, each with the `sha256` of the shard and the `index_sha256` of its index.
        others: the content of the tables and of `features.json`, by path.
    """
    files = _digests(others)
    for name, ledger in shards.items():
        files[name], files[part_path(name)] = ledger["sha256"], ledger["index_sha256"]
    return combined_digest(options.name, options.version, content(options), files)


def combined_digest(name: str, version: str, content: Mapping[str, Any], files: Mapping[str, str]) -> str:
    """One SHA-256 for a dataset: name, version, content parameters, and path and SHA-256 of every file.

    It covers no path above the root, no time, no host and no commit: the same frames and parameters give the same
    digest on any machine, runner and worker count. `provenance.json`, which holds it, and `dataset_info.json` and
    `croissant.json`, which repeat what others say, are not covered.
    """
    identity = {"name": name, "version": version, "content": content, "files": files}
    return sha256_hex(json.dumps(identity, sort_keys=True).encode())


def _digests(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: sha256_hex(content) for path, content in files.items()}


def provenance(
    options: DatasetOptions, shards: Mapping[str, dict[str, Any]], digest: str, others: Mapping[str, bytes],
    ignored: int, extended: Extended | None,
) -> bytes:  # fmt: skip
    """`provenance.json`: parameters, code version, digests; with the tables it leads every patch back to its frame.

    Args:
        options: of the dataset.
        shards: ledgers by shard name, see `dataset_digest`.
        digest: of the dataset.
        others: the content of the tables and of `features.json`, by path.
        ignored: leftovers of systems and other files that were passed over below the root.
        extended: the earlier version, where there is one.
    """
    return json_bytes({
        "dataset": options.name,
        "version": options.version,
        "digest": digest,
        "code_version": __version__,
        # Those of the parameters below that decide the bytes of patches; the digest covers them.
        "content_parameters": sorted(content(options)),
        "parameters": parameters(options),
        "extends": None if extended is None else asdict(extended),
        "ignored_below_root": ignored,
        "shards": [
            {
                "name": name, "sha256": ledger["sha256"], "bytes": ledger["bytes"], "records": ledger["records"],
                "fingerprint": ledger["fingerprint"], "index": part_path(name), "index_sha256": ledger["index_sha256"],
            }
            for name, ledger in sorted(shards.items())
        ],
        "files": _digests(others),
    })  # fmt: skip


def read_json(files: Files, path: str, what: str) -> dict[str, Any]:
    """Reads one of the JSON files back.

    Raises:
        DatasetError: absent, or no JSON object; says what a user can do.
    """
    try:
        values = json.loads(files.read(path))
    except FileNotFoundError as error:
        if not files.names(""):
            what = "there is no such folder, or no file in it; expected a version such as datasets/production/1.0.0"
        raise DatasetError(f"{files.root}/{path}: absent: {what}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise DatasetError(f"{files.root}/{path}: expected JSON: {error}") from error
    if not isinstance(values, dict):
        raise DatasetError(f"{files.root}/{path}: expected a JSON object, got {type(values).__name__}")
    return values


def json_bytes(values: dict[str, Any]) -> bytes:
    """JSON as every published file holds it: names sorted, indented, UTF-8, a line feed at its end."""
    return (json.dumps(values, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()
