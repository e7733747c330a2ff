"""The acquisitions of a scored set: built ones, refused ones, and strips that only labels name."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from drae_acceptance.patch_labels import PatchLabels
from drae_acceptance.score_table import ABSENT, INCOMPLETE, QUARANTINED, VALID, Acquired
from drae_data.acquisition import AcquisitionKey
from drae_data.labels import UNKNOWN, label_by_table
from drae_data.manifest import LabelRow, QuarantineRow
from pipelines.scored_version import LabelledVersion, rows_of


def acquired(
    version: LabelledVersion, split: str, scored: Mapping[str, int], left_out: Sequence[str], labels: PatchLabels
) -> tuple[Acquired, ...]:
    """Every acquisition of a version with its state, and strips that only labels name.

    An acquisition in quarantine is in no split; it belongs to the set where its strip is judged in this split, or is
    in no split at all.

    Args:
        version: that was scored.
        split: that was scored; acquisitions of other splits are no part of the set.
        scored: by acquisition, how many patches have a score.
        left_out: strips that were not scored; nothing of them is part of the set.
        labels: of the version.
    """
    listed = _listed(version)
    rows = [
        *_built(version, split, scored, left_out, labels),
        *_refused(version, split, left_out, listed, labels),
        *_absent(version, listed, labels),
    ]
    return tuple(sorted(rows, key=lambda row: (row.strip, row.run, row.acquisition)))


def _built(
    version: LabelledVersion, split: str, scored: Mapping[str, int], left_out: Sequence[str], labels: PatchLabels
) -> Iterator[Acquired]:
    for row in version.acquisitions:
        if split not in row.splits or row.key.strip_id in left_out:
            continue
        defect, size = labels.defects(row.key, row.label)
        count, expected = scored.get(str(row.key), 0), version.patches_per_acquisition
        state = VALID if count == expected else INCOMPLETE
        detail = "" if state == VALID else f"{count} of {expected} patches"
        frames = tuple(frame.sha256 for frame in row.frames)
        yield Acquired(str(row.key), row.key.strip_id, row.run, row.label, defect, size, state, detail, frames)


def _refused(
    version: LabelledVersion, split: str, left_out: Sequence[str], listed: Collection[AcquisitionKey],
    labels: PatchLabels,
) -> Iterator[Acquired]:  # fmt: skip
    judged = {row.key.strip_id for row in version.acquisitions if split in row.splits} - {*left_out}
    elsewhere = {row.key.strip_id for row in version.acquisitions} - judged
    label = _labels(version, listed)
    for row in version.quarantine:
        strip = row.key.strip_id
        if row.run >= 0 and strip not in elsewhere and strip not in left_out:
            detail = f"{row.reason}: {row.detail}"
            defects = labels.defects(row.key, label[row.key])
            yield Acquired(str(row.key), strip, row.run, label[row.key], *defects, QUARANTINED, detail)


def _absent(version: LabelledVersion, listed: Collection[AcquisitionKey], labels: PatchLabels) -> Iterator[Acquired]:
    """Strips of which labels say something, but nothing was listed; their label is that of all their runs, if one."""
    known: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for key in listed:
        known[key.strip].add((key.batch, key.recipe))
    keys = {_key(row) for row in version.labels if not any(_fits(row, *place) for place in known[row.strip])}
    label = _labels(version, {*listed, *keys})
    by_strip: defaultdict[str, list[AcquisitionKey]] = defaultdict(list)
    for key in sorted(keys):
        by_strip[key.strip_id].append(key)
    for strip, own in by_strip.items():
        detail = "labels name it, nothing of it was acquired"
        found = {label[key] for key in own}
        one = found.pop() if len(found) == 1 else UNKNOWN
        types, sizes = zip(*(labels.defects(key, one) for key in own), strict=True)
        defect = ",".join(sorted({name for names in types for name in names.split(",") if name}))
        size = max((size for size in sizes if size == size), default=float("nan"))
        yield Acquired(strip, strip, -1, one, defect, size, ABSENT, detail)


def _listed(version: LabelledVersion) -> set[AcquisitionKey]:
    """Keys of everything that the build listed: built, refused or left out."""
    rows = [*version.quarantine, *(QuarantineRow(**row) for row in rows_of(version.files, "left_out"))]
    return {row.key for row in version.acquisitions} | {row.key for row in rows if row.run >= 0}


def _labels(version: LabelledVersion, keys: Collection[AcquisitionKey]) -> Mapping[AcquisitionKey, str]:
    """The label of each acquisition as the build gives it: a label that fits several batches is no label of any."""
    return label_by_table(keys, version.labels, version.content.layouts.vials).of


def _key(row: LabelRow) -> AcquisitionKey:
    """The key that an acquisition of a label would have."""
    return AcquisitionKey(row.strip, max(row.run, 0), row.batch, row.recipe, row.station)


def _fits(row: LabelRow, batch: str, recipe: str) -> bool:
    """Whether a label may mean the strip of its name in a batch and recipe."""
    return row.batch in ("", batch) and row.recipe in ("", recipe)
