"""Names in messages: the first few of many."""

from collections.abc import Collection
from itertools import islice

_MOST = 5


def first_names(names: Collection[object]) -> str:
    """The first five names, and how many more there are: `A, B, C, D, E and 2 more`."""
    more = f" and {len(names) - _MOST:,} more" if len(names) > _MOST else ""
    return ", ".join(map(str, islice(names, _MOST))) + more
