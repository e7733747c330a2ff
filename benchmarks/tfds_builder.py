"""The same dataset by TensorFlow Datasets: a Beam builder as its guide describes, patches fed as encoded bytes.

Feeding PNG bytes is the fast way of a TFDS user; arrays would be encoded by TensorFlow one at a time. Raw patches are a
Tensor feature with encoding `bytes`. Beam's in-process runner, one worker: a mode that loses no element.

    python -m benchmarks.tfds_builder JOB.json

The job is a `CuttingJob`. The last line printed holds patches and seconds of `download_and_prepare`, as JSON.
"""

import importlib
import io
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_datasets as tfds
from apache_beam.options.pipeline_options import PipelineOptions

from benchmarks.cv2_patches import CuttingJob, acquisition_patches

NAME = "patches"
VERSION = "1.0.0"


class Patches(tfds.core.BeamBasedBuilder):  # type: ignore[misc]  # Published without types.
    """The patches of a job as a TFDS dataset.

    Args:
        job: what to build.
        options: of TFDS: data_dir.
    """

    VERSION = tfds.core.Version(VERSION)

    def __init__(self, job: CuttingJob, **options: Any) -> None:
        self.job = job
        super().__init__(**options)

    def _info(self) -> tfds.core.DatasetInfo:
        shape = (self.job.size, self.job.size, 1)
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict({
                "image": tfds.features.Tensor(shape=shape, dtype=np.uint8, encoding=tfds.features.Encoding.BYTES)
                if self.job.encoding == "raw"
                else tfds.features.Image(shape=shape, encoding_format="png"),
                "key": tfds.features.Text(),
                "strip": tfds.features.Text(),
                "run": tfds.features.Scalar(np.int64),
                "frame": tfds.features.Scalar(np.int64),
                "rank": tfds.features.Text(),
                "vial": tfds.features.Scalar(np.int64),
                "region": tfds.features.Text(),
            })
        )  # fmt: skip

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        return {"train": self._generate_examples(self.job.folders())}

    def _generate_examples(self, folders: list[str]) -> Any:
        return beam.Create(folders) | beam.FlatMap(keyed_patches, self.job)  # (key, features)


def keyed_patches(folder: str, job: CuttingJob) -> Iterator[tuple[str, dict[str, Any]]]:
    """The patches of an acquisition folder as TFDS takes them."""
    shape = (job.size, job.size, 1)
    for features in acquisition_patches(folder, job):
        image = features["image"]
        features["image"] = (
            np.frombuffer(image, np.uint8).reshape(shape) if job.encoding == "raw" else io.BytesIO(image)
        )
        yield features["key"].decode(), features


def main() -> None:
    """Builds the dataset."""
    job = CuttingJob(**json.loads(Path(sys.argv[1]).read_text()))
    # TFDS would import it when first needed; imports are in no side's own clock.
    importlib.import_module("tensorflow")
    started = time.perf_counter()
    builder = Patches(job, data_dir=job.out)
    builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(
            beam_options=PipelineOptions(job.beam_flags), try_download_gcs=False
        )
    )
    seconds = time.perf_counter() - started
    print(json.dumps({"patches": builder.info.splits["train"].num_examples, "seconds": seconds}))


if __name__ == "__main__":
    main()
