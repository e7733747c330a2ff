"""The project's own exceptions: each carries what was expected, what came, and where."""


class DraeError(Exception):
    """Base of every error that a user of this project may see as a message."""


class OptionError(DraeError):
    """An option has a value that is not allowed.

    Args:
        key: the option's name as it stands in `params.yaml`.
        value: what came.
        allowed: what is allowed, in words.
    """

    def __init__(self, key: str, value: object, allowed: str) -> None:
        super().__init__(f"{key}: expected {allowed}, got {value!r}")
        self.key = key
        self.value = value
        self.allowed = allowed


class KeyFormatError(DraeError):
    """A key's text form cannot be parsed."""


class AmbiguousNameError(KeyFormatError):
    """A name can be read in more than one way."""


class ListingError(DraeError):
    """The acquisition root cannot be listed, or holds nothing that the path template matches."""


class LabelError(DraeError):
    """A table of labels or sides cannot be used; the message names line and column."""


class PlanError(DraeError):
    """The earlier version cannot be extended with today's parameters."""


class AcquisitionError(DraeError):
    """An acquisition cannot be built; it belongs in quarantine.

    Args:
        reason: one of `drae_data.codes.REASONS`.
        detail: what was expected and what came.
        file: the offending file's name inside the acquisition folder, empty where it is the folder itself.
    """

    def __init__(self, reason: str, detail: str, file: str = "") -> None:
        super().__init__(f"{reason}: {file + ': ' if file else ''}{detail}")
        self.reason = reason
        self.detail = detail
        self.file = file


class RecordError(DraeError):
    """A TFRecord file or an example inside it is broken."""


class BusyError(DraeError):
    """Another process is at work in the same folder."""


class CommitError(DraeError):
    """What was written is not what was planned; the dataset version is not committed."""


class QuarantineError(CommitError):
    """More acquisitions are quarantined than `max_quarantined` allows."""


class DatasetError(DraeError):
    """A dataset folder is absent, not committed, or of a format that this code does not read."""


class QualityError(DraeError):
    """A version has more violations than its gate allows; later stages must not use it."""
