"""The model's own exceptions."""

from drae_data.errors import DraeError


class TrainingError(DraeError):
    """A training cannot begin, go on or end; the message says what was seen and what to do."""


class ModelError(DraeError):
    """A model folder is absent, broken, or does not fit."""
