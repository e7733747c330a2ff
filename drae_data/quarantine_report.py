"""Quarantine rows for people: how many of each reason, the first of them, and what to do."""

from collections.abc import Sequence

from drae_data.acquisition_folder import joined
from drae_data.codes import REASONS
from drae_data.manifest import QuarantineRow, count_by


def quarantine_message(rows: Sequence[QuarantineRow], allowed: int, listed: int) -> str:
    """The message of a build that quarantined too much, with the table of reasons and what to look at."""
    names = {row.reason for row in rows} <= {"missing_frame", "unmatched_name"} and len(rows) == listed
    advice = (
        "Every folder is refused for its names: compare path_template and frames with what lies in the folders"
        if names
        else "Mend or remove the folders, or raise max_quarantined; finished shards are kept"
    )
    return (
        f"{len(rows)} of {listed} acquisitions are in quarantine, max_quarantined allows {allowed}; "
        f"nothing is committed.\n"
        f"{reasons_table(rows)}\n"
        f"{advice}"
    )


def reasons_table(rows: Sequence[QuarantineRow], most: int = 20) -> str:
    """Quarantine rows for people: a line per reason, then the first rows."""
    by_reason = count_by(row.reason for row in rows)
    lines = [f"  {count:6d}  {reason}: {REASONS[reason]}" for reason, count in by_reason.items()]
    lines += [f"  {_place(row)}: {row.reason}: {row.detail}" for row in rows[:most]]
    if len(rows) > most:
        lines.append(f"  ... and {len(rows) - most} more")
    return "\n".join(lines)


def _place(row: QuarantineRow) -> str:
    """Where to look: the file or folder, and the key where acquisitions lie in the root itself."""
    place = joined(row.folder, row.file) if row.file else row.folder
    return place if row.folder or row.run < 0 else f"{row.key} {place}".strip()
