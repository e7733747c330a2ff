"""What a build might have measured, made up: strips that differ, runs of a strip that hardly do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from drae_data.acquisition import AcquisitionKey
from drae_data.quality.distributions import Distributions
from drae_data.quality.measured import STATISTICS, Measured
from drae_data.quality.options import RULES, Limits, QualityOptions
from drae_data.verification.claims import Claims, Info

BOXES = tuple((vial, region) for region in ("R0", "R1", "R2") for vial in range(3))
LIMITS = Limits(
    motion=0, misfiled_ratio=1.5, misfiled_reach=3, duplicate_distance=0.01, duplicate_grey=0.1, exposure=15,
    light_drift=10, shift=8, position_drift=4, window=4, sharpness=0.6, saturated=0.05, split_deviations=4,
)  # fmt: skip
OPTIONS = QualityOptions(LIMITS, dict.fromkeys(RULES, "error"), 0, None)


def claims(split_by: str = "strip", align: object = "reference.png") -> Claims:
    return Claims(Info("line", "1.0.0", "tfrecord", ()), "0" * 64, {"align": align}, 64, "png", split_by, (), {}, {})


def acquisition(key: AcquisitionKey, split: str) -> dict[str, Any]:
    """The part of a row of the table of acquisitions that rules look at."""
    frames = [{"frame": n, "vial": -1, "region": "", "mean": 180.0, "motion": 2.0 if n else -1.0} for n in range(3)]
    files = [{"frame": n, "vial": -1, "region": "", "sha256": f"{key}/{n}"} for n in range(3)]
    return {
        **key.columns(), "splits": [split], "frame_statistics": frames, "frames": files, "exposure": "", "gain": "",
        "serial": "",
    }  # fmt: skip


def made_up(strips: int = 12, runs: int = 3, seed: int = 1) -> Measured:
    """A line without faults; strips differ by some grey levels, runs of a strip by tenths of them.

    The first third of the strips is in validation.
    """
    random = np.random.default_rng(seed)
    keys = tuple(AcquisitionKey(f"S{strip:02d}", run) for strip in range(strips) for run in range(runs))
    numbers = np.repeat(np.arange(strips), runs)
    shape = (len(BOXES), len(STATISTICS))
    usual = np.array([180.0, 20.0, 900.0, 0.001, 0.0])
    between = random.normal(0, 1, (strips, *shape)) * [6, 2, 40, 0, 0]
    within = random.normal(0, 1, (len(keys), *shape)) * [0.2, 0.1, 10, 0, 0]
    sides = ("train", "validation")
    bits = random.integers(0, 2, (strips, 64 * len(BOXES)), dtype=np.uint8)
    return Measured(
        claims(), keys,
        tuple(acquisition(key, sides[int(n < strips // 3)]) for key, n in zip(keys, numbers, strict=True)),
        numbers, tuple(f"S{strip:02d}" for strip in range(strips)), np.arange(len(keys)), False, BOXES,
        usual + between[numbers] + within, 180 + random.normal(0, 1, len(keys)),
        random.integers(-2, 3, (strips, 2))[numbers].astype(float), True, bits[numbers], Distributions(),
    )  # fmt: skip


def with_row(measured: Measured, place: int, **values: object) -> Measured:
    """The same, with other values in one row of the table of acquisitions."""
    rows = list(measured.rows)
    rows[place] = {**rows[place], **values}
    return replace(measured, rows=tuple(rows))
