"""What a build says when it is done: counts, splits, shards, digest, and what a person should look at."""

from collections.abc import Iterator, Sequence

from drae_data.codes import FINDINGS, LEFT_OUT, NOTES
from drae_data.manifest import FindingRow, QuarantineRow, count_by
from drae_data.options import DatasetOptions
from drae_data.publication import CommittedDataset
from drae_data.quarantine_report import reasons_table
from drae_data.selection import Selection

_MOST_FINDINGS = 10


def build_summary(
    committed: CommittedDataset, options: DatasetOptions, selection: Selection, folder: str, seconds: float
) -> str:
    """The closing summary for people.

    Args:
        committed: what was published.
        options: of the dataset.
        selection: what was listed and selected.
        folder: the version's.
        seconds: that the build took.
    """
    listing = selection.listing
    records = sum(committed.records.values())
    splits = ", ".join(f"{split} {count:,}" for split, count in committed.records.items())
    left_out = f" + {len(listing.left_out):,} left out" if listing.left_out else ""
    lines = [
        f"{options.name} {options.version} is committed in {folder}",
        f"  acquisitions {listing.listed:,} listed = {len(committed.acquisitions):,} built "
        f"+ {len(committed.quarantine):,} in quarantine{left_out}",
        f"  patches      {records:,} ({splits}), {committed.bytes / 1e6:,.1f} MB",
        f"  shards       {committed.shards:,} ({committed.reused:,} were there already)",
        f"  time         {seconds:,.1f} s, {records / seconds:,.0f} patches/s",
        f"  digest       {committed.digest}",
    ]
    ignored = listing.ignored + sum(row.ignored_files for row in committed.acquisitions)
    if ignored:
        lines.append(f"  ignored      {ignored:,} files or folders that are no frames")
    if options.labels:
        labels = count_by(selection.labelling.of.values())
        lines.append("  labels       " + ", ".join(f"{label} {count:,}" for label, count in labels.items()))
    lines += _counted("left out", committed.left_out, LEFT_OUT)
    notes = count_by(note for row in committed.acquisitions for note in row.notes)
    lines += [f"  note         {count:,} acquisitions: {note}: {NOTES[note]}" for note, count in notes.items()]
    lines += _findings(selection.labelling.findings)
    if committed.quarantine:
        lines.append(reasons_table(committed.quarantine))
    return "\n".join(lines)


def _counted(what: str, rows: Sequence[QuarantineRow], words: dict[str, str]) -> Iterator[str]:
    for reason, count in count_by(row.reason for row in rows).items():
        yield f"  {what:12} {count:,}: {reason}: {words[reason]}"


def _findings(findings: Sequence[FindingRow]) -> Iterator[str]:
    for kind, count in count_by(row.kind for row in findings).items():
        yield f"  finding      {count:,}: {kind}: {FINDINGS[kind]}"
    for row in findings[:_MOST_FINDINGS]:
        yield f"    {row.place}: {row.detail}"
    if len(findings) > _MOST_FINDINGS:
        yield f"    ... and {len(findings) - _MOST_FINDINGS} more in findings.parquet"
