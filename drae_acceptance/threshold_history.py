"""`history.json`: each change of the thresholds with what else changed, why, and who answers for it.

The reason stands in `params.yaml` and stays there until somebody writes another one. So an entry also says, without
anybody's doing, which parameters and digests differ from the entry before, and whether its reason is that entry's.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from drae_acceptance.errors import CalibrationError
from drae_acceptance.threshold_file import content_digest, json_bytes

HISTORY = "history.json"
NOT_STATED = "not stated"
CARRIED_OVER = "carried over from the entry before"
# What of `thresholds.json` an entry keeps; all but the thresholds themselves is compared with the entry before.
_COMPARED = ("protocol", "binding", "options")


def history_bytes(before: bytes | None, thresholds: bytes, reason: str, author: str) -> bytes:
    """`history.json` with an entry for these thresholds, unless its last entry is theirs.

    Each entry holds the digest of the one before, so that an entry that is taken out or changed is found.

    Args:
        before: content of the file; None where there is none.
        thresholds: content of `thresholds.json`.
        reason: why they change; `not stated` where it is empty.
        author: who answers for it; the same.

    Raises:
        CalibrationError: the history is damaged, or was changed.
    """
    entries = read_history(before) if before is not None else []
    values = json.loads(thresholds)
    if not entries or entries[-1]["thresholds_digest"] != values["digest"]:
        last = entries[-1] if entries else {}
        kept = {name: values[name] for name in (*_COMPARED, "levels")}
        stated = reason.strip() or NOT_STATED
        entry = {
            "number": len(entries) + 1,
            "previous": last.get("digest", ""),
            "thresholds_digest": values["digest"],
            "reason": stated,
            "reason_note": CARRIED_OVER if last.get("reason") == stated != NOT_STATED else "",
            "author": author.strip() or NOT_STATED,
            "changed": _changed(last, kept) if last else {},
            **kept,
        }
        entries.append({**entry, "digest": content_digest(entry)})
    return json_bytes(entries)


def read_history(content: bytes) -> list[dict[str, Any]]:
    """The entries of a history, oldest first; raises `CalibrationError` where one was changed or taken out."""
    try:
        entries: list[dict[str, Any]] = json.loads(content)
        previous = ""
        for number, entry in enumerate(entries, 1):
            values = {name: value for name, value in entry.items() if name != "digest"}
            if (entry["number"], entry["previous"], entry["digest"]) != (number, previous, content_digest(values)):
                raise CalibrationError(
                    f"{HISTORY}: expected entry {number} to follow the one before it unchanged, got one that was "
                    "changed, or whose predecessor was taken out; restore the file from its version before"
                )
            previous = entry["digest"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CalibrationError(f"{HISTORY}: expected the history of thresholds, got {error!r}") from error
    return entries


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, list[Any]]:
    """By place, such as `options.goals.run`, the value before and now: None where there was none."""
    old, new = (dict(_leaves("", {name: one.get(name) for name in _COMPARED})) for one in (before, now))
    return {
        place: [old.get(place), new.get(place)]
        for place in sorted({*old, *new})
        if old.get(place) != new.get(place)
    }  # fmt: skip


def _leaves(place: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, below in value.items():
            yield from _leaves(f"{place}.{name}" if place else name, below)
    else:
        yield place, value
