"""From a strip's scores to the version that was scored: its files hashed, its labels and quarantine read again."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path

import numpy as np

from drae_acceptance.errors import TraceError
from drae_acceptance.score_table import ABSENT, QUARANTINED, VALID, Acquired, ScoreSet
from drae_data.acquisition import PatchKey
from drae_data.acquisition_folder import joined
from drae_data.errors import DraeError
from drae_data.files import sha256_hex
from drae_data.metadata import combined_digest
from drae_data.patch_index import check_shard, read_index, verify_advice
from drae_data.patch_lookup import FoundPatch, compare_with_frames, find_patch
from drae_data.verification.claims import Claims
from drae_data.version_files import part_path
from pipelines.acquired import acquired
from pipelines.beam_files import files_at
from pipelines.scored_version import LabelledVersion, labels_of, read_labelled_version


def open_dataset(folder: Path, scored: ScoreSet) -> LabelledVersion:
    """Opens the version that was scored, and checks that its files are those that its digest stands for.

    The tables are hashed here, shards and their parts of the patch index where a patch of theirs is traced.

    Args:
        folder: of the version.
        scored: its scores.

    Raises:
        TraceError: it is another version, or a file of it is not the one that was built.
    """
    card = scored.card
    with _link("dataset to its files"):
        version = read_labelled_version(files_at(str(folder)))
    for what, stated, came in (
        ("dataset", card.dataset["digest"], version.claims.digest),
        ("labels", card.labels_digest, version.labels_digest),
        ("strip layout", card.layout_digest, version.layout_digest),
    ):
        if stated != came:
            raise TraceError(
                f"broken link, scores to {what}: the scores are those of {stated}, {folder} holds {came}; "
                "bring that version back, or score, calibrate and evaluate again"
            )
    if (came := files_digest(version.claims)) != version.claims.digest:
        raise TraceError(
            f"broken link, dataset to its files: {folder} states the digest {version.claims.digest}, its files' "
            f"digests give {came}; {verify_advice(str(folder))}"
        )
    with _link("dataset to its files"):
        for path, expected in version.claims.files.items():
            if (came := sha256_hex(version.files.read(path))) != expected:
                raise TraceError(
                    f"broken link, dataset to its files: {folder}/{path}: expected SHA-256 {expected}, got {came}; "
                    f"{verify_advice(str(folder))}"
                )
    return version


def files_digest(claims: Claims) -> str:
    """The digest of a version as the digests of its files give it."""
    files = dict(claims.files)
    for shard in claims.shards.values():
        files[shard.name], files[part_path(shard.name)] = shard.sha256, shard.index_sha256
    return combined_digest(claims.info.name, claims.info.version, claims.content, files)


def check_strip(strip: str, version: LabelledVersion, scored: ScoreSet) -> Iterator[str]:
    """Whether the scored set says of a strip what the version's labels, quarantine and acquisitions say.

    Args:
        strip: its name, without run and station.
        version: that was scored.
        scored: its scores.

    Yields:
        What there is of the strip, in words.

    Raises:
        TraceError: an acquisition or a label is another.
    """
    card, patches = scored.card, scored.patches
    labels = labels_of(version, card.unlabelled_parts)
    counts = Counter(patches.acquisition.tolist())
    with _link("scores to labels"):
        expected = acquired(version, card.split, counts, card.left_out, labels)
    acquisitions = [row for row in scored.acquisitions if row.strip == strip]
    _check_acquisitions(strip, [row for row in expected if row.strip == strip], acquisitions)
    strips = {str(row.key): row.label for row in version.acquisitions}
    for row in np.flatnonzero(patches.strip == strip).tolist():
        key = PatchKey.parse(patches.key_at(row))
        label = labels.of(key.acquisition, key.vial, key.region)
        said = (label.label, label.vial_label, label.defect, _size(label.size), strips.get(str(key.acquisition)))
        stated = (
            patches.label[row], patches.vial_label[row], patches.defect[row], _size(patches.size[row]),
            patches.strip_label[row],
        )  # fmt: skip
        if said != stated:
            raise TraceError(
                f"broken link, scores to labels: {key}: label, its vial's, defect, size and its strip's are "
                f"{_listed(stated)} in the table of scores, the version's labels say {_listed(said)}; "
                "score, calibrate and evaluate again"
            )
    yield f"labels      {card.labels_digest}: what is said of {strip} follows from it"
    for one in acquisitions:
        if one.state == ABSENT:
            yield f"  {one.acquisition}: labels.parquet names it, {one.strip_label}; no acquisition of it was listed"
        elif one.state == QUARANTINED:
            yield f"  {one.acquisition}: in quarantine.parquet, {one.detail}"
        elif one.state != VALID:
            yield f"  {one.acquisition}: {one.state}, {one.detail}"


def _check_acquisitions(strip: str, expected: Iterable[Acquired], rows: Iterable[Acquired]) -> None:
    wanted, found = (
        {row.acquisition: _listed((*astuple(row)[:5], _size(row.size), *astuple(row)[6:])) for row in some}
        for some in (expected, rows)
    )
    for key in sorted({*wanted, *found}):
        if wanted.get(key) != found.get(key):
            raise TraceError(
                f"broken link, scores to acquisitions of {strip}: {key} is {found.get(key, 'not there')} in the scored "
                f"set, the version says {wanted.get(key, 'that there is none')}; score, calibrate and evaluate again"
            )


def _size(value: float | np.float32) -> str:
    """A size as the tables of scores hold it; as text, since one that is not given equals nothing."""
    return str(np.float32(value))


def _listed(values: Iterable[object]) -> str:
    return ", ".join(str(value) or "-" for value in values)


def find_traced(key: str, version: LabelledVersion) -> FoundPatch:
    """A patch of the version, in a shard that is the one which was built; raises `TraceError`."""
    with _link("score to patch"):
        found = find_patch(version.files, key)
        claim = version.claims.shards[found.shard]
        check_shard(version.files, claim)
        read_index(version.files, claim)
    return found


def check_frames(found: FoundPatch, root: str) -> Iterator[str]:
    """Reads the frames of a patch again and cuts it again.

    Args:
        found: the patch.
        root: of the frames.

    Yields:
        Patch and frames with their digests.

    Raises:
        TraceError: a frame is another, or gives another patch.
    """
    yield f"patch       {found.key}: record {found.row.index} of {found.shard}, SHA-256 {found.row.sha256}"
    for frame in found.frames:
        place = joined(root.rstrip("/"), joined(found.acquisition.folder, frame.file))
        yield f"  frame     {place}: SHA-256 {frame.sha256}"
    with _link(f"patch {found.key} to its frames"):
        compared = compare_with_frames(found, files_at(root))
    if not compared.agrees:
        what = compared.problem or f"these files differ now: {', '.join(compared.changed) or 'none, but cut otherwise'}"
        raise TraceError(f"broken link, patch {found.key} to its frames below {root}: {what}")


@contextmanager
def _link(name: str) -> Iterator[None]:
    """What is wrong inside it is a broken link of that name."""
    try:
        yield
    except TraceError:
        raise
    except DraeError as error:
        raise TraceError(f"broken link, {name}: {error}") from error
    except OSError as error:
        raise TraceError(f"broken link, {name}: {error.filename}: {error.strerror}") from error
