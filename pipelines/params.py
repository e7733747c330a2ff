"""`params.yaml` as one typed, frozen, strict model, and the plain options that the packages below take.

An unknown key, a wrong type or a value out of range ends in one `ParamsError` that names key, value and what is
allowed.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from drae_acceptance.options import ConfirmRule
from drae_data.errors import DraeError, OptionError
from drae_data.options import DatasetOptions, select_images
from drae_data.patches import PatchOptions
from drae_data.path_template import PathTemplate
from drae_model.training_options import TrainingOptions
from pipelines.params_acceptance import AcceptanceParams, CalibrateParams, EvaluateParams
from pipelines.params_inspect_data import InspectDataParams
from pipelines.params_layout import KINDS, LayoutSection
from pipelines.params_line import LineParams
from pipelines.params_score import ScoreParams, ScoreSetParams
from pipelines.params_section import Section
from pipelines.params_set import SetParams
from pipelines.params_synthesize import SynthesizeParams
from pipelines.params_train import TrainParams


class ParamsError(DraeError):
    """The params file cannot be used; the message names every key that is wrong."""


# Where a number may be whole or not, pydantic adds the type to the place of its error.
_NUMBERS = ("int", "float")
_NUMBER_ERRORS = ("int_type", "int_from_float", "float_type", "finite_number")
# With what anchors repeat: nine lines of YAML can stand for more values than a memory holds.
_MOST_VALUES = 100_000


class PatchParams(Section):
    """Section `patch`: see `drae_data.patches.PatchOptions`."""

    size: Annotated[int, Field(ge=8, le=4096)]
    fit: Literal["stretch", "letterbox"]
    grow: Literal["nearest", "linear", "cubic", "lanczos"]
    fill: Annotated[int, Field(ge=0, le=255)]
    encoding: Literal["png", "raw"]


def _version(text: str) -> str:
    if not re.fullmatch(r"\d+\.\d+\.\d+", text):
        raise ValueError("three numbers such as '1.0.0'")
    return text


class DatasetParams(Section):
    """Section `dataset`: where versions are published and archived, and which version this is."""

    folder: Annotated[str, Field(min_length=1)]
    archive: Annotated[str, Field(min_length=1)] = "archive"
    version: Annotated[str, AfterValidator(_version)]


class Params(Section):
    """The whole of `params.yaml`."""

    synthesize: SynthesizeParams | None = None
    strip_layout: LayoutSection
    patch: PatchParams
    dataset: DatasetParams
    build: Annotated[dict[str, SetParams], Field(min_length=1)]
    inspect_data: InspectDataParams | None = None
    train: TrainParams | None = None
    score: ScoreParams | None = None
    acceptance: AcceptanceParams | None = None
    calibrate: CalibrateParams | None = None
    evaluate: EvaluateParams | None = None
    line: LineParams | None = None

    def inspect_data_params(self) -> InspectDataParams:
        """The section `inspect_data`; raises `ParamsError`."""
        if self.inspect_data is None:
            raise ParamsError("inspect_data: missing; the section that says what a dataset is asked for must be given")
        return self.inspect_data

    def train_params(self) -> TrainParams:
        """The section `train`; raises `ParamsError`."""
        if self.train is None:
            raise ParamsError("train: missing; the section that says what is trained, and how, must be given")
        if self.train.set not in self.build:
            raise ParamsError(f"train.set: expected one of {sorted(self.build)}, got {self.train.set!r}")
        return self.train

    def training_options(self) -> TrainingOptions:
        """The options of section `train`; raises `ParamsError`, or `OptionError` with the key's whole place."""
        with training_errors():
            return self.train_params().options()

    def score_params(self, name: str) -> tuple[ScoreParams, ScoreSetParams]:
        """The sections `score` and `score.sets.<name>`; raises `ParamsError`."""
        if self.score is None:
            raise ParamsError("score: missing; the section that says which sets the model judges must be given")
        if name not in self.score.sets:
            raise ParamsError(f"score.sets: expected one of {sorted(self.score.sets)}, got {name!r}")
        if name not in self.build:
            raise ParamsError(
                f"score.sets: expected names among {sorted(self.build)} (sections under build), got {name!r}"
            )
        return self.score, self.score.sets[name]

    def score_folder(self, name: str) -> str:
        """Where the scored set `name` lies; raises `ParamsError`."""
        return f"{self.score_params(name)[0].folder}/{name}"

    def confirm_rule(self) -> ConfirmRule:
        """The section `acceptance`; raises `ParamsError` or `OptionError`."""
        if self.acceptance is None:
            raise ParamsError("acceptance: missing; the section that says when runs confirm a label must be given")
        return self.acceptance.options()

    def calibrate_params(self) -> CalibrateParams:
        """The section `calibrate`; raises `ParamsError`."""
        if self.calibrate is None:
            raise ParamsError("calibrate: missing; the section that says how thresholds are chosen must be given")
        return self.calibrate

    def evaluate_params(self) -> EvaluateParams:
        """The section `evaluate`; raises `ParamsError`."""
        if self.evaluate is None:
            raise ParamsError("evaluate: missing; the section that says how the kit is judged must be given")
        return self.evaluate

    def line_params(self) -> LineParams:
        """The section `line`; raises `ParamsError`."""
        if self.line is None:
            raise ParamsError("line: missing; the section that says where strips come from must be given")
        if self.line.set not in self.build:
            raise ParamsError(f"line.set: expected one of {sorted(self.build)}, got {self.line.set!r}")
        return self.line

    def set_params(self, name: str) -> SetParams:
        """The section `build.<name>`; raises `ParamsError`."""
        if name not in self.build:
            raise ParamsError(f"--set: expected one of {sorted(self.build)} (sections under build), got {name!r}")
        return self.build[name]

    def dataset_options(self, name: str, tables: Mapping[str, bytes] | None = None) -> DatasetOptions:
        """The options that build the dataset `name`.

        Args:
            name: of the set.
            tables: content of the files that `SetParams.table_names` names.

        Raises:
            OptionError: an option that is not allowed, with its place in the params file.
        """
        try:
            return self._dataset_options(name, self.set_params(name), tables or {})
        except OptionError as error:
            raise placed(error, name) from error

    def _dataset_options(self, name: str, chosen: SetParams, tables: Mapping[str, bytes]) -> DatasetOptions:
        return DatasetOptions(
            name=name,
            version=self.dataset.version,
            extends=chosen.extends,
            template=PathTemplate(chosen.path_template),
            frames=tuple(chosen.frames),
            images=select_images(chosen.images.frames, chosen.images.rank),
            rank_over=tuple(chosen.images.rank_over),
            first_vial=chosen.first_vial,
            layouts=self.strip_layout.options(),
            patch=PatchOptions(**self.patch.model_dump()),
            pixels=chosen.pixel_options(),
            intake=chosen.intake_options(),
            acquired_at=chosen.time_options(),
            sidecar=chosen.sidecar_options(),
            align=chosen.align_options(tables[chosen.align.reference]) if chosen.align else None,
            labels=chosen.labels.options() if chosen.labels else None,
            split=chosen.split.options(),
            shard_patches=chosen.shard_patches,
            max_quarantined=chosen.max_quarantined,
        )

    def version_folder(self, name: str, version: str = "") -> str:
        """Where a version of the dataset `name`, by default today's, is published: `<folder>/<name>/<version>`."""
        return f"{self.dataset.folder}/{name}/{version or self.dataset.version}"

    def archive_folder(self, name: str) -> str:
        """Where the version of the dataset `name` is archived: `<archive>/<name>/<version>`."""
        return f"{self.dataset.archive}/{name}/{self.dataset.version}"


@contextmanager
def training_errors() -> Iterator[None]:
    """Gives an `OptionError` of a training's options the key's whole place in the params file."""
    try:
        yield
    except OptionError as error:
        raise OptionError(f"train.{error.key}", error.value, error.allowed) from error


def placed(error: OptionError, name: str) -> OptionError:
    """The same error with the key's whole place in the params file."""
    if error.key == "dataset.name":
        return OptionError("build", error.value, f"set names of {error.allowed}")
    if error.key.startswith(("strip_layout.", "patch.", "dataset.")):
        return error
    return OptionError(f"build.{name}.{error.key}", error.value, error.allowed)


def load_params(path: Path) -> Params:
    """Loads and checks a params file; raises `ParamsError`."""
    try:
        values = YAML(typ="safe", pure=True).load(path)
    except OSError as error:
        raise ParamsError(f"{path}: expected a params file, got: {error.strerror}") from error
    except (YAMLError, ValueError, LookupError, RecursionError) as error:
        # Not only YAMLError: an impossible date, `!!bool x` or endless brackets trip the parser elsewhere.
        raise ParamsError(f"{path}: expected YAML with each key once and values that exist: {error}") from error
    if _count(values) > _MOST_VALUES:
        raise ParamsError(f"{path}: expected at most {_MOST_VALUES:,} values, with those that its anchors repeat")
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        # A value that is neither of two number types has a message for each; the last one says both.
        messages = dict(_messages(error))
        raise ParamsError(f"{path}:\n" + "\n".join(f"  {key}: {text}" for key, text in messages.items())) from error


def _count(values: Any) -> int:
    """How many values there are, each counted wherever it stands; not beyond the first that are too many."""
    count, todo = 0, [values]
    while todo and count <= _MOST_VALUES:
        value, count = todo.pop(), count + 1
        if isinstance(value, dict):
            todo += value.values()
        elif isinstance(value, list | tuple | set):
            todo += value
    return count


def _messages(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Key and what is wrong with it."""
    for item in error.errors(include_url=False):
        place = item["loc"][:-1] if item["type"] in _NUMBER_ERRORS and item["loc"][-1] in _NUMBERS else item["loc"]
        key = ".".join(str(part) for part in place if part not in KINDS) or "the file"
        match item["type"]:
            case "extra_forbidden":
                allowed = _allowed_keys(item["loc"][:-1])
                close = difflib.get_close_matches(str(item["loc"][-1]), allowed, n=1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                yield key, f"unknown key (value {item['input']!r}); allowed here: {', '.join(allowed)}{hint}"
            case "missing":
                yield key, "missing; this key must be given"
            case _:
                text = item["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
                text = text.replace("List should have at least", "a list of at least").replace(" after validation", "")
                text = text.replace("String should have at least", "a text of at least")
                got = f"got {item['input']!r} ({type(item['input']).__name__})"
                quotes = f"; write it in quotes: '{item['input']}'" if item["type"] == "string_type" else ""
                yield key, f"expected {text}, {got}{quotes}"


def _allowed_keys(location: tuple[Any, ...]) -> list[str]:
    """The keys of the section at a location, found by walking the model's annotations."""
    section: type[BaseModel] = Params
    for part in location:
        field = section.model_fields.get(str(part))
        if part in KINDS:
            section = KINDS[str(part)]
        elif field is not None:
            section = next(iter(_models(field.annotation)), section)
    return sorted(field.alias or name for name, field in section.model_fields.items())


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models(argument)
