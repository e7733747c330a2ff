"""A folder that is wholly there or not there: written under a staging name, then renamed."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drae_data.local_files import sync_to_disk


@contextmanager
def staged_folder(target: Path) -> Iterator[Path]:
    """Gives an empty folder beside `target` that takes its place when the block ends well.

    What stood at `target` stays until then, and stays for good where the block fails. Between two renames there is
    nothing at `target`; a process that is killed just there leaves the old folder beside it as `.<name>.old`, and the
    next call puts it back.

    Args:
        target: a folder that exists or not; its parent is made.

    Raises:
        OSError: something cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part, old = target.with_name(f".{target.name}.part"), target.with_name(f".{target.name}.old")
    if old.exists() and not target.exists():
        old.rename(target)
    for left in (part, old):
        shutil.rmtree(left, ignore_errors=True)
    part.mkdir()
    try:
        yield part
        for path in (*part.rglob("*"), part):
            sync_to_disk(path)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    if target.exists():
        target.rename(old)
    try:
        part.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
    sync_to_disk(target.parent)
    shutil.rmtree(old, ignore_errors=True)
