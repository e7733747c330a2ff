"""What is read of a version's tables, against the frames themselves."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from drae_data.errors import DatasetError
from drae_data.intake import TimeOptions
from drae_data.options import SplitOptions
from drae_data.patches import cut_patch
from drae_data.path_template import PathTemplate
from drae_data.quality.distributions import EDGES
from drae_data.quality.inspection import inspect_version, quality_metrics
from drae_data.quality.measured import STATISTICS, read_measured
from drae_data.strip_layout import Box
from tests.drae_data.quality.made_up import OPTIONS
from tests.small_line import LAYOUT, build_dataset, files_of, small_frame, small_options, write_line


@pytest.mark.parametrize("by", ["strip", "patch"])
def test_what_is_measured_is_what_the_frames_show(tmp_path: Path, by: str) -> None:
    """Split by patch, the patches of an acquisition lie in two shards and are still measured together."""
    options = small_options(split=SplitOptions(by, Fraction(1, 5), 7))
    build_dataset(write_line(tmp_path / "frames"), tmp_path / "out", options)
    measured = read_measured(files_of(tmp_path / "out"))
    assert [str(key) for key in measured.keys] == [f"{strip}/r{run}" for strip in "ABCDE" for run in range(2)]
    assert measured.boxes == ((0, "R0"), (1, "R0"), (0, "R1"), (1, "R1"))
    assert measured.strips.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert not measured.timed and not measured.aligned
    for n, key in enumerate(measured.keys):
        frames = np.stack([small_frame(key.strip, key.run, index) for index in range(3)])
        images = [*frames, frames.min(0), frames.max(0)]
        boxes = [Box(*map(int, LAYOUT.boxes[region][vial])) for vial, region in measured.boxes]
        areas = np.array([box.width * box.height for box in boxes])
        parts = np.array([frames[:, b.top : b.top + b.height, b.left : b.left + b.width].mean() for b in boxes])
        assert measured.brightness[n] == pytest.approx((parts * areas).sum() / areas.sum())
        for place, box in enumerate(boxes):
            patches = [cut_patch(image, box, options.patch) for image in images]
            found = dict(zip(STATISTICS, measured.statistics[n, place], strict=True))
            assert found["mean"] == pytest.approx(np.mean([patch.mean() for patch in patches]))
            assert found["std"] == pytest.approx(np.mean([patch.std() for patch in patches]))
            assert found["black"] == pytest.approx(np.mean([(patch == 0).mean() for patch in patches]))


def test_distributions_count_every_patch_once(tmp_path: Path) -> None:
    build_dataset(write_line(tmp_path / "frames"), tmp_path / "out")
    distributions = read_measured(files_of(tmp_path / "out")).distributions
    tables = [pq.read_table(path) for path in sorted((tmp_path / "out/patches").iterdir())]
    rows = [row for table in tables for row in table.to_pylist()]
    places = {(row["split"], row["region"]) for row in rows}
    assert list(distributions.places()) == sorted(places)
    for split, region in places:
        for name, edges in EDGES.items():
            values = [row[name] for row in rows if (row["split"], row["region"]) == (split, region) and row[name] >= 0]
            # What lies beyond the last edge counts in the last bin.
            expected = np.histogram(np.minimum(values, edges[-1]), edges)[0]
            assert distributions.of(split, region, name).tolist() == expected.tolist()
            assert expected.sum() == len(values)
    assert distributions.of("test", "R0", "mean").sum() == 0


def test_times_give_the_order(tmp_path: Path) -> None:
    root = write_line(tmp_path / "frames", "AB", runs=1)
    for strip, clock in (("A", "20240102"), ("B", "20240101")):
        (root / strip / "run_00").rename(root / strip / f"{clock}_run_00")
    options = small_options(
        template=PathTemplate("{strip}/{time}_run_{run}/frame_{frame}.png"),
        acquired_at=TimeOptions("name", "%Y%m%d", "UTC"),
        split=SplitOptions("none", Fraction(0), 7),
    )
    build_dataset(root, tmp_path / "out", options)
    measured = read_measured(files_of(tmp_path / "out"))
    assert (measured.timed, [str(measured.keys[n]) for n in measured.order]) == (True, ["B/r0", "A/r0"])


def test_an_exchanged_table_is_refused(tmp_path: Path) -> None:
    build_dataset(write_line(tmp_path / "frames"), tmp_path / "out")
    path = tmp_path / "out/acquisitions.parquet"
    pq.write_table(pq.read_table(path), path, compression="none")
    with pytest.raises(DatasetError, match=r"acquisitions\.parquet: expected SHA-256"):
        read_measured(files_of(tmp_path / "out"))


def test_metrics_count_what_was_found(tmp_path: Path) -> None:
    """Noise has nothing to do with strips: what the rules say of it is no matter, but the figures must agree."""
    build_dataset(write_line(tmp_path / "frames"), tmp_path / "out")
    inspection = inspect_version(files_of(tmp_path / "out"), OPTIONS)
    metrics = quality_metrics(inspection)
    assert (metrics["acquisitions"], metrics["strips"], metrics["patches"]) == (10, 5, 200)
    assert sum(metrics["violations"].values()) == sum(metrics["rules"].values()) == len(inspection.rows)
