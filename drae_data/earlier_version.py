"""The version that a build extends: its plan, and what the new version's provenance says of it."""

from dataclasses import dataclass

from drae_data.errors import DatasetError
from drae_data.files import Files
from drae_data.manifest import PlanRow
from drae_data.metadata import Extended, read_json
from drae_data.tables import TABLES, read_table, table_rows
from drae_data.version_files import COMMIT_POINT, PROVENANCE


@dataclass(frozen=True)
class EarlierVersion:
    """The version that a build extends.

    Attributes:
        files: its folder.
        plan: the rows of its plan.
        extended: what the new version's provenance says of it.
    """

    files: Files
    plan: tuple[PlanRow, ...]
    extended: Extended


def read_earlier_version(files: Files, version: str, split_by: str) -> EarlierVersion:
    """Opens the version that a build extends.

    Args:
        files: its folder.
        version: its number.
        split_by: how the new version is split.

    Raises:
        DatasetError: it is not there, no committed version, or split otherwise.
    """
    what = f"extends: version {version} must stand there to be extended; build or fetch it (dvc pull, dvc checkout)"
    if not files.names(""):
        raise DatasetError(f"{files.root}: there is no such folder, or no file in it; {what}")
    read_json(files, COMMIT_POINT, what)
    values = read_json(files, PROVENANCE, what)
    place = f"{files.root}/{TABLES['plan']}"
    try:
        rows = tuple(PlanRow(**row) for row in table_rows(read_table("plan", files.read(TABLES["plan"]))))
        before, digest = values["parameters"]["split"]["by"], str(values["digest"])
    except OSError as error:
        raise DatasetError(f"{place}: {error.strerror or error}; {what}") from error
    except (KeyError, TypeError) as error:
        raise DatasetError(f"{files.root}/{PROVENANCE}: expected split and digest ({error!r}); {what}") from error
    if values.get("version") != version:
        raise DatasetError(f"{files.root}: expected version {version} (extends), got {values.get('version')!r}")
    if before != split_by:
        raise DatasetError(
            f"{files.root}: expected a version that was split by {split_by} (split.by), as this one is, got {before}; "
            "without extends a version starts anew"
        )
    return EarlierVersion(files, rows, Extended(version, digest))
