"""Hugging Face's `datasets` reads the Parquet export without help: images, splits, columns."""

from pathlib import Path
from typing import Any

import pytest

from tests.interop.sample import digest_of, expected_digest, patches_of_a_strip


@pytest.fixture
def datasets() -> Any:
    return pytest.importorskip("datasets")


def test_huggingface_reads_every_patch(datasets: Any, parquet: Path, tmp_path: Path) -> None:
    splits = datasets.load_dataset(str(parquet), cache_dir=str(tmp_path))
    assert {name: split.num_rows for name, split in splits.items()} == {
        "train": patches_of_a_strip(), "validation": patches_of_a_strip(),
    }  # fmt: skip
    rows = [row for split in splits.values() for row in split]
    assert {row["image"].mode for row in rows} == {"L"}
    assert digest_of((row["key"], row["image"]) for row in rows) == expected_digest()
    assert {(name, row["split"]) for name, split in splits.items() for row in split.remove_columns("image")} == {
        ("train", "train"), ("validation", "validation"),
    }  # fmt: skip
    assert {(row["strip"], row["label"]) for row in rows} == {("acq000", "good"), ("acq010", "defective")}


def test_huggingface_streams_every_patch(datasets: Any, parquet: Path) -> None:
    splits = datasets.load_dataset(str(parquet), streaming=True)
    rows = [row for split in splits.values() for row in split]
    assert digest_of((row["key"], row["image"]) for row in rows) == expected_digest()


def test_huggingface_knows_each_column_by_the_files_alone(datasets: Any, parquet: Path, tmp_path: Path) -> None:
    files = sorted(str(path) for path in (parquet / "data").glob("train-*"))
    split = datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=str(tmp_path))
    assert isinstance(split.features["image"], datasets.Image)
    assert {name: str(kind.dtype) for name, kind in split.features.items() if name in ("run", "mean", "minimum")} == {
        "run": "int32", "mean": "float32", "minimum": "uint8",
    }  # fmt: skip
