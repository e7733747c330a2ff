"""The small line of `tests.acceptance_line` with a model and thresholds, ready to inspect strips."""

import contextlib
from pathlib import Path

from tests.acceptance_line import build, change, write_params

# What the versions of that line are made of, and so what its thresholds are for.
IMAGES = {"frames": [0, 1, 2], "rank": []}


def make_line_scene(folder: Path) -> Path:
    """Builds, trains, scores and calibrates in a folder; leaves nothing of the line itself there."""
    from pipelines import calibrate, score, train

    for name, letter in (("small", "P"), ("calibration", "C"), ("kit", "K")):
        build(folder, name, letter)
    write_params(folder)
    change(folder, build__kit__images=IMAGES)
    with contextlib.chdir(folder):
        assert train.main([]) == 0
        for name in ("calibration", "kit"):
            assert score.main(["--set", name]) == 0
        assert calibrate.main([]) == 0
    return folder
