"""The base of every section of `params.yaml`."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A section of `params.yaml`: frozen, no unknown keys, no silent conversion of types, no infinite numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
