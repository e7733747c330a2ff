"""Rules that compare acquisitions with each other: under the right strip, each strip once, and on one side."""

from collections.abc import Iterator

import numpy as np
from scipy import special

from drae_data.options import STRIPS_WHOLE
from drae_data.quality.alike import Nearest, Twins, nearest, twins
from drae_data.quality.measured import STATISTICS, Floats, Ints, Measured
from drae_data.quality.options import Limits, QualityOptions
from drae_data.quality.violation import Finding

# With fewer strips on a side its spread says nothing.
_FEWEST_STRIPS = 2
# Beyond, a ratio of distances is that of roundings; and beyond so many deviations a probability is none that is told.
_MOST_TIMES, _MOST_DEVIATIONS = 100.0, 37.0
_COMPARED = ("mean", "std", "sharpness")


def between_findings(measured: Measured, options: QualityOptions) -> Iterator[Finding]:
    """What these rules find; the time for pairs grows with the square of their number, unless their rules are off."""
    limits = options.limits
    alike: list[Twins] = []
    for members in measured.groups():
        pairs = twins(measured, members, limits) if options.on("duplicated_strip") else []
        alike += pairs
        if options.on("misfiled_run"):
            # A strip that comes twice is near its copy, and no run of either lies under a wrong name.
            copies = {strip for pair in pairs if _is_copy(measured, pair) for strip in (pair.first, pair.second)}
            others = np.array([n for n in members if measured.strips[n] not in copies], np.int64)
            yield from _misfiled(measured, others, limits)
        yield from _split_shift(measured, members, limits)
    yield from _duplicates(measured, alike, limits)
    yield from _leaks(measured, alike, limits)


def _is_copy(measured: Measured, pair: Twins) -> bool:
    """Whether most acquisitions of the second strip have a twin in the first: not one run alone."""
    return 2 * pair.pairs > int(np.count_nonzero(measured.strips == pair.second))


def _misfiled(measured: Measured, members: Ints, limits: Limits) -> Iterator[Finding]:
    strips = measured.strips[members]
    runs = np.array([np.count_nonzero(strips == strip) for strip in strips])
    if not (runs > 1).any() or len(np.unique(strips)) < _FEWEST_STRIPS:
        return
    near = nearest(measured, members)
    usual = float(np.median(near.own[runs > 1]))
    suspects = [n for n in np.flatnonzero(runs > 1).tolist() if _looks_like_another(near, n, usual, limits)]
    for n in suspects:
        there = strips[near.which[n]]
        # Where each resembles the other's strip, the one with more runs that it is unlike is the stranger.
        rivals = [m for m in suspects if strips[m] == there and strips[near.which[m]] == strips[n]]
        if any(runs[m] > runs[n] for m in rivals):
            continue
        ratio = min(float(near.own[n] / max(near.other[n], usual / _MOST_TIMES)), _MOST_TIMES)
        detail = (
            f"looks like {measured.keys[members[near.which[n]]]}; the other runs of its own strip are "
            f"{f'{ratio:.1f}' if ratio < _MOST_TIMES else 'many'} times as far"
        )
        yield Finding("misfiled_run", str(measured.keys[members[n]]), ratio, limits.misfiled_ratio, detail)


def _looks_like_another(near: Nearest, n: int, usual: float, limits: Limits) -> bool:
    reach = limits.misfiled_reach * usual
    return bool(near.own[n] > limits.misfiled_ratio * near.other[n] and near.other[n] <= reach)


def _duplicates(measured: Measured, alike: list[Twins], limits: Limits) -> Iterator[Finding]:
    named: set[int] = set()
    for pair in alike:
        if pair.second in named:
            continue
        named.add(pair.second)
        first, second = measured.strip_names[pair.first], measured.strip_names[pair.second]
        runs = int(np.count_nonzero(measured.strips == pair.second))
        detail = (
            f"shows what {first} shows, in {pair.pairs} of its {runs} acquisitions; "
            f"{pair.distance:.2%} of the bits of their signatures differ"
        )
        yield Finding("duplicated_strip", second, pair.distance, limits.duplicate_distance, detail)


def _leaks(measured: Measured, alike: list[Twins], limits: Limits) -> Iterator[Finding]:
    """Strips on several sides where the split keeps them whole, and strips that show the same on different sides."""
    if measured.claims.split_by not in STRIPS_WHOLE:
        return
    for strip, name in enumerate(measured.strip_names):
        sides = measured.splits(strip)
        if len(sides) > 1:
            detail = f"the strip has patches in {' and '.join(sides)} (split by {measured.claims.split_by})"
            yield Finding("split_leak", name, float(len(sides)), 1.0, detail)
    named: set[int] = set()
    for pair in alike:
        sides = tuple(sorted({*measured.splits(pair.first), *measured.splits(pair.second)}))
        if len(sides) > 1 and pair.second not in named:
            named.add(pair.second)
            first, second = measured.strip_names[pair.first], measured.strip_names[pair.second]
            detail = f"shows what {first} shows, and one is in {sides[0]}, the other in {sides[1]}"
            yield Finding("split_leak", second, pair.distance, limits.duplicate_distance, detail)


def _split_shift(measured: Measured, members: Ints, limits: Limits) -> Iterator[Finding]:
    """Strips are the samples, since patches and runs of one strip are alike."""
    strips = np.unique(measured.strips[members])
    sides = {int(strip): measured.splits(int(strip)) for strip in strips}
    train = np.array([sides[int(strip)] == ("train",) for strip in strips])
    validation = np.array([sides[int(strip)] == ("validation",) for strip in strips])
    if min(train.sum(), validation.sum()) < _FEWEST_STRIPS:
        return
    for region in measured.regions:
        for statistic in _COMPARED:
            values = measured.statistics[:, :, STATISTICS.index(statistic)][:, measured.columns(region)].mean(axis=1)
            means = np.array([values[members][measured.strips[members] == strip].mean() for strip in strips])
            one, other = means[train], means[validation]
            deviations = _deviations(one, other)
            if deviations > limits.split_deviations:
                detail = (
                    f"{statistic}: {other.mean():.4g} over {len(other)} validation strips, {one.mean():.4g} over "
                    f"{len(one)} training strips, as unlikely by chance as {deviations:.1f} standard deviations"
                )
                yield Finding("split_shift", region, deviations, limits.split_deviations, detail)


def _deviations(one: Floats, other: Floats) -> float:
    """How unlikely the difference of two means is by chance, as deviations of a normal distribution.

    Student's t test of two samples with one spread; its tail is that of a normal distribution at the value returned, so
    that one limit suits few strips and many.
    """
    freedom = len(one) + len(other) - 2
    spread = np.sqrt((((one - one.mean()) ** 2).sum() + ((other - other.mean()) ** 2).sum()) / freedom)
    error = spread * np.sqrt(1 / len(one) + 1 / len(other))
    if not error > 0:
        return _MOST_DEVIATIONS if one.mean() != other.mean() else 0.0
    t = abs(one.mean() - other.mean()) / error
    return float(min(-special.ndtri(special.stdtr(freedom, -t)), _MOST_DEVIATIONS))
