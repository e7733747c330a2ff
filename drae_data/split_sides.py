"""Which units of a split (strips, acquisitions, blocks of strips) are validation."""

import re
from collections.abc import Callable, Collection, Mapping
from fractions import Fraction

from drae_data.acquisition import AcquisitionKey
from drae_data.options import SplitOptions


def split_units(keys: Collection[AcquisitionKey], split: SplitOptions, before: Mapping[str, str]) -> dict[str, str]:
    """The unit that each strip or acquisition belongs to.

    Args:
        keys: of all acquisitions.
        split: by strip or acquisition each is its own unit; by blocks so many strips, one after the other in the order
            of their names, numbers compared as numbers, are one; strips that the earlier plan does not hold make
            blocks of their own.
        before: what the earlier plan holds, by name.

    Returns:
        Name (strip id, or the key's text) to unit.
    """
    if split.by == "acquisition":
        return {str(key): str(key) for key in keys}
    # S2 and S02 are one number: their texts decide, not the order of a set.
    names = sorted(sorted({key.strip_id for key in keys}), key=natural_order)
    if split.by != "blocks":
        return {name: name for name in names}
    units: dict[str, str] = {}
    for group in ([name for name in names if name in before], [name for name in names if name not in before]):
        # A block is named after its first strip; a strip that came later may lie beside one of the other side.
        first, size = "", 0
        for name in group:
            if not first or size == split.block_strips or before.get(name) != before.get(first):
                first, size = name, 0
            units[name], size = first, size + 1
    return units


def choose_validation(
    units: Collection[str], known: Mapping[str, str], split: SplitOptions, order: Callable[[int, str, str], bytes]
) -> set[str]:
    """The units that are validation: those that were, and as many of the new ones as the share still lacks.

    Args:
        units: all.
        known: split of the units of the earlier plan.
        split: share and seed.
        order: sort key of (seed, purpose, unit).
    """
    count = nearest(len(units) * split.validation_fraction)
    if split.validation_fraction and len(units) >= 2:
        count = min(max(count, 1), len(units) - 1)
    kept = {unit for unit, side in known.items() if side == "validation"}
    new = sorted((unit for unit in units if unit not in known), key=lambda unit: order(split.seed, split.by, unit))
    return kept | set(new[: max(0, count - len(kept))])


def natural_order(text: str) -> tuple[tuple[int, str], ...]:
    """A sort key that has strip 2 before strip 10."""
    parts = enumerate(re.split(r"([0-9]+)", text))
    return tuple((int(part), "") if position % 2 else (-1, part) for position, part in parts)


def nearest(value: Fraction) -> int:
    """The nearest whole number, halves up: no binary fraction is involved."""
    return int(value + Fraction(1, 2))
