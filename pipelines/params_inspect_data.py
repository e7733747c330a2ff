"""Section `inspect_data` of `params.yaml`: what every dataset version is asked for before it is used."""

from typing import Annotated, Literal

from pydantic import Field

from drae_data.errors import OptionError
from drae_data.quality.options import Limits, QualityOptions
from pipelines.params_section import Section

Number = int | float
Count = Annotated[int, Field(ge=0)]
Severity = Literal["error", "warning", "note", "off"]


class GateParams(Section):
    """The most errors and warnings with which later stages still use a version; null: any number."""

    errors: Count
    warnings: Count | None


class LimitsParams(Section):
    """From where on rules speak: see `drae_data.quality.options.Limits`."""

    motion: Number
    misfiled_ratio: Number
    misfiled_reach: Number
    duplicate_distance: Number
    duplicate_grey: Number
    exposure: Number
    light_drift: Number
    shift: Number
    position_drift: Number
    window: int
    sharpness: Number
    saturated: Number
    split_deviations: Number


class InspectDataParams(Section):
    """Section `inspect_data`.

    Attributes:
        folder: what is found in a set goes into `<folder>/<set>`.
        gate: see `GateParams`.
        severities: of each rule, see `drae_data.quality.options.RULES`.
        limits: see `LimitsParams`.
    """

    folder: Annotated[str, Field(min_length=1)]
    gate: GateParams
    severities: dict[str, Severity]
    limits: LimitsParams

    def options(self) -> QualityOptions:
        """The checked options; raises `OptionError` with the key's whole place."""
        try:
            limits = Limits(**self.limits.model_dump())
            return QualityOptions(limits, dict(self.severities), self.gate.errors, self.gate.warnings)
        except OptionError as error:
            raise OptionError(f"inspect_data.{error.key}", error.value, error.allowed) from error
