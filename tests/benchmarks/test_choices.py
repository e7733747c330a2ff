"""The judge of choices: a model that rebuilds good patches alone separates them from defective ones wholly."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.choices import judge, put
from drae_model.input_size import shrink
from drae_model.patch_dataset import patch_batches
from drae_model.read_options import ReadOptions
from tests.acceptance_line import BAD


@dataclass
class Oracle:
    """Rebuilds chosen images as they are where it is told their regions, all others black."""

    kept: set[tuple[bytes, str]]
    input_size: int = 16

    def region_numbers(self, names: list[str]) -> list[str]:
        return names

    def rebuild(self, images: Any, regions: list[str]) -> Any:
        pixels = np.asarray(images)
        known = [(image.tobytes(), region) in self.kept for image, region in zip(pixels, regions, strict=True)]
        return np.where(np.array(known)[:, None, None, None], pixels, np.float32(0.0))


def images_by_mark(version: Path) -> dict[bool, set[tuple[bytes, str]]]:
    """What each patch looks like at the model's input size, and its region, by whether it is labelled defective."""
    found: dict[bool, set[tuple[bytes, str]]] = {True: set(), False: set()}
    for batch in patch_batches(version, ReadOptions("test", 256, False, 2, None)):
        places = zip(*(batch[name].numpy() for name in ("strip", "vial", "region")), strict=True)
        for image, (strip, vial, region) in zip(shrink(batch["image"], 16).numpy(), places, strict=True):
            marked = (strip.decode(), vial, region) in {(name, 1, b"R1") for name in BAD}
            found[marked].add((image.tobytes(), region.decode()))
    return found


@pytest.mark.parametrize(("kept", "expected"), [(False, 1.0), (True, 0.0)])
def test_the_greater_score_is_the_defective_one(
    scored_line: Path, monkeypatch: pytest.MonkeyPatch, kept: bool, expected: float
) -> None:
    version = scored_line / "datasets/kit/1.0.0"
    images = images_by_mark(version)
    # 2 strips x 2 runs x 3 frames; the other strips' and places' patches are 120 less those.
    assert {mark: len(found) for mark, found in images.items()} == {True: 12, False: 108}
    monkeypatch.setattr("benchmarks.choices.load_inspector", lambda folder: Oracle(images[kept]))

    # Only good strips' patches count as good: the unmarked ones of K04 and K05 must take no part.
    assert judge(Path("model"), version, every=2) == {"mean": expected, "percentile_99": expected}


def test_a_value_is_put_at_its_place() -> None:
    section: dict[str, Any] = {"network": {"linear_path": {"per_region": True}}, "q": 0.5}
    put(section, "network.linear_path.per_region", False)
    put(section, "q", 0.0)
    assert section == {"network": {"linear_path": {"per_region": False}}, "q": 0.0}
