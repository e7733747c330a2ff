"""The model and principal components side by side: both score the patches of a set, with every aggregate."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from benchmarks.measure import BenchmarkError
from benchmarks.patch_scores import Values, aggregate_name, aggregates_of, counted_labels, scorer, weighted_auroc
from benchmarks.pca import Subspaces, fit_subspaces
from drae_acceptance.score_table import ScoreSet
from drae_data.local_files import LocalFiles
from drae_data.verification.claims import read_claims
from drae_model.input_size import shrink
from drae_model.loss_options import ScoreOptions
from drae_model.model_folder import Inspector, load_inspector
from drae_model.patch_dataset import patch_batches
from drae_model.read_options import ReadOptions
from pipelines.console import progress
from pipelines.model_facts import read_model_facts
from pipelines.params import Params

COMPONENTS = (8, 16, 24, 32, 64, 128)
# What a network sees: it learns from one split, and its best epoch is the best for the other.
_FIT_SPLITS = ("train", "validation")
_FIT_PATCHES = 2000
_BATCH = 256
# Largest difference between scores of the same patches, which come from batches of other sizes.
_TOLERANCE = 1e-5


class Way(NamedTuple):
    """A way to score.

    Attributes:
        components: of the rival; None is the model.
        aggregate: name of the aggregate.
    """

    components: int | None
    aggregate: str


# The scores of a set's patches in the order of its table.
Scores = Mapping[Way, Values]


@dataclass(frozen=True)
class Rivals:
    """The model and its rival, ready to score.

    Attributes:
        inspector: the model.
        subspaces: principal components of the patches that it was trained on.
        counts: of components that are tried.
        aggregates: that are tried, by name.
    """

    inspector: Inspector
    subspaces: Subspaces
    counts: tuple[int, ...]
    aggregates: Mapping[str, ScoreOptions]

    @property
    def model(self) -> Way:
        """The model with the aggregate that it was given."""
        return Way(None, aggregate_name(self.inspector.score))

    def pca(self) -> list[Way]:
        """All that the rival tries: fewer components first."""
        return [Way(count, name) for count in self.counts for name in self.aggregates]


def open_rivals(params: Params) -> Rivals:
    """The model of a project, and principal components of the same images by which it was trained and chosen.

    Raises:
        BenchmarkError: the version that the model was trained on is another one today.
        DraeError: model or version cannot be read.
    """
    train = params.train_params()
    facts, version = read_model_facts(Path(train.folder)), Path(params.version_folder(train.set))
    _check_digest(
        f"{version}: expected the version that the model in {train.folder} was trained on",
        facts.dataset["digest"], read_claims(LocalFiles(str(version))).digest, "train the model again",
    )  # fmt: skip
    inspector = load_inspector(Path(train.folder))
    readings = [ReadOptions(split, _BATCH, False, 2, None) for split in _FIT_SPLITS]
    print(f"fitting principal components of {', '.join(facts.regions)} on {train.set}", flush=True)
    size = inspector.input_size
    subspaces = fit_subspaces(version, readings, facts.regions, size, max(COMPONENTS), _FIT_PATCHES)
    return Rivals(inspector, subspaces, subspaces.counts(COMPONENTS), aggregates_of(size, inspector.score))


def check_set(params: Params, name: str, scored: ScoreSet) -> None:
    """Whether a scored set is of today's model and version.

    Raises:
        BenchmarkError: it is not.
        DraeError: model or version cannot be read.
    """
    model, version = params.train_params().folder, params.version_folder(name)
    again = f"run python -m pipelines.score --set {name}"
    _check_digest(
        f"scores of {name}: expected those by the model in {model}",
        read_model_facts(Path(model)).digest, scored.card.model_digest, again,
    )  # fmt: skip
    _check_digest(
        f"scores of {name}: expected those of the version in {version}",
        read_claims(LocalFiles(version)).digest, scored.card.dataset["digest"], again,
    )  # fmt: skip


def _check_digest(expected: str, ours: str, theirs: str, advice: str) -> None:
    if ours != theirs:
        raise BenchmarkError(f"{expected}, digest {ours}, got {theirs}; {advice}")


def score_all(rivals: Rivals, version: Path, scored: ScoreSet) -> Scores:
    """Scores of every patch of a scored set in every way.

    Args:
        rivals: who scores.
        version: the set's.
        scored: the set, as the stage `score` left it.

    Raises:
        BenchmarkError: the model's own scores are not those of the set's table.
        DatasetError: the version cannot be read.
    """
    patches = scored.patches
    place = {patches.key_at(row): row for row in range(len(patches))}
    ways = [*(Way(None, name) for name in rivals.aggregates), *rivals.pca()]
    found = {way: np.full(len(patches), np.nan) for way in ways}
    score = scorer(rivals.aggregates)
    rebuild: Any = tf.function(rivals.inspector.rebuild, autograph=False, reduce_retracing=True)
    done = 0
    with progress(f"score {scored.card.set} in {len(ways)} ways", len(patches), "patches", lambda: done):
        for batch in patch_batches(version, ReadOptions(scored.card.split, _BATCH, False, 2, None)):
            keys = [key.decode() for key in batch["key"].numpy()]
            kept = np.array([key in place for key in keys])
            if not kept.any():
                continue
            rows = [place[key] for key in keys if key in place]
            regions = [region.decode() for region in batch["region"].numpy()[kept]]
            images = shrink(batch["image"], rivals.inspector.input_size).numpy()[kept]
            rebuilt: dict[int | None, Any] = {None: rebuild(images, rivals.inspector.region_numbers(regions))}
            rebuilt |= {count: rivals.subspaces.rebuild(images, regions, count) for count in rivals.counts}
            for components, image in rebuilt.items():
                for name, values in score(tf.constant(images), tf.constant(image)).items():
                    found[Way(components, name)][rows] = values.numpy()
            done += len(rows)
    _check_scores(scored, found[rivals.model])
    return found


def _check_scores(scored: ScoreSet, values: Values) -> None:
    """Whether the model's scores are those of the table; a patch that the version lacks has none."""
    stated = scored.patches.score
    wrong = ~(np.abs(values - stated) <= _TOLERANCE)
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise BenchmarkError(
            f"scores of {scored.card.set}: expected {stated[first]:.7f} for {scored.patches.key_at(first)}, as its "
            f"table says, within {_TOLERANCE:g}, got {values[first]:.7f} from the model, and {int(wrong.sum()) - 1:,} "
            f"more that differ; run python -m pipelines.score --set {scored.card.set}"
        )


def aurocs(scored: ScoreSet, found: Scores, ways: Iterable[Way]) -> dict[Way, float]:
    """AUROC of a set's patches by way; raises `BenchmarkError` where it has none."""
    labels, regions = counted_labels(scored), scored.patches.region
    try:
        return {way: weighted_auroc(found[way], labels, regions) for way in ways}
    except BenchmarkError as error:
        raise BenchmarkError(f"{scored.card.set}: {error}") from error


def best_of(ranked: Mapping[Way, float]) -> Way:
    """The way of the greatest AUROC; of several the first, which has the fewest components."""
    return max(ranked, key=lambda way: ranked[way])
