"""The acceptance's own exceptions."""

from drae_data.errors import DraeError


class ScoreError(DraeError):
    """A score table cannot be used: damaged, mixed, or not a number."""


class CalibrationError(DraeError):
    """Thresholds cannot be searched on these scores; the message says what is missing."""


class BindingError(DraeError):
    """Thresholds, scores, model and dataset do not belong together; the message shows both sides."""


class InspectorsError(DraeError):
    """The table of the human inspectors' results cannot be used; the message names line and column."""


class TraceError(DraeError):
    """A verdict cannot be led back to its frames; the message names the broken link."""
