"""What the JSON files of a published version claim, checked entry by entry: what is distorted is one message."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from drae_data.acquisition import Image
from drae_data.encodings import CODECS
from drae_data.errors import DatasetError, KeyFormatError
from drae_data.files import Files
from drae_data.metadata import FILE_FORMAT, read_json
from drae_data.options import SPLITS_BY
from drae_data.shard_plan import shard_name
from drae_data.tables import TABLES
from drae_data.version_files import COMMIT_POINT, PROVENANCE

# The published files that are neither shards, nor parts of the patch index, nor the two that hold these claims.
OTHERS = (*TABLES.values(), "features.json")

_Kind = TypeVar("_Kind")


@dataclass(frozen=True)
class SplitClaim:
    """A split as `dataset_info.json` states it.

    Attributes:
        name: of the split.
        shards: file name and number of records of each shard, in order.
        bytes: of all shards.
        template: how TFDS makes up the shards' file names.
    """

    name: str
    shards: tuple[tuple[str, int], ...]
    bytes: int
    template: str


@dataclass(frozen=True)
class ShardClaim:
    """A shard as `provenance.json` states it; `split` is the one that its file name holds."""

    name: str
    split: str
    sha256: str
    index_sha256: str
    bytes: int
    records: int


@dataclass(frozen=True)
class Info:
    """What `dataset_info.json` claims."""

    name: str
    version: str
    file_format: str
    splits: tuple[SplitClaim, ...]


@dataclass(frozen=True)
class Claims:
    """What both files claim.

    Attributes:
        info: `dataset_info.json`.
        digest: of the dataset.
        content: the parameters that the digest covers.
        size: side of the patches in pixels.
        encoding: how records hold them.
        split_by: see `SplitOptions.by`.
        expected_patches: the last parts of the keys that every acquisition must have: `f07/v2/R1`, ...
        shards: by name, in the order of names.
        files: SHA-256 of each of `OTHERS`.
    """

    info: Info
    digest: str
    content: dict[str, Any]
    size: int
    encoding: str
    split_by: str
    expected_patches: tuple[str, ...]
    shards: dict[str, ShardClaim]
    files: dict[str, str]


def read_info(files: Files) -> Info:
    """Reads `dataset_info.json`.

    Raises:
        DatasetError: absent, or an entry is missing or distorted; names the entry.
    """
    values = read_json(files, COMMIT_POINT, "this is no committed dataset version; run the build to its end")
    root = _Entry(values, f"{files.root}/{COMMIT_POINT}")
    name = root.get("name").text()
    splits = tuple(_split_claim(name, entry) for entry in root.get("splits").entries())
    return Info(name, root.get("version").text(), root.get("fileFormat").text(), splits)


def read_claims(files: Files) -> Claims:
    """Reads both files; raises `DatasetError` like `read_info`."""
    info = read_info(files)
    values = read_json(files, PROVENANCE, "the version was not made by this project's build")
    root = _Entry(values, f"{files.root}/{PROVENANCE}")
    parameters = root.get("parameters")
    content = {(name := entry.text()): parameters.get(name).value for entry in root.get("content_parameters").entries()}
    by = parameters.get("split").get("by")
    if by.text() not in SPLITS_BY:
        raise by.distorted(f"one of {', '.join(SPLITS_BY)}")
    encoding = parameters.get("encoding")
    if encoding.text() not in CODECS:
        raise encoding.distorted(f"one of {', '.join(CODECS)}")
    shards = sorted(_shard_claim(info.name, entry) for entry in root.get("shards").entries())
    return Claims(
        info, root.get("digest").text(), content, parameters.get("patch").get("size").number(), encoding.text(),
        by.text(), tuple(_expected_patches(parameters)), dict(shards),
        {path: root.get("files").get(path).text() for path in OTHERS},
    )  # fmt: skip


def _split_claim(dataset: str, entry: "_Entry") -> SplitClaim:
    name = entry.get("name").text()
    lengths = [length.number() for length in entry.get("shardLengths").entries()]
    shards = tuple(
        (shard_name(dataset, name, number, len(lengths)), length) for number, length in enumerate(lengths)
    )  # fmt: skip
    return SplitClaim(name, shards, entry.get("numBytes").number(), entry.get("filepathTemplate").text())


def _shard_claim(dataset: str, entry: "_Entry") -> tuple[str, ShardClaim]:
    name = entry.get("name").text()
    if "/" in name:
        raise entry.get("name").distorted("the name of a file in the version folder")
    split = name.removeprefix(f"{dataset}-").partition(f".{FILE_FORMAT}-")[0]
    return name, ShardClaim(
        name, split, entry.get("sha256").text(), entry.get("index_sha256").text(), entry.get("bytes").number(),
        entry.get("records").number(),
    )  # fmt: skip


def _expected_patches(parameters: "_Entry") -> Iterator[str]:
    rows = []
    layouts = parameters.get("strip_layout").get("layouts")
    first = layouts.entries()[0].entries() if layouts.entries() else []
    if len(first) != 2:
        raise layouts.distorted("names, each with its layout")
    # All layouts have the same regions and vials.
    for row in first[1].get("boxes").entries():
        pair = row.entries()
        if len(pair) != 2:
            raise row.distorted("a region and its boxes")
        rows.append((pair[0].text(), len(pair[1].entries())))
    for entry in parameters.get("images").entries():
        try:
            image = Image.parse(entry.text())
        except KeyFormatError as error:
            raise entry.distorted("an image such as 'f00' or 'min'") from error
        for region, vials in rows:
            yield from (f"{image}/v{vial}/{region}" for vial in range(vials))


@dataclass(frozen=True)
class _Entry:
    """A value of a JSON file and the place where it stands; every access checks what it finds."""

    value: Any
    place: str

    def get(self, name: str) -> "_Entry":
        values = self._of(dict, "an object")
        if name not in values:
            raise DatasetError(f"{self.place}: its entry {name!r} is missing")
        return _Entry(values[name], f"{self.place}: {name}")

    def entries(self) -> list["_Entry"]:
        return [_Entry(value, f"{self.place}[{index}]") for index, value in enumerate(self._of(list, "a list"))]

    def text(self) -> str:
        """Text that can stand in a message, on a line of a terminal, and in a file name."""
        text = self._of(str, "text")
        if not text.isprintable():
            raise self.distorted("text of printable characters")
        return text

    def number(self) -> int:
        """A whole number, plain or, as TFDS writes it, as text."""
        if isinstance(self.value, str) and re.fullmatch(r"[0-9]{1,18}", self.value):
            return int(self.value)
        return self._of(int, "a whole number")

    def distorted(self, expected: str) -> DatasetError:
        text = repr(self.value)
        return DatasetError(f"{self.place}: expected {expected}, got {text[:80]}{'...' if len(text) > 80 else ''}")

    def _of(self, kind: type[_Kind], expected: str) -> _Kind:
        if not isinstance(self.value, kind) or isinstance(self.value, bool):
            raise self.distorted(expected)
        return self.value
