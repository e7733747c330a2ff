"""The frames below a root against those that a published dataset was built from."""

from collections.abc import Iterator, Mapping
from typing import Any

from drae_data.acquisition_folder import joined
from drae_data.files import Files
from drae_data.tables import TABLES
from drae_data.verification.reading import content_of, digest_of, rows_of
from drae_data.verification.shard import Fault, capped


def frames_changed(files: Files, frames: Files) -> Iterator[Fault]:
    """Frames whose bytes are no longer those that the dataset was built from; after the first ones a count.

    Args:
        files: the version folder.
        frames: the root of the frames.
    """
    path = TABLES["acquisitions"]
    rows = rows_of("acquisitions", content_of(files, path))
    if rows is None:
        yield Fault("frames_unchecked", path, "it cannot be read, and it names the frames")
    elif rows and not any(_holds_files(frames, row) for row in rows):
        detail = f"no folder, or none of the {len(rows)} acquisitions lies below it; the first is {rows[0]['folder']}"
        yield Fault("frames_absent", frames.root, detail)
    else:
        yield from capped((fault for row in rows for fault in _changed_in(row, frames)), frames.root)


def _holds_files(files: Files, row: Mapping[str, Any]) -> bool:
    try:
        return bool(files.names(joined(row["folder"], row["frames"][0]["file"]).rpartition("/")[0]))
    except OSError:
        return False


def _changed_in(acquisition: Mapping[str, Any], frames: Files) -> Iterator[Fault]:
    for frame in (*acquisition["frames"], *acquisition["sidecar"]):
        path = joined(acquisition["folder"], frame["file"])
        found = digest_of(content_of(frames, path))
        if not found:
            yield Fault("frame_missing", path, "it cannot be read")
        elif found != frame["sha256"]:
            yield Fault("frame_changed", path, f"built from SHA-256 {frame['sha256']}, now {found}")
