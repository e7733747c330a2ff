"""Rules that look at each acquisition: its frames, and how it differs from the others of its recipe and station."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from drae_data.quality.measured import STATISTICS, Floats, Ints, Measured
from drae_data.quality.options import Limits
from drae_data.quality.violation import Finding

_SHARPNESS = STATISTICS.index("sharpness")
_EXTREMES = (("saturated", 255), ("black", 0))
# Below, a median says nothing of what is usual.
_FEWEST = 3


def single_findings(measured: Measured, limits: Limits) -> Iterator[Finding]:
    """What these rules find, acquisition by acquisition."""
    for row, key in zip(measured.rows, measured.keys, strict=True):
        yield from _still_frames(str(key), row, limits)
    yield from _runs_of_one_file(measured)
    for members in measured.groups():
        yield from _saturation(measured, members, limits)
        if len(members) >= _FEWEST:
            yield from _exposure(measured, members, limits)
            yield from _position(measured, members, limits)
            yield from _defocus(measured, members, limits)


def _still_frames(key: str, row: Mapping[str, Any], limits: Limits) -> Iterator[Finding]:
    """`frozen_camera`, `repeated_frame`: by motion of pixels and by SHA-256 of files."""
    views: defaultdict[tuple[int, str], list[Mapping[str, Any]]] = defaultdict(list)
    for one in row["frame_statistics"]:
        views[one["vial"], one["region"]].append(one)
    told: set[tuple[int, str]] = set()
    for view, frames in views.items():
        moved = [one for one in frames if one["motion"] >= 0]
        still = [one["frame"] for one in moved if one["motion"] <= limits.motion]
        if still:
            told.add(view)
            frozen = len(still) == len(moved)
            most = max(one["motion"] for one in moved if one["motion"] <= limits.motion)
            detail = (
                f"all {len(frames)} frames show the same pixels; was the camera triggered?"
                if frozen
                else f"frames that show what the one before shows: {', '.join(map(str, still))}"
            )
            rule = "frozen_camera" if frozen else "repeated_frame"
            yield Finding(rule, key, most, limits.motion, f"{_view_words(view)}{detail}")
    yield from _same_files(key, row, told)


def _same_files(key: str, row: Mapping[str, Any], told: set[tuple[int, str]]) -> Iterator[Finding]:
    """Files of one content in a view that nothing was said of yet."""
    places: defaultdict[tuple[tuple[int, str], str], list[int]] = defaultdict(list)
    for file in row["frames"]:
        places[(file["vial"], file["region"]), file["sha256"]].append(file["frame"])
    for (view, _), frames in places.items():
        if len(frames) > 1 and view not in told:
            detail = f"{_view_words(view)}frames that are the same file: {', '.join(map(str, frames))}"
            yield Finding("repeated_frame", key, 0.0, 0.0, detail)


def _view_words(view: tuple[int, str]) -> str:
    """Which vial and region frames show that come already cut; empty where they show the whole strip."""
    vial, region = view
    words = " ".join(word for word in (f"vial {vial}" if vial >= 0 else "", region) if word)
    return f"{words}: " if words else ""


def _runs_of_one_file(measured: Measured) -> Iterator[Finding]:
    """`repeated_frame`: a frame that is the file of another run of the same strip, and no look at it of its own."""
    first: dict[tuple[int, str], int] = {}
    for n, row in enumerate(measured.rows):
        for file in row["frames"]:
            before = first.setdefault((int(measured.strips[n]), file["sha256"]), n)
            if before != n:
                detail = f"frame {file['frame']} is a file of {measured.keys[before]} too: a copy, or part of one"
                yield Finding("repeated_frame", str(measured.keys[n]), 0.0, 0.0, detail)
                break


def _exposure(measured: Measured, members: Ints, limits: Limits) -> Iterator[Finding]:
    levels = measured.brightness[members]
    median = float(np.median(levels))
    for n, level in zip(members, levels, strict=True):
        if abs(level - median) > limits.exposure:
            word = "brighter" if level > median else "darker"
            detail = f"mean grey level {level:.1f}, {abs(level - median):.1f} {word} than the median, {median:.1f}"
            yield Finding(
                "exposure_outlier", str(measured.keys[n]), abs(float(level) - median), limits.exposure, detail
            )


def _position(measured: Measured, members: Ints, limits: Limits) -> Iterator[Finding]:
    if not measured.aligned:
        return
    away = measured.shift[members] - np.median(measured.shift[members], axis=0)
    for n, (x, y) in zip(members, away, strict=True):
        if (distance := float(max(abs(x), abs(y)))) > limits.shift:
            detail = f"lies {x:+.0f} pixels right and {y:+.0f} down of where the others lie"
            yield Finding("shifted_strip", str(measured.keys[n]), distance, limits.shift, detail)


def _defocus(measured: Measured, members: Ints, limits: Limits) -> Iterator[Finding]:
    sharpness = measured.statistics[members, :, _SHARPNESS]
    usual = np.median(sharpness, axis=0)
    # What is flat everywhere cannot be less sharp.
    shares = np.where(usual > 0, sharpness / np.where(usual > 0, usual, 1.0), 1.0)
    by_region = {region: _over_vials(shares, measured, region) for region in measured.regions}
    for place, n in enumerate(members):
        low = {region: float(values[place]) for region, values in by_region.items() if values[place] < limits.sharpness}
        if low:
            worst = min(low.values())
            words = ", ".join(f"{region} {share:.2f}" for region, share in low.items())
            detail = f"sharpness as a share of what is usual here: {words}"
            yield Finding("defocus", str(measured.keys[n]), worst, limits.sharpness, detail)


def _over_vials(values: Floats, measured: Measured, region: str) -> Floats:
    """The median over the vials of a region: float64 [n]. One odd vial is a defect, not the lens."""
    medians: Floats = np.median(values[:, measured.columns(region)], axis=1)
    return medians


def _saturation(measured: Measured, members: Ints, limits: Limits) -> Iterator[Finding]:
    for name, grey in _EXTREMES:
        shares = measured.statistics[members, :, STATISTICS.index(name)]
        for region in measured.regions:
            over = _over_vials(shares, measured, region)
            for place in np.flatnonzero(over > limits.saturated):
                detail = f"{region}: {over[place]:.1%} of the pixels are at {grey}"
                key = str(measured.keys[members[place]])
                yield Finding("saturation", key, float(over[place]), limits.saturated, detail)
