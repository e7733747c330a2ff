"""Published versions from strangers: tables, JSON files, whole folders."""

import json
import random
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from drae_data.earlier_version import read_earlier_version
from drae_data.labels import LabelOptions, read_label_table
from drae_data.metadata import read_json
from drae_data.patch_lookup import find_patch
from drae_data.quality.inspection import inspect_version
from drae_data.tables import TABLES, read_ledger, read_table, table_rows
from drae_data.verification.claims import read_claims
from drae_data.verification.dataset import verify_dataset
from drae_data.version_files import COMMIT_POINT, PATCHES, PROVENANCE
from drae_data.version_summary import read_version_summary
from tests.fuzz.damage import HOSTILE_VALUES, damaged, damaged_lines, damaged_values, json_bytes
from tests.fuzz.memory_files import MemoryFiles
from tests.fuzz.target import Feeder, Target, promise
from tests.small_inspection import quality_options
from tests.small_line import build_dataset, tree_bytes, write_line

# The two files that hold the digests, which no digest covers.
CLAIMS = (PROVENANCE, COMMIT_POINT)
_LABELS = "strip,run,vial,region,label,defect,size\nA,,,,good,,\nB,1,0,R0,bad,scratch,12.5\nC,0,,,good,,\n"
_LABEL_OPTIONS = LabelOptions("labels.csv", {"defect": "defect", "size": "size"}, (), "", {"good": "good"}, ())


@cache
def small_version() -> dict[str, bytes]:
    """The files of a version of the small line: 5 strips, 100 patches; its frames are gone."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        build_dataset(write_line(folder / "frames", runs=1), folder / "version")
        return tree_bytes(folder / "version")


def _prepare_tables(_: Path) -> Feeder:
    """`read_table` with `table_rows`, and `read_ledger`."""
    version = small_version()
    names = {path: name for name, path in TABLES.items()} | {
        path: "patches" for path in version if path.startswith(PATCHES)
    }

    def draw_case(draw: random.Random) -> tuple[str, bytes]:
        path = draw.choice(sorted(names))
        # What Parquet says of itself stands at the end.
        return names[path], damaged(draw, version[path], draw.choice((200, -1200, -1200)))

    def feed(case: tuple[str, bytes]) -> None:
        name, data = case
        if name == "patches":
            promise(isinstance(read_ledger(data), dict), "the ledger is no object")
        for row in table_rows(read_table(name, data)):
            promise(isinstance(row, dict), "a row is no object")

    return Feeder(draw_case, feed)


def _prepare_labels(_: Path) -> Feeder:
    """`read_label_table`: rows that can be compared with the strips and the layout."""

    def draw_case(draw: random.Random) -> bytes:
        if draw.random() < 0.5:
            return damaged(draw, _LABELS.encode())
        rows = [line.split(",") for line in _LABELS.splitlines()]
        for _ in range(draw.choice((1, 2, 4))):
            row = rows[draw.randrange(1, len(rows))]
            row[draw.randrange(len(row))] = draw.choice((*map(str, HOSTILE_VALUES), "7", "99", "99999", '"', "\u0663"))
        return "\n".join(",".join(row) for row in rows).encode("utf-8", "surrogatepass")

    def feed(data: bytes) -> None:
        for row in read_label_table(data, _LABEL_OPTIONS, "labels.csv"):
            promise(bool(row.strip) and -1 <= row.run < 2**31, f"a label of strip {row.strip!r}, run {row.run}")

    return Feeder(draw_case, feed)


def _damaged_json(draw: random.Random, version: dict[str, bytes]) -> dict[str, bytes]:
    """A version with one of its two files of claims damaged, as values or as text."""
    path = draw.choice(CLAIMS)
    data = version[path]
    if draw.random() < 0.8:
        return version | {path: json_bytes(draw, damaged_values(draw, json.loads(data)))}
    return version | {path: damaged_lines(draw, data.decode()).encode() if draw.random() < 0.5 else damaged(draw, data)}


def _prepare_claims(_: Path) -> Feeder:
    version = small_version()

    def feed(damaged_version: dict[str, bytes]) -> None:
        claims = read_claims(MemoryFiles("version", damaged_version))
        for shard in claims.shards.values():
            promise("/" not in shard.name and shard.name.isprintable(), f"a shard named {shard.name!r}")

    return Feeder(lambda draw: _damaged_json(draw, version), feed)


def _prepare_verification(_: Path) -> Feeder:
    """`verify_dataset`: whatever file is damaged, it finds so, or says that there is nothing to verify."""
    version = small_version()

    def draw_case(draw: random.Random) -> dict[str, bytes]:
        if draw.random() < 0.3:
            return _damaged_json(draw, version)
        path = draw.choice(sorted(version))
        return version | {path: damaged(draw, version[path], draw.choice((200, -1200)))}

    def feed(damaged_version: dict[str, bytes]) -> None:
        found = verify_dataset(MemoryFiles("version", damaged_version), 1)
        changed = {path for path, data in damaged_version.items() if data != version.get(path)}
        promise(bool(found.faults) or changed <= {*CLAIMS, "croissant.json"}, f"damage in {changed} is no fault")

    return Feeder(draw_case, feed)


def _prepare_lookup(_: Path) -> Feeder:
    """`find_patch` and `read_earlier_version`: what a version's own files lead to."""
    version = small_version()
    keys = [row["key"] for path in version if path.startswith(PATCHES) for row in _rows("patches", version[path])]
    covered = sorted(path for path in version if path.endswith(".parquet"))

    def draw_case(draw: random.Random) -> tuple[dict[str, bytes], str]:
        if draw.random() < 0.5:
            return _damaged_json(draw, version), draw.choice(keys)
        path = draw.choice(covered)
        return version | {path: damaged(draw, version[path], -1200)}, draw.choice(keys)

    def feed(case: tuple[dict[str, bytes], str]) -> None:
        files = MemoryFiles("version", case[0])
        read_earlier_version(files, "1.0.0", "strip")
        found = find_patch(files, case[1])
        promise(found.pixels().shape == (16, 16), "a patch of another size")

    return Feeder(draw_case, feed)


def _prepare_inspection(_: Path) -> Feeder:
    """`inspect_version` and `read_version_summary`: what the gate and the reports say of a version."""
    version = small_version()
    options = quality_options()

    def feed(damaged_version: dict[str, bytes]) -> None:
        files = MemoryFiles("version", damaged_version)
        found = inspect_version(files, options)
        promise(read_version_summary(files, found.measured).patches >= 0, "fewer patches than none")

    return Feeder(lambda draw: _damaged_json(draw, version), feed)


def _rows(name: str, data: bytes) -> list[dict[str, Any]]:
    return table_rows(read_table(name, data))


def _prepare_json(_: Path) -> Feeder:
    """`read_json`, which every reader of JSON files goes through."""
    seeds = [json.dumps({"a": [1, {"b": None}], "c": "é"}).encode(), b'{"a": ' * 40 + b"1" + b"}" * 40, b"{}"]

    def draw_case(draw: random.Random) -> bytes:
        data = draw.choice(seeds)
        return data[:6] * draw.choice((10, 2000, 100_000)) if draw.random() < 0.05 else damaged(draw, data)

    def feed(data: bytes) -> None:
        promise(isinstance(read_json(MemoryFiles("x", {"x.json": data}), "x.json", "advice"), dict), "no object")

    return Feeder(draw_case, feed)


TARGETS = [
    Target("tables", 20_000, _prepare_tables),
    Target("label tables", 10_000, _prepare_labels),
    Target("JSON", 10_000, _prepare_json),
    Target("claims", 20_000, _prepare_claims),
    Target("versions", 3_000, _prepare_verification),
    Target("inspection", 5_000, _prepare_inspection),
    Target("patch lookup", 10_000, _prepare_lookup),
]
