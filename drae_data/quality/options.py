"""The rules, what each looks for, and the limits from which on it speaks."""

from collections.abc import Mapping
from dataclasses import dataclass

from drae_data.errors import OptionError

# Rule names, as they stand in the rows, and what each looks for.
RULES = {
    "frozen_camera": "every frame of an acquisition shows the same pixels as the one before",
    "repeated_frame": "a frame shows the same pixels as the one before, or is the same file as another of its strip",
    "misfiled_run": "an acquisition looks like another strip and unlike the other runs of its own",
    "duplicated_strip": "a strip is a copy of another one under a name of its own",
    "split_leak": "what shows the same lies on more than one side of the split",
    "exposure_outlier": "an acquisition is brighter or darker than the others",
    "light_drift": "the light has moved away from where it was with the first strips",
    "shifted_strip": "a strip lies elsewhere in the frame than the others",
    "position_drift": "strips have moved away from where the first ones lay",
    "defocus": "a region is less sharp than in the other acquisitions",
    "saturation": "pixels of a region are at 0 or 255, where nothing can be told from them",
    "camera_changed": "exposure, gain or serial number differ from the acquisition before",
    "split_shift": "validation strips differ from training strips by more than chance",
}
# From worst to mildest; `off` switches a rule off.
SEVERITIES = ("error", "warning", "note")
OFF = "off"


@dataclass(frozen=True)
class Limits:
    """From where on rules speak.

    Attributes:
        motion: `frozen_camera`, `repeated_frame`: largest motion of a frame that repeats the one before, grey levels.
        misfiled_ratio: `misfiled_run`: how many times further the strip's own runs lie than another strip's, above 1.
        misfiled_reach: `misfiled_run`: how far the other strip may lie, in distances usual between runs of one strip.
        duplicate_distance: `duplicated_strip`, `split_leak`: largest share of a signature's bits that differ, 0 to 1.
            Of layouts of fewer than 8 boxes only files of the same content are found.
        duplicate_grey: the same: how far the boxes' means may differ beside gain and offset of the light, grey levels.
        exposure: `exposure_outlier`: largest difference from the set's median, grey levels.
        light_drift: `light_drift`: largest difference from the first strips, grey levels.
        shift: `shifted_strip`: largest distance from the set's median, pixels.
        position_drift: `position_drift`: largest distance from the first strips, pixels.
        window: `light_drift`, `position_drift`: strips that a median is taken over.
        sharpness: `defocus`: smallest share of the set's median sharpness, 0 to 1.
        saturated: `saturation`: largest share of pixels at 255, and of pixels at 0, 0 to 1.
        split_deviations: `split_shift`: how unlikely by chance both sides' means may differ, in standard deviations.
    """

    motion: float
    misfiled_ratio: float
    misfiled_reach: float
    duplicate_distance: float
    duplicate_grey: float
    exposure: float
    light_drift: float
    shift: float
    position_drift: float
    window: int
    sharpness: float
    saturated: float
    split_deviations: float

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < 0:
                raise OptionError(f"limits.{name}", value, "0 or more")
        for name in ("duplicate_distance", "sharpness", "saturated"):
            if getattr(self, name) > 1:
                raise OptionError(f"limits.{name}", getattr(self, name), "0 to 1")
        if self.misfiled_ratio <= 1:
            raise OptionError("limits.misfiled_ratio", self.misfiled_ratio, "more than 1")
        if self.window < 1:
            raise OptionError("limits.window", self.window, "1 or more")


@dataclass(frozen=True)
class QualityOptions:
    """How a version is inspected.

    Attributes:
        limits: see `Limits`.
        severities: of each rule: error, warning, note or off.
        most_errors: more errors close the gate.
        most_warnings: more warnings close the gate; None for any number.
    """

    limits: Limits
    severities: Mapping[str, str]
    most_errors: int
    most_warnings: int | None

    def __post_init__(self) -> None:
        if unknown := sorted(self.severities.keys() - RULES.keys()):
            raise OptionError("severities", unknown[0], f"rules among {', '.join(RULES)}")
        if missing := sorted(RULES.keys() - self.severities.keys()):
            raise OptionError("severities", dict(self.severities), f"a severity of {missing[0]} too")
        for rule, severity in self.severities.items():
            if severity not in (*SEVERITIES, OFF):
                raise OptionError(f"severities.{rule}", severity, f"one of {', '.join((*SEVERITIES, OFF))}")
        for key, count in (("gate.errors", self.most_errors), ("gate.warnings", self.most_warnings)):
            if count is not None and count < 0:
                raise OptionError(key, count, "0 or more")

    def on(self, rule: str) -> bool:
        """Whether a rule is applied."""
        return self.severities[rule] != OFF
