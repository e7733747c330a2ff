"""Stage `score`: the model judges a labelled version, patch by patch. `python -m pipelines.score --help`."""

import pipelines.quiet_tensorflow  # noqa: F401

# isort: split
import argparse
import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
from apache_beam.options.pipeline_options import PipelineOptions

from drae_acceptance.score_files import (
    ACQUISITIONS,
    CARD,
    SCORES,
    acquisitions_bytes,
    card_bytes,
    scores_bytes,
)
from drae_acceptance.score_table import VALID, ScoreCard
from drae_data.acquisition import AcquisitionKey
from drae_data.errors import DatasetError, OptionError
from drae_data.files import sha256_hex
from drae_data.local_files import LocalFiles
from drae_data.patch_index import read_index
from drae_data.staged_folder import staged_folder
from drae_data.verification.claims import ShardClaim
from drae_model.errors import ModelError
from drae_model.model_card import model_digest, read_card
from drae_model.model_folder import load_inspector
from drae_model.patch_selection import split_shards
from pipelines.beam_run import beam_options, running_pipeline
from pipelines.console import progress, run_command, say
from pipelines.params import Params, load_params
from pipelines.params_score import ScoreParams, ScoreSetParams
from pipelines.run_log import log_run
from pipelines.score_gallery import write_gallery
from pipelines.score_shards import ScoreShards, ScoreTask, part_name, read_part
from pipelines.score_timing import time_products
from pipelines.scored_version import (
    LabelledVersion,
    acquired,
    labels_of,
    named,
    patch_scores,
    read_labelled_version,
    trained_strips,
)

# Scores of shards whose set is not whole yet; neither outputs of DVC nor part of a scored set.
PARTS = "logs/scoring"
TIMINGS = "logs/timing"
_EPILOG = """\
examples:
  python -m pipelines.score --set kit
  python -m pipelines.score --set kit --direct_running_mode=multi_processing --direct_num_workers=4

The scored set is written to <score.folder>/<set>: scores.parquet has a row per patch, acquisitions.parquet one per
acquisition, scores.json the digests of model, dataset, layout and labels, gallery/ pictures for the report. A scoring
that was stopped goes on with the shards that are missing. Flags that are not listed here go to Apache Beam. On a
cluster the dataset, the model and logs/scoring must lie where every worker sees them.
"""


@dataclass(frozen=True)
class Scoring:
    """One set, ready to be scored."""

    name: str
    section: ScoreParams
    chosen: ScoreSetParams
    version: LabelledVersion
    shards: tuple[ShardClaim, ...]
    model: Path
    model_digest: str
    model_card: dict[str, Any]
    left_out: tuple[str, ...]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the stage; returns the exit status."""
    return run_command(_run, argv)


def _run(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.score",
        description="Scores every patch of a labelled set with the trained model, on this machine or on a cluster.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,  # What is not written out may be a flag of Beam.
    )
    parser.add_argument("--set", required=True, help="the section under score.sets in the params file: kit, ...")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="params file (default: params.yaml)")
    known, beam_flags = parser.parse_known_args(argv)
    runner_options = beam_options(beam_flags)
    params = load_params(known.params)
    scoring = open_scoring(params, known.set)
    target = Path(params.score_folder(known.set))
    _check_target(target)
    with LocalFiles(str(target)).locked():
        _score_set(scoring, target, runner_options)


def open_scoring(params: Params, name: str) -> Scoring:
    """Opens model and version, and checks that they belong together.

    Raises:
        ParamsError: a section is missing.
        ModelError: the model is absent, or takes other patches.
        DatasetError: the version is not committed, has no labels, or holds strips that the model was trained on.
    """
    section, chosen = params.score_params(name)
    train = params.train_params()
    model, folder = Path(train.folder), Path(params.version_folder(name))
    card, digest = read_card(model), model_digest(model)
    version = read_labelled_version(folder)
    _check_fit(model, card, version)
    shards = tuple(split_shards(version.claims, chosen.split))
    trained = trained_strips(version, chosen.split, card, Path(params.version_folder(train.set)))
    if trained and chosen.trained_strips == "refuse":
        raise DatasetError(
            f"{folder}: expected strips that the model was not trained on, got {len(trained)} that it was: "
            f"{named(trained)}. Scores of such strips are too good: take other strips, give strips of other lots "
            f"{{batch}} in path_template, or set score.sets.{name}.trained_strips to leave_out"
        )
    return Scoring(name, section, chosen, version, shards, model, digest, card, tuple(trained))


def _check_fit(model: Path, card: dict[str, Any], version: LabelledVersion) -> None:
    regions = list(version.content.layouts.regions)
    for what, ours, theirs in (
        ("patches of side", card.get("patch_size"), version.claims.size),
        ("the regions", sorted(card.get("regions", [])), sorted(regions)),
    ):
        if ours != theirs:
            raise ModelError(
                f"{model}: expected a model for {what} {theirs}, as {version.files.root} has, got one for {ours}; "
                "train it on a version of the same strip layout and patch size"
            )


def _check_target(target: Path) -> None:
    """A folder that holds anything but a scored set is never replaced."""
    if target.exists() and not (target / CARD).exists() and (not target.is_dir() or any(target.iterdir())):
        raise OptionError("score.folder", str(target), f"a folder for a scored set, which holds nothing or a {CARD}")


def _score_set(scoring: Scoring, target: Path, runner_options: PipelineOptions) -> None:
    started = time.monotonic()
    version = scoring.version
    parts = LocalFiles(str(Path(PARTS, _identity(scoring)).resolve()))
    patches = sum(shard.records for shard in scoring.shards)
    say(f"score {scoring.name}: {patches:,} patches in {len(scoring.shards)} shards of {version.files.root}")
    with parts.locked():
        score_shards(scoring, parts, runner_options)
        _write(scoring, target, parts)
        shutil.rmtree(parts.root, ignore_errors=True)
    seconds = time.monotonic() - started
    say(f"  {target} in {seconds:,.1f} s, {patches / seconds:,.0f} patches/s with pictures")
    timed = time_products(scoring, Path(TIMINGS, f"{scoring.name}.json"))
    if timed:
        say(f"  one product takes {1000 * timed.mean_seconds:.1f} ms, at most {1000 * timed.max_seconds:.1f} ms")
    log_run(
        stage="score", set=scoring.name, dataset=version.claims.digest, model=scoring.model_digest,
        target=str(target), seconds=round(seconds, 1),
    )  # fmt: skip


def score_shards(scoring: Scoring, parts: LocalFiles, runner_options: PipelineOptions) -> None:
    """Runs the Beam pipeline that scores the shards which have no scores yet, and shows its progress."""
    task = ScoreTask(
        str(Path(scoring.version.files.root).resolve()), scoring.chosen.split, str(scoring.model.resolve()),
        scoring.section.batch_size, parts,
    )  # fmt: skip
    records = {part_name(shard.name): shard.records for shard in scoring.shards}

    def done() -> int:
        return sum(records.get(name, 0) for name in parts.names(""))

    with (
        progress(f"score {scoring.name}", sum(records.values()), "patches", done),
        running_pipeline(runner_options) as pipeline,
    ):
        _ = (
            pipeline
            | "Shards" >> beam.Create([shard.name for shard in scoring.shards])  # name of a shard
            | "Score shards" >> ScoreShards(task)  # patches scored
        )


def _identity(scoring: Scoring) -> str:
    """What decides the scores of a shard."""
    values = [scoring.version.claims.digest, scoring.model_digest, scoring.chosen.split, scoring.section.batch_size]
    return sha256_hex(json.dumps(values).encode())[:16]


def _write(scoring: Scoring, target: Path, parts: LocalFiles) -> None:
    """Tables, pictures and card, all at once."""
    version, digest = scoring.version, scoring.version.claims.digest
    index: list[dict[str, Any]] = []
    places, found = {}, []
    for shard in scoring.shards:
        rows = read_index(version.files, shard).to_pylist()
        scores = read_part(parts, shard.name)
        if len(scores) != len(rows):
            raise DatasetError(
                f"{parts.root}/{part_name(shard.name)}: expected {len(rows)} scores, got {len(scores)}; remove that "
                "folder and score the set again"
            )
        keep = [AcquisitionKey.of(row).strip_id not in scoring.left_out for row in rows]
        found.append(scores[np.array(keep, np.bool_)])
        chosen = [row for row, kept in zip(rows, keep, strict=True) if kept]
        places.update({row["key"]: (shard.name, row) for row in chosen})
        index += chosen
    if not index:
        raise DatasetError(
            f"{version.files.root}: expected patches of strips that the model was not trained on, got none; all "
            f"{len(scoring.left_out)} strips of the split {scoring.chosen.split} were left out"
        )
    labels = labels_of(version, scoring.section.unlabelled_parts)
    strips = {row.key: row.label for row in version.acquisitions}
    patches = patch_scores(index, np.concatenate(found), labels, (digest, scoring.model_digest), strips)
    counts = Counter(patches.acquisition.tolist())
    acquisitions = acquired(version, scoring.chosen.split, counts, scoring.left_out, labels)
    content = version.content
    card = ScoreCard(
        set=scoring.name,
        dataset={"name": content.name, "version": content.version, "digest": digest},
        model_digest=scoring.model_digest,
        layout_digest=version.layout_digest,
        labels_digest=version.labels_digest,
        regions=content.layouts.regions,
        vials=content.layouts.vials,
        images=tuple(str(image) for image in content.images),
        score=scoring.model_card["score"],
        split=scoring.chosen.split,
        left_out=scoring.left_out,
    )
    tables = scores_bytes(patches), acquisitions_bytes(acquisitions)
    with staged_folder(target) as part:
        write_gallery(part, version, patches, places, load_inspector(scoring.model))
        (part / SCORES).write_bytes(tables[0])
        (part / ACQUISITIONS).write_bytes(tables[1])
        (part / CARD).write_bytes(card_bytes(card, *tables))
    invalid = [row for row in acquisitions if row.state != VALID]
    valid = Counter(row.strip_label for row in acquisitions if row.state == VALID)
    say(f"  valid acquisitions: {', '.join(f'{count} {label}' for label, count in sorted(valid.items()))}")
    if scoring.left_out:
        say(f"  left out, the model was trained on them: {named(scoring.left_out)}")
    if invalid:
        say(f"  not valid, {len(invalid)}: {named([f'{row.acquisition} ({row.state})' for row in invalid])}")


if __name__ == "__main__":
    sys.exit(main())
