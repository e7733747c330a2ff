"""When and by which camera an acquisition was taken: from its name, its frames' tags or a sidecar."""

import json
from dataclasses import dataclass
from typing import Any

from drae_data.frames.decoding import CameraTags
from drae_data.intake import SidecarOptions, TimeOptions, utc_time

_LONGEST = 100


@dataclass(frozen=True)
class AcquisitionFacts:
    """What is known of an acquisition beside its pixels.

    Attributes:
        acquired_at: in UTC, ISO 8601; empty where not known.
        exposure: as the camera says; empty where it does not.
        gain: as exposure.
        serial: as exposure.
        notes: codes of what is missing, see `drae_data.codes.NOTES`.
    """

    acquired_at: str
    exposure: str
    gain: str
    serial: str
    notes: tuple[str, ...]


def acquisition_facts(
    name_time: str, tags: CameraTags, sidecar: bytes | None, time: TimeOptions, options: SidecarOptions
) -> AcquisitionFacts:
    """Puts together what name, tags and sidecar say; what the sidecar says goes before the tags.

    Args:
        name_time: the text of the path's field `{time}`.
        tags: of the first frame.
        sidecar: its content, None where there is none.
        time: where the time comes from.
        options: of the sidecar.
    """
    notes = set[str]()
    values = dict[str, str]()
    if options.file:
        values, readable = _sidecar_values(sidecar, options)
        if not readable:
            notes.add("no_sidecar")
    text = {"name": name_time, "tag": tags.taken, "sidecar": values.get("acquired_at", "")}.get(time.source, "")
    acquired_at = utc_time(text, time) if time.source else ""
    if time.source and not acquired_at:
        notes.add("no_time")
    return AcquisitionFacts(
        acquired_at,
        values.get("exposure") or tags.exposure,
        values.get("gain") or tags.gain,
        values.get("serial") or tags.serial,
        tuple(sorted(notes)),
    )


def _sidecar_values(content: bytes | None, options: SidecarOptions) -> tuple[dict[str, str], bool]:
    """The texts that the sidecar gives, and whether it could be read."""
    try:
        tree = json.loads(content or b"")
    except (ValueError, RecursionError):
        return {}, False
    return {name: text for name, path in options.keys.items() if (text := _text_at(tree, path))}, True


def _text_at(tree: Any, path: str) -> str:
    """The text or number at a dotted path; empty where there is none."""
    for part in path.split("."):
        if not isinstance(tree, dict):
            return ""
        tree = tree.get(part)
    text = str(tree) if isinstance(tree, str | int | float) and not isinstance(tree, bool) else ""
    return text[:_LONGEST] if text.isprintable() else ""
