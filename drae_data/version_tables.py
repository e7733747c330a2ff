"""A table of a published version, read and checked against what its provenance says."""

from collections.abc import Sequence
from typing import Any

from drae_data.errors import DatasetError
from drae_data.files import Files, sha256_hex
from drae_data.patch_index import verify_advice
from drae_data.tables import TABLES, read_table, table_rows
from drae_data.verification.claims import Claims


def version_table(files: Files, claims: Claims, name: str) -> Sequence[dict[str, Any]]:
    """The rows of a version's table.

    Args:
        files: the version folder.
        claims: of the version.
        name: a key of `drae_data.tables.TABLES`.

    Raises:
        DatasetError: it cannot be read, or is not the one that was built.
    """
    path = TABLES[name]
    try:
        content = files.read(path)
    except OSError as error:
        raise DatasetError(f"{files.root}/{path}: it cannot be read: {error.strerror or error}") from error
    if (digest := sha256_hex(content)) != claims.files[path]:
        raise DatasetError(
            f"{files.root}/{path}: expected SHA-256 {claims.files[path]}, got {digest}; {verify_advice(files.root)}"
        )
    return table_rows(read_table(name, content))
