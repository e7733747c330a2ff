"""What is read of a version to be checked: nothing here raises, what cannot be read is absent."""

from typing import Any

from drae_data.errors import DatasetError
from drae_data.files import Files, sha256_hex
from drae_data.verification.shard import whole_rows

Rows = list[dict[str, Any]]


def content_of(files: Files, path: str) -> bytes | None:
    """The content of a file; None where it cannot be read."""
    try:
        return files.read(path)
    except OSError:
        return None


def rows_of(name: str, content: bytes | None) -> Rows | None:
    """The rows of a table; None where they cannot be read."""
    try:
        return None if content is None else whole_rows(name, content)
    except DatasetError:
        return None


def digest_of(content: bytes | None) -> str:
    """SHA-256; empty where there is no content."""
    return "" if content is None else sha256_hex(content)
