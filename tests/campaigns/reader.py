"""A reader that looks at a version folder all the time, as whoever trains from it would, and judges what it sees."""

import json
import os
import threading
from collections import Counter
from pathlib import Path
from typing import Any

from drae_data.errors import DatasetError
from drae_data.local_files import LocalFiles
from drae_data.verification.dataset import verify_dataset
from drae_data.version_files import COMMIT_POINT, PROVENANCE

_SECONDS_BETWEEN_LOOKS = 0.002
_MOST_FAULTS = 5


class Reader(threading.Thread):
    """Looks until `stop` is called.

    A look opens the folder and reads through that one handle, so that a version that takes the place of another does
    not mix with it. Without `dataset_info.json` there is no dataset. With it, the digest must be one of those allowed
    and every shard and index that `provenance.json` names must be there, shards in the stated size. What is wrong
    counts as a fault unless the folder or its commit point gave way to another in the meantime.

    Attributes:
        views: how often each digest, `absent` and `superseded` were seen.
        faults: the first of what no reader must see.
    """

    def __init__(self, version: Path, allowed: dict[str, str]) -> None:
        super().__init__(daemon=True)
        self.views: Counter[str] = Counter()
        self.faults: list[str] = []
        self._version = version
        self._allowed = allowed
        self._done = threading.Event()

    def run(self) -> None:
        """Looks, and looks again."""
        while not self._done.wait(_SECONDS_BETWEEN_LOOKS):
            self.look()

    def stop(self) -> None:
        """Ends the thread."""
        self._done.set()
        self.join()

    def look(self) -> None:
        """Takes one look."""
        try:
            folder = os.open(self._version, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            self.views["absent"] += 1
            return
        try:
            stamp = _stamp(COMMIT_POINT, folder)
            if stamp is None:
                self.views["absent"] += 1
                return
            seen, faults = self._judge(folder)
            if not faults:
                self.views[seen] += 1
            elif stamp != _stamp(COMMIT_POINT, folder) or not _is_at(folder, self._version):
                self.views["superseded"] += 1
            elif len(self.faults) < _MOST_FAULTS:
                self.faults += faults[:_MOST_FAULTS]
        finally:
            os.close(folder)

    def _judge(self, folder: int) -> tuple[str, list[str]]:
        """The name of the version seen, and what is wrong with it."""
        try:
            info, values = _json(COMMIT_POINT, folder), _json(PROVENANCE, folder)
            seen = self._allowed.get(values["digest"])
            faults = [] if seen else [f"{PROVENANCE}: a digest that no build here gives: {values['digest']}"]
            for shard in values["shards"]:
                faults += _shard_faults(shard, folder)
            counted = sum(int(length) for split in info["splits"] for length in split["shardLengths"])
            if counted != sum(shard["records"] for shard in values["shards"]):
                faults.append(f"{COMMIT_POINT} counts {counted} records, {PROVENANCE} another number")
        except (OSError, ValueError, KeyError) as error:
            return "", [f"{COMMIT_POINT} is there, but {type(error).__name__}: {error}"]
        return seen or "", faults


def _shard_faults(shard: dict[str, Any], folder: int) -> list[str]:
    faults = []
    for path, size in [(shard["name"], shard["bytes"]), (shard["index"], None)]:
        stamp = _stamp(path, folder)
        if stamp is None:
            faults.append(f"{COMMIT_POINT} is there, but {path} is not")
        elif size is not None and stamp[1] != size:
            faults.append(f"{path}: expected {size} bytes, found {stamp[1]}")
    return faults


def _json(path: str, folder: int) -> Any:
    descriptor = os.open(path, os.O_RDONLY, dir_fd=folder)
    with os.fdopen(descriptor, "rb") as stream:
        return json.load(stream)


def _stamp(path: str, folder: int) -> tuple[int, int, int] | None:
    """Inode, size and time of a file; None where it is absent."""
    try:
        status = os.stat(path, dir_fd=folder)
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _is_at(folder: int, path: Path) -> bool:
    """Whether an open folder is still the one that a path leads to."""
    try:
        return os.path.samestat(os.fstat(folder), path.stat())
    except FileNotFoundError:
        return False


def thorough_faults(version: Path, allowed: dict[str, str]) -> list[str]:
    """What `verify_dataset` finds in a version at rest; nothing where there is no commit point and so no dataset."""
    if not (version / COMMIT_POINT).is_file():
        return []
    try:
        found = verify_dataset(LocalFiles(str(version)), 2)
    except DatasetError as error:
        return [str(error)]
    faults = [f"{fault.name}: {fault.place}: {fault.detail}" for fault in found.faults]
    return faults + ([] if found.digest in allowed else [f"a digest that no build here gives: {found.digest}"])
