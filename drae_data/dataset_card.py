"""The dataset card: what a version is, how it was made and what it is fit for, as Markdown.

Everything in it comes from the version's own files and from its inspection; it holds no time, no host and no path.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from drae_data.codes import FINDINGS, LEFT_OUT, NOTES, REASONS
from drae_data.manifest import count_by
from drae_data.markdown import code, document, plain, table
from drae_data.named_values import value_text
from drae_data.options import STRIPS_WHOLE
from drae_data.quality.inspection import Inspection
from drae_data.quality.options import OFF, RULES
from drae_data.quality.violation import count_severities
from drae_data.version_summary import VersionSummary

_MOST_ROWS = 20


def dataset_card(summary: VersionSummary, inspection: Inspection) -> str:
    """The card of a version.

    Args:
        summary: of the version.
        inspection: of the same version.
    """
    provenance = summary.provenance
    return document(
        f"Dataset card: {plain(provenance['dataset'])} {plain(provenance['version'])}",
        {
            "": _what(summary, inspection),
            "Where it comes from": _source(summary, inspection),
            "What is in it": _composition(summary),
            "How it was made": _making(provenance),
            "Quality": _quality(summary, inspection),
            "Known limits": _limits(summary, inspection),
            "What it is for, and what not": _use(summary),
            "How to read it": _reading(summary),
            "How to verify and to cite it": _verifying(provenance),
        },
    )


def _what(summary: VersionSummary, inspection: Inspection) -> Iterator[str]:
    size = summary.provenance["parameters"]["patch"]["size"]
    yield (
        f"{summary.patches:,} grey patches of {size} x {size} pixels, cut from {summary.built:,} acquisitions of "
        f"{summary.strips:,} vial strips, in {summary.shards:,} TFRecord shards ({summary.bytes:,} bytes)."
    )
    yield from table(
        ("", ""),
        (
            ("dataset", plain(summary.provenance["dataset"])),
            ("version", plain(summary.provenance["version"])),
            ("digest", code(summary.provenance["digest"])),
            ("inspection", "passed: the gate is open" if inspection.passed else "not passed: the gate is shut"),
        ),
    )


def _source(summary: VersionSummary, inspection: Inspection) -> Iterator[str]:
    parameters, extends = summary.provenance["parameters"], summary.provenance["extends"]
    frames = parameters["frames"]
    yield (
        f"Acquisitions of strips, found by the path template {code(parameters['path_template'])}: {len(frames)} frames "
        f"each, {_listed(frames)}. The table acquisitions.parquet names every frame file with its SHA-256."
    )
    yield ""
    yield f"Of {summary.listed:,} acquisitions listed, {summary.built:,} were built."
    reasons = [
        *((f"in quarantine: {reason}", count, REASONS) for reason, count in summary.quarantined.items()),
        *((f"left out: {reason}", count, LEFT_OUT) for reason, count in summary.left_out.items()),
    ]
    if reasons:
        yield from table(
            ("not built", "why", "acquisitions"),
            (
                (plain(what), plain(words.get(what.partition(": ")[2], "")), f"{count:,}")
                for what, count, words in reasons
            ),
            numbers=1,
        )
    if extends:
        yield ""
        yield f"It extends version {plain(extends['version'])}, digest {code(extends['digest'])}."
    yield from _camera(summary, inspection.measured.rows)


def _camera(summary: VersionSummary, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """When acquisitions were taken, and the serials, exposures and gains of the camera, where the frames say them."""
    times = sorted(row["acquired_at"] for row in rows if row["acquired_at"])
    if times:
        yield ""
        yield (
            f"Taken from {plain(times[0])} to {plain(times[-1])}; {len(times):,} of {summary.built:,} acquisitions "
            "have a time."
        )
    counts = {name: count_by(row[name] for row in rows) for name in ("serial", "exposure", "gain")}
    lines = [
        (name, plain(value) or "not known", f"{count:,}")
        for name, values in counts.items()
        if set(values) - {""}
        for value, count in sorted(values.items(), key=lambda item: (-item[1], item[0]))[:_MOST_ROWS]
    ]
    if lines:
        yield from table(("camera", "value", "acquisitions"), lines, numbers=1)
    for name, values in counts.items():
        if len(values) > _MOST_ROWS:
            yield ""
            yield f"And {len(values) - _MOST_ROWS:,} more values of {name} in acquisitions.parquet."


def _composition(summary: VersionSummary) -> Iterator[str]:
    yield from table(
        ("split", "strips", "acquisitions", "patches", "share"),
        (
            (
                plain(split), f"{summary.split_strips[split]:,}", f"{summary.split_acquisitions[split]:,}",
                f"{count:,}", f"{count / summary.patches:.2%}",
            )
            for split, count in summary.split_patches.items()
        ),
        numbers=4,
    )  # fmt: skip
    yield from table(
        ("split", "region", "image", "patches", "mean grey", "spread", "sharpness"),
        (
            (
                plain(row.split), plain(row.region), plain(row.image), f"{row.patches:,}",
                f"{row.mean:.1f} ± {row.mean_std:.1f}", f"{row.std:.1f}", f"{row.sharpness:.4g}",
            )
            for row in summary.statistics
        ),
        numbers=4,
    )  # fmt: skip
    yield ""
    labels = ", ".join(f"{plain(label)} {count:,}" for label, count in summary.labels.items())
    yield f"Labels of the acquisitions: {labels}."


def _making(provenance: Mapping[str, Any]) -> Iterator[str]:
    content = set(provenance["content_parameters"])
    yield (
        f"Built by code version {plain(provenance['code_version'])} with the parameters below. The same frames, "
        "tables and parameters give the same digest on any machine and any number of workers; the marked ones decide "
        "the bytes of patches."
    )
    yield from table(
        ("parameter", "value", "decides bytes"),
        (
            (code(name), code(value_text(value)), "yes" if name in content else "")
            for name, value in sorted(provenance["parameters"].items())
        ),
    )


def _quality(summary: VersionSummary, inspection: Inspection) -> Iterator[str]:
    counts = ", ".join(f"{severity} {count:,}" for severity, count in count_severities(inspection.rows).items())
    yield f"Inspected by {len(_rules_on(inspection))} rules over {summary.built:,} acquisitions: {counts}."
    rows = inspection.rows[:_MOST_ROWS]
    if rows:
        yield from table(
            ("severity", "rule", "where", "what was seen"),
            ((row.severity, code(row.rule), plain(row.place), plain(row.detail)) for row in rows),
        )
    if len(inspection.rows) > len(rows):
        yield ""
        yield f"And {len(inspection.rows) - len(rows):,} more in violations.parquet."
    facts = [
        *(
            f"{plain(note)}: {count:,} acquisitions: {plain(NOTES.get(note, ''))}"
            for note, count in summary.notes.items()
        ),
        *(f"{plain(kind)}: {count:,}: {plain(FINDINGS.get(kind, ''))}" for kind, count in summary.findings.items()),
    ]
    if facts:
        yield ""
        yield "Notes on frames and findings about labels:"
        yield ""
        yield from (f"- {fact}" for fact in facts)


def _limits(summary: VersionSummary, inspection: Inspection) -> Iterator[str]:
    measured, split = inspection.measured, summary.provenance["parameters"]["split"]["by"]
    yield f"- It shows {summary.strips:,} strips; what none of them shows, no model learns from it."
    if summary.strips and summary.built > summary.strips:
        yield (
            f"- {summary.built:,} acquisitions are of {summary.strips:,} strips: patches of one strip are alike, so "
            "that strips, not patches, are what a statistic counts."
        )
    if len(summary.split_patches) > 1 and split not in STRIPS_WHOLE:
        yield f"- Split by {plain(split)}: a strip may lie on several sides, and scores of validation are too good."
    if unknown := summary.labels.get("unknown", 0):
        yield f"- {unknown:,} acquisitions have no certain label; unknown is not good."
    if not measured.timed:
        yield "- Not all acquisitions have a time, so that drift was looked for in the order of their names."
    if not measured.aligned:
        yield "- Boxes were not aligned to a reference, so that positions were not inspected."
    off = [rule for rule, severity in inspection.options.severities.items() if severity == OFF]
    if off:
        yield f"- Rules that were switched off: {_listed([code(rule) for rule in off])}."
    yield "- The rules look at grey values, not at meaning: a label that is wrong is found by none of them."


def _use(summary: VersionSummary) -> Iterator[str]:
    if "train" in summary.split_patches:
        yield (
            "- For training and validating a model that learns how good strips look, of this product at this station, "
            "under this light."
        )
    if "test" in summary.split_patches:
        yield "- For setting thresholds, or for judging a model that was trained on other strips."
    yield "- Not for another product, camera or light without a new look at both."
    yield (
        "- Not as proof by itself: it supports evidence for a validated inspection; whether a line is released is "
        "decided by those who answer for it."
    )


def _reading(summary: VersionSummary) -> Iterator[str]:
    folder = f"FOLDER/{summary.provenance['dataset']}/{summary.provenance['version']}"
    yield "```python"
    yield f'tfds.builder_from_directory("{folder}").as_dataset(split="{next(iter(summary.split_patches))}")'
    yield f'drae_model.patch_dataset.patch_batches("{folder}", options)'
    yield "```"
    yield ""
    yield (
        "A record holds the patch, its key and the key's parts; labels stand in the tables beside the shards. "
        "croissant.json describes all files for programs."
    )


def _verifying(provenance: Mapping[str, Any]) -> Iterator[str]:
    name, version, digest = provenance["dataset"], provenance["version"], provenance["digest"]
    yield f"`python -m pipelines.verify FOLDER/{name}/{version}` checks every record, table and digest again."
    yield ""
    yield f"Cite it by name, version and digest: {plain(name)} {plain(version)}, SHA-256 {code(digest)}."


def _rules_on(inspection: Inspection) -> list[str]:
    return [rule for rule in RULES if inspection.options.severities[rule] != OFF]


def _listed(values: Any) -> str:
    return ", ".join(str(value) for value in values)
