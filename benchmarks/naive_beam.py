"""The Beam build that a newcomer writes after the tutorial: patches travel through Beam into WriteToTFRecord.

Each acquisition becomes serialized examples, a Reshuffle spreads them, Beam writes the shards. Nothing is recounted,
ordered or indexed. Beam's in-process runner, one worker: the same as the builder's, and a mode that loses nothing.

    python -m benchmarks.naive_beam JOB.json

The job is a `CuttingJob`. The last line printed holds patches and seconds of the pipeline, from its construction to its
end, as JSON.
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam
import tensorflow as tf
from apache_beam.io.tfrecordio import WriteToTFRecord
from apache_beam.metrics.metric import Metrics, MetricsFilter
from apache_beam.options.pipeline_options import PipelineOptions

from benchmarks.cv2_patches import CuttingJob, acquisition_patches


def serialized_patches(folder: str, job: CuttingJob) -> Iterator[bytes]:
    """The patches of an acquisition folder, each as a serialized `tf.train.Example`."""
    for features in acquisition_patches(folder, job):
        Metrics.counter("naive", "patches").inc()
        yield tf.train.Example(
            features=tf.train.Features(feature={name: feature(value) for name, value in features.items()})
        ).SerializeToString()


def feature(value: bytes | int) -> tf.train.Feature:
    """One value as TensorFlow's tutorial wraps it."""
    if isinstance(value, bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))


def main() -> None:
    """Runs the pipeline over all acquisition folders."""
    job = CuttingJob(**json.loads(Path(sys.argv[1]).read_text()))
    started = time.perf_counter()
    Path(job.out).mkdir(parents=True)
    pipeline = beam.Pipeline(options=PipelineOptions(job.beam_flags))
    _ = (
        pipeline
        | "Acquisitions" >> beam.Create(job.folders())  # acquisition folder
        | "Cut" >> beam.FlatMap(serialized_patches, job)  # serialized tf.train.Example
        | "Spread" >> beam.Reshuffle()  # serialized tf.train.Example
        | "Write" >> WriteToTFRecord(str(Path(job.out, "patches.tfrecord")), num_shards=job.shards)
    )
    result = pipeline.run()
    result.wait_until_finish()
    seconds = time.perf_counter() - started
    counted = result.metrics().query(MetricsFilter().with_name("patches"))["counters"]
    print(json.dumps({"patches": sum(counter.committed for counter in counted), "seconds": seconds}))


if __name__ == "__main__":
    main()
