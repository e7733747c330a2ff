"""The line's own exceptions."""

from drae_data.errors import DraeError


class LineError(DraeError):
    """The line cannot begin or go on; the message says what was expected, what came, and what to do."""


class JudgeError(DraeError):
    """A model and thresholds that do not belong together, or not to this line's frames."""


class LogError(DraeError):
    """A log of verdicts is damaged, of another format, or in use."""
