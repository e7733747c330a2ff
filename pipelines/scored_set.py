"""Scores of shards to a scored set: its tables, its pictures and its card, written all at once."""

import pipelines.quiet_tensorflow  # noqa: F401

# isort: split
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from drae_acceptance.gallery import FOLDER
from drae_acceptance.score_files import ACQUISITIONS, CARD, SCORES, acquisitions_bytes, card_bytes, scores_bytes
from drae_acceptance.score_table import Acquired, ScoreCard
from drae_data.acquisition import AcquisitionKey
from drae_data.errors import DatasetError, OptionError
from drae_data.files import Files
from drae_data.patch_index import read_index
from drae_data.staged_folder import staged_folder
from drae_model.model_folder import load_inspector
from pipelines.acquired import acquired
from pipelines.score_gallery import write_gallery
from pipelines.score_parts import read_part
from pipelines.scored_version import labels_of, patch_scores
from pipelines.scoring import Scoring


def check_target(target: Path) -> None:
    """A folder that holds anything but a scored set is never replaced; raises `OptionError`."""
    if target.exists() and not (target / CARD).exists() and (not target.is_dir() or any(target.iterdir())):
        raise OptionError("score.folder", str(target), f"a folder for a scored set, which holds nothing or a {CARD}")


def write_scored_set(scoring: Scoring, target: Path, parts: Files) -> tuple[Acquired, ...]:
    """Writes a scored set in the place of an earlier one.

    Args:
        scoring: the set.
        target: its folder.
        parts: the scores of all its shards.

    Returns:
        Its acquisitions.

    Raises:
        DatasetError: nothing of the version is left to judge, or it cannot be read.
        ScoreError: the scores of a shard are damaged.
    """
    version = scoring.version
    index: list[dict[str, Any]] = []
    places, found = {}, []
    for shard in scoring.shards:
        rows = read_index(version.files, shard).to_pylist()
        keep = [AcquisitionKey.of(row).strip_id not in scoring.left_out for row in rows]
        found.append(read_part(parts, shard)[np.array(keep, np.bool_)])
        chosen = [row for row, kept in zip(rows, keep, strict=True) if kept]
        places.update({row["key"]: (shard.name, row) for row in chosen})
        index += chosen
    if not index:
        raise DatasetError(
            f"{version.files.root}: expected patches of strips that the model was not trained on, got none; all "
            f"{len(scoring.left_out)} strips of the split {scoring.chosen.split} were left out"
        )
    labels = labels_of(version, scoring.section.unlabelled_parts)
    digests = version.claims.digest, scoring.model.digest
    strips = {row.key: row.label for row in version.acquisitions}
    patches = patch_scores(index, np.concatenate(found), labels, digests, strips)
    counts = Counter(patches.acquisition.tolist())
    acquisitions = acquired(version, scoring.chosen.split, counts, scoring.left_out, labels)
    tables = scores_bytes(patches), acquisitions_bytes(acquisitions)
    with staged_folder(target) as part:
        gallery = write_gallery(part / FOLDER, version, patches, places, load_inspector(scoring.model.folder))
        (part / SCORES).write_bytes(tables[0])
        (part / ACQUISITIONS).write_bytes(tables[1])
        (part / CARD).write_bytes(card_bytes(_card(scoring), *tables, gallery))
    return acquisitions


def _card(scoring: Scoring) -> ScoreCard:
    version, content = scoring.version, scoring.version.content
    return ScoreCard(
        set=scoring.name,
        dataset={"name": content.name, "version": content.version, "digest": version.claims.digest},
        model_digest=scoring.model.digest,
        layout_digest=version.layout_digest,
        labels_digest=version.labels_digest,
        regions=content.layouts.regions,
        vials=content.layouts.vials,
        images=tuple(str(image) for image in content.images),
        score=scoring.model.score,
        split=scoring.chosen.split,
        left_out=scoring.left_out,
        unlabelled_parts=scoring.section.unlabelled_parts,
    )
