"""The model's own exceptions."""

import re

from drae_data.errors import DraeError


class TrainingError(DraeError):
    """A training cannot begin, go on or end; the message says what was seen and what to do."""


class ModelError(DraeError):
    """A model folder is absent, broken, or does not fit."""


def first_line(error: Exception) -> str:
    """What an error of the system or of TensorFlow says, in one line."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    # TensorFlow names its nodes and operations around the reason.
    text = re.sub(r"\{\{.*?\}\}\s*|\s*\[Op:\w+\]", "", text).strip()
    return text.splitlines()[0] if text else repr(error)
