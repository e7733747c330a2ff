"""What is read of a labelled version before and after it is scored: digests, labels, trained strips, tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from drae_acceptance.patch_labels import PatchLabels
from drae_acceptance.score_table import PatchScores, layout_digest
from drae_data.acquisition import AcquisitionKey, Image, PatchKey
from drae_data.content import PublishedContent, published_content
from drae_data.errors import DatasetError
from drae_data.files import Files
from drae_data.labels import UNKNOWN
from drae_data.manifest import AcquisitionRow, LabelRow, QuarantineRow
from drae_data.metadata import read_json
from drae_data.tables import TABLES, read_table, table_rows
from drae_data.verification.claims import Claims, read_claims
from drae_data.version_files import PROVENANCE
from pipelines.model_facts import ModelFacts


@dataclass(frozen=True)
class LabelledVersion:
    """A version with what scoring needs of its tables.

    Attributes:
        files: its folder.
        claims: what its JSON files claim.
        content: how its patches were cut.
        layout_digest: of the strip layout and of how boxes become patches.
        labels_digest: of the labels table.
        acquisitions: built ones.
        quarantine: refused ones.
        labels: every label.
    """

    files: Files
    claims: Claims
    content: PublishedContent
    layout_digest: str
    labels_digest: str
    acquisitions: tuple[AcquisitionRow, ...]
    quarantine: tuple[QuarantineRow, ...]
    labels: tuple[LabelRow, ...]

    @property
    def patches_per_acquisition(self) -> int:
        """Images x vials x regions."""
        return len(self.claims.expected_patches)


def read_labelled_version(files: Files) -> LabelledVersion:
    """Opens a version; raises `DatasetError` where it is not committed, or has no labels."""
    claims = read_claims(files)
    provenance = read_json(files, PROVENANCE, "the version was not made by this project's build")
    labels = tuple(LabelRow(**row) for row in rows_of(files, "labels"))
    if not labels:
        raise DatasetError(
            f"{files.root}: expected labels of its strips, got none; a set without labels cannot be judged. Name them "
            "in build.<set>.labels and build it again"
        )
    return LabelledVersion(
        files=files,
        claims=claims,
        content=published_content(provenance),
        layout_digest=layout_digest(provenance["parameters"]),
        labels_digest=claims.files[TABLES["labels"]],
        acquisitions=tuple(AcquisitionRow.of(row) for row in rows_of(files, "acquisitions")),
        quarantine=tuple(QuarantineRow(**row) for row in rows_of(files, "quarantine")),
        labels=labels,
    )


def rows_of(files: Files, name: str) -> list[dict[str, Any]]:
    """The rows of a table of a version; raises `DatasetError`."""
    place = f"{files.root}/{TABLES[name]}"
    try:
        return table_rows(read_table(name, files.read(TABLES[name])))
    except OSError as error:
        raise DatasetError(f"{place}: cannot be read: {error.strerror or error}; build the version again") from error
    except DatasetError as error:
        raise DatasetError(f"{place}: {error}; build the version again") from error


def trained_strips(version: LabelledVersion, split: str, model: ModelFacts, trained_on: Files) -> list[str]:
    """Strips of a version that the model saw in its training or validation.

    A strip counts as seen where a strip of that name, or a frame file of the same content, was in the split train or
    validation of the model's dataset. Where the version itself is that dataset, the splits decide.

    Args:
        version: to be scored.
        split: of it that is to be scored.
        model: that was trained.
        trained_on: folder of the model's dataset.

    Raises:
        DatasetError: that folder holds another dataset than the card names.
    """
    wanted = model.dataset["digest"]
    found = read_claims(trained_on).digest
    if found != wanted:
        raise DatasetError(
            f"{trained_on.root}: expected the dataset that the model was trained on, digest {wanted}, got {found}: "
            "whether strips were trained on cannot be checked. Train the model again, or bring that version back"
        )
    seen = [row for row in map(AcquisitionRow.of, rows_of(trained_on, "acquisitions")) if set(row.splits) - {"test"}]
    judged = [row for row in version.acquisitions if split in row.splits]
    names = {row.key.strip_id for row in seen}
    frames = {frame.sha256 for row in seen for frame in row.frames}
    return sorted({
        row.key.strip_id
        for row in judged
        if row.key.strip_id in names or any(frame.sha256 in frames for frame in row.frames)
    })  # fmt: skip


def labels_of(version: LabelledVersion, unlabelled_parts: Any) -> PatchLabels:
    """The labels of a version's patches."""
    strips = {row.key: row.label for row in version.acquisitions}
    return PatchLabels(version.labels, strips, unlabelled_parts, version.content.layouts.regions)


def patch_scores(
    index: Sequence[Mapping[str, Any]], scores: npt.NDArray[np.float32], labels: PatchLabels,
    digests: tuple[str, str], strips: Mapping[AcquisitionKey, str],
) -> PatchScores:  # fmt: skip
    """The table of scores in the order of keys.

    Args:
        index: rows of the patch index.
        scores: of the same patches, float32 [n].
        labels: of the version.
        digests: of dataset and model.
        strips: label of each acquisition.
    """
    keys = [PatchKey(AcquisitionKey.of(row), Image.parse(row["image"]), row["vial"], row["region"]) for row in index]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    keys = [keys[number] for number in order]
    found = [labels.of(key.acquisition, key.vial, key.region) for key in keys]

    def texts(values: list[str]) -> npt.NDArray[np.str_]:
        return np.array(values, np.str_)

    return PatchScores(
        acquisition=texts([str(key.acquisition) for key in keys]),
        strip=texts([key.acquisition.strip_id for key in keys]),
        run=np.array([key.acquisition.run for key in keys], np.int32),
        image=texts([str(key.image) for key in keys]),
        frame=np.array([key.image.frame for key in keys], np.int16),
        vial=np.array([key.vial for key in keys], np.int16),
        region=texts([key.region for key in keys]),
        score=scores[order],
        label=texts([one.label for one in found]),
        defect=texts([one.defect for one in found]),
        size=np.array([one.size for one in found], np.float32),
        vial_label=texts([one.vial_label for one in found]),
        strip_label=texts([strips.get(key.acquisition, UNKNOWN) for key in keys]),
        dataset_digest=texts([digests[0]] * len(keys)),
        model_digest=texts([digests[1]] * len(keys)),
    )
