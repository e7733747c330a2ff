"""Parameters as text: nested values by dotted names."""

import json
from collections.abc import Iterator
from typing import Any


def value_text(value: Any) -> str:
    """A value as text: JSON, but for texts themselves."""
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False, sort_keys=True)


def named_values(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """The values inside a value by dotted names, each as text, in the order of names.

    Objects are entered, and so are lists of pairs of a name and a value, by which provenance keeps layouts in order;
    other lists and what is empty stay whole.

    Args:
        name: of the value; empty for none.
        value: any JSON value.
    """
    entries: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        entries = sorted(value.items())
    elif isinstance(value, list) and all(_is_pair(item) for item in value):
        entries = [(part, inner) for part, inner in value]
    if not entries:
        yield name, value_text(value)
    for part, inner in entries:
        yield from named_values(".".join(word for word in (name, part) if word), inner)


def _is_pair(item: Any) -> bool:
    return isinstance(item, list) and len(item) == 2 and isinstance(item[0], str)
