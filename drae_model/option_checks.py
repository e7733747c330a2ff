"""Range checks of options, for every options class of this package; each raises `OptionError`."""

import math
from collections.abc import Sequence

from drae_data.errors import OptionError


def check_whole(key: str, value: object, least: int, most: float = math.inf) -> None:
    """A whole number from `least` to `most`."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        allowed = f"{least} or more" if math.isinf(most) else f"{least} to {most}"
        raise OptionError(key, value, f"a whole number, {allowed}")


def check_between(key: str, value: float, least: float, most: float = math.inf) -> None:
    """A finite number from `least` to `most`."""
    if not (math.isfinite(value) and least <= value <= most):
        raise OptionError(key, value, f"a number, {least} or more" if math.isinf(most) else f"{least} to {most}")


def check_one_of(key: str, value: str, allowed: Sequence[str]) -> None:
    """One of some words."""
    if value not in allowed:
        raise OptionError(key, value, f"one of {', '.join(allowed)}")
