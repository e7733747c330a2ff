"""A set that is about to be scored: model and version, opened and found to belong together."""

from dataclasses import dataclass
from pathlib import Path

from drae_acceptance.names import first_names
from drae_data.errors import DatasetError
from drae_data.verification.claims import ShardClaim
from drae_model.errors import ModelError
from drae_model.patch_selection import split_shards
from pipelines.beam_files import files_at
from pipelines.model_facts import ModelFacts, read_model_facts
from pipelines.params import Params
from pipelines.params_score import ScoreParams, ScoreSetParams
from pipelines.scored_version import LabelledVersion, read_labelled_version, trained_strips


@dataclass(frozen=True)
class Scoring:
    """One set, ready to be scored.

    Attributes:
        name: of the set.
        section: how sets are scored.
        chosen: how this one is.
        version: that is judged.
        shards: of the split that is judged.
        model: that judges.
        left_out: strips that are not scored because the model was trained on them.
    """

    name: str
    section: ScoreParams
    chosen: ScoreSetParams
    version: LabelledVersion
    shards: tuple[ShardClaim, ...]
    model: ModelFacts
    left_out: tuple[str, ...]


def open_scoring(params: Params, name: str) -> Scoring:
    """Opens model and version, and checks that they belong together.

    Raises:
        ParamsError: a section is missing.
        ModelError: the model is absent, or takes other patches.
        DatasetError: the version is not committed, has no labels, or holds strips that the model was trained on.
    """
    section, chosen = params.score_params(name)
    train = params.train_params()
    files = files_at(params.version_folder(name))
    model = read_model_facts(Path(train.folder))
    version = read_labelled_version(files)
    _check_fit(model, version)
    shards = tuple(split_shards(version.claims, chosen.split))
    trained = trained_strips(version, chosen.split, model, files_at(params.version_folder(train.set)))
    if trained and chosen.trained_strips == "refuse":
        raise DatasetError(
            f"{files.root}: expected strips that the model was not trained on, got {len(trained)} that it was: "
            f"{first_names(trained)}. Scores of such strips are too good: take other strips, give strips of other lots "
            f"{{batch}} in path_template, or set score.sets.{name}.trained_strips to leave_out"
        )
    return Scoring(name, section, chosen, version, shards, model, tuple(trained))


def _check_fit(model: ModelFacts, version: LabelledVersion) -> None:
    for what, ours, theirs in (
        ("patches of side", model.patch_size, version.claims.size),
        ("the regions", sorted(model.regions), sorted(version.content.layouts.regions)),
    ):
        if ours != theirs:
            raise ModelError(
                f"{model.folder}: expected a model for {what} {theirs}, as {version.files.root} has, got one for "
                f"{ours}; train it on a version of the same strip layout and patch size"
            )
