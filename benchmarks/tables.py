"""What the build benchmark's runs come to: ratios for the line of JSON, tables for people."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.sides import OURS, Rates

Runs = Mapping[str, Sequence[Rates]]
_CLOCKS = (("own clock", "own", ""), ("whole command", "whole", "_whole_command"))
_DECIMALS = 3


def ratios(format: str, runs: Runs) -> dict[str, float]:
    """Ours over each peer, the median over rounds: neighbours in time are compared, so a slow minute weighs on both.

    Args:
        format: of the frames.
        runs: of each side, as many each; the first run of every side belongs to the first round, and so on.

    Returns:
        `PEER_FORMAT` by the programs' own clocks, `PEER_FORMAT_whole_command` with interpreter and imports.
    """
    return {
        f"{peer}_{format}{suffix}": round(
            statistics.median(
                getattr(ours, clock) / getattr(theirs, clock)
                for ours, theirs in zip(runs[OURS], runs[peer], strict=True)
            ),
            _DECIMALS,
        )
        for _, clock, suffix in _CLOCKS
        for peer in runs
        if peer != OURS
    }


def memory_ratios(suffix: str, first: Mapping[str, str], peak_mb: Mapping[str, Mapping[str, int]]) -> dict[str, float]:
    """Each peer's peak memory over ours at the same number of acquisitions.

    Args:
        suffix: of every key.
        first: the number at which each peer is timed; its key carries no number.
        peak_mb: by side and number.
    """
    return {
        f"{peer}_memory{suffix}{'' if count == first[peer] else '_' + count}": round(
            peak / peak_mb[OURS][count], _DECIMALS
        )
        for peer, peaks in peak_mb.items()
        if peer != OURS
        for count, peak in peaks.items()
    }


def print_rates(title: str, format: str, runs: Runs, compared: int, result: Mapping[str, Any]) -> None:
    """The table of one comparison.

    Args:
        title: what was built.
        format: of the frames.
        runs: of each side.
        compared: patches whose pixels were found equal on all sides.
        result: holds the ratios.
    """
    print(f"\n{title}")
    print(f"  {'patches per second':28}{'median':>8}{'min':>8}{'max':>8}   ours / it")
    for label, clock, suffix in _CLOCKS:
        for side, rates in runs.items():
            values = [getattr(rate, clock) for rate in rates]
            numbers = "".join(f"{number:8,.0f}" for number in (statistics.median(values), min(values), max(values)))
            ratio = "" if side == OURS else f"{result[f'{side}_{format}{suffix}']:12.2f}"
            print(f"  {label:16}{side:12}{numbers}{ratio}")
    print(f"  pixels of all {compared:,} patches are equal after decoding, on every side")


def print_peaks(title: str, peak_mb: Mapping[str, Mapping[str, int]]) -> None:
    """The table of peak memory by number of acquisitions; a dash where a side was not run."""
    counts = sorted({count for peaks in peak_mb.values() for count in peaks}, key=int)
    print(f"\n{title}")
    print(f"  {'acquisitions':12}" + "".join(f"{count:>9}" for count in counts))
    for side, peaks in peak_mb.items():
        print(f"  {side:12}" + "".join(f"{peaks[count]:9,}" if count in peaks else f"{'-':>9}" for count in counts))
