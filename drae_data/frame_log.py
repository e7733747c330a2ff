"""Which file had which SHA-256 when it was last read, so that a build need not read again what did not change.

A log is beside all versions and covers nothing: it is never part of a dataset, may be deleted at any time, and a file
whose stamp (size, time, inode) is not the logged one is read and hashed.
"""

import json
from typing import Any

from drae_data.files import Files
from drae_data.manifest import FrameFile


class FrameLog:
    """Stamps and digests of the files that one shard is built from; its methods may be called from several threads.

    Args:
        source: the root of the frames.
        known: what an earlier build noted: path to stamp, size and SHA-256.
    """

    def __init__(self, source: Files, known: dict[str, Any]) -> None:
        self._source = source
        self._known = known
        self._noted: dict[str, tuple[str, int, str]] = {}

    def stamp(self, path: str) -> str:
        """Asks for a file's stamp; to be called before the file is read. Raises OSError."""
        return self._source.stamp(path)

    def note(self, path: str, stamp: str, row: FrameFile) -> None:
        """Notes what was read; a file without a stamp is not noted."""
        if stamp:
            self._noted[path] = (stamp, row.bytes, row.sha256)

    def known(self, path: str, stamp: str) -> tuple[int, str] | None:
        """Size and SHA-256 of a file that has the stamp it had when it was read; None where it must be read."""
        logged = self._known.get(path)
        if not stamp or not (isinstance(logged, list) and len(logged) == 3 and logged[0] == stamp):
            return None
        self._noted[path] = (stamp, logged[1], logged[2])
        return logged[1], logged[2]

    def write(self, logs: Files, fingerprint: str) -> None:
        """Keeps what was noted for a shard of this fingerprint."""
        logs.write(_name(fingerprint), [json.dumps(self._noted, sort_keys=True).encode()])


def read_frame_log(source: Files, logs: Files | None, fingerprint: str) -> FrameLog:
    """What is logged of a shard's files; nothing where there is no log or it cannot be read."""
    try:
        known = json.loads(logs.read(_name(fingerprint))) if logs else {}
    except (OSError, ValueError):
        known = {}
    return FrameLog(source, known if isinstance(known, dict) else {})


def _name(fingerprint: str) -> str:
    return f"{fingerprint}.json"
