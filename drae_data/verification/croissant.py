"""`croissant.json` of a published version against the files that it repeats."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from drae_data.croissant import Described, DescribedShard, croissant
from drae_data.files import Files, sha256_hex
from drae_data.verification.claims import Claims
from drae_data.verification.shard import Fault, ShardFacts
from drae_data.version_files import COMMIT_POINT, CROISSANT, PATCHES, PROVENANCE

_LONGEST_TEXT = 120


def check_croissant(
    files: Files, claims: Claims, facts: Sequence[ShardFacts], others: Mapping[str, bytes | None]
) -> Iterator[Fault]:
    """Whether `croissant.json` says what the other files give, whatever the words of its descriptions.

    A text that a later release words more clearly is no fault of an earlier version.

    Nothing else holds the digests of `provenance.json` and `dataset_info.json`: a change in them shows here. Where
    another file is not the one that was built, that is a fault of its own and nothing is said here.

    Args:
        files: the version folder.
        claims: of the version.
        facts: of its shards, in the order of names.
        others: the content of the tables and of `features.json`, by path; None where it cannot be read.
    """
    try:
        found = files.read(CROISSANT)
        contents = {**others, **{path: files.read(path) for path in (PROVENANCE, COMMIT_POINT)}}
    except OSError as error:
        yield Fault("croissant_mismatch", CROISSANT, f"it cannot be read: {error.strerror or error}")
        return
    whole = {path: content for path, content in contents.items() if content is not None}
    as_built = all(sha256_hex(whole[path]) == claims.files[path] for path in others if path in whole) and all(
        (item.sha256, item.index_sha256) == (claims.shards[item.name].sha256, claims.shards[item.name].index_sha256)
        for item in facts
    )
    if not as_built or len(whole) < len(contents):
        return
    expected = croissant(_described(claims), _shards(files, claims), whole)
    if found == expected:
        return
    try:
        texts = _facts(expected), _facts(found)
    except (ValueError, RecursionError) as error:
        yield Fault("croissant_mismatch", CROISSANT, f"expected JSON: {error}")
        return
    if texts[0] != texts[1]:
        yield Fault("croissant_mismatch", CROISSANT, _first_difference(*texts))


def _facts(content: bytes) -> str:
    """A JSON text in one form, without descriptions at any depth; raises `ValueError` and `RecursionError`."""
    return json.dumps(json.loads(content.decode(), object_pairs_hook=_without_texts), indent=2, sort_keys=True)


def _without_texts(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"a name stands twice among {sorted(found)[:8]}")
    found.pop("description", None)
    return found


def _described(claims: Claims) -> Described:
    info = claims.info
    records = {split.name: sum(length for _, length in split.shards) for split in info.splits}
    return Described(info.name, info.version, claims.digest, claims.size, claims.encoding, records)


def _shards(files: Files, claims: Claims) -> Iterator[DescribedShard]:
    sizes = files.names(PATCHES)
    for shard in claims.shards.values():
        size = sizes[f"{shard.name}.parquet"]
        yield DescribedShard(
            shard.name, shard.split, shard.records, shard.bytes, shard.sha256, size, shard.index_sha256
        )  # fmt: skip


def _first_difference(expected: str, found: str) -> str:
    pairs = zip_longest(expected.split("\n"), found.split("\n"), fillvalue="")
    one, other = next((lines[0].strip(), lines[1].strip()) for lines in pairs if lines[0] != lines[1])
    return f"expected {one[:_LONGEST_TEXT]!r}, which the other files give, got {other[:_LONGEST_TEXT]!r}"
