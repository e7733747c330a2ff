"""The page's own exception."""

from drae_data.errors import DraeError


class PageError(DraeError):
    """The page cannot be served; the message says what was expected, what came, and what to do."""
