"""What Beam moves between "Read plan" and "Build shard", as its own coder encodes it: names, no pixels."""

from collections.abc import Sequence
from typing import Any

import apache_beam as beam
from apache_beam.coders import Coder
from apache_beam.utils.timestamp import Timestamp
from apache_beam.utils.windowed_value import PANE_INFO_UNKNOWN

from benchmarks.measure import BenchmarkError
from drae_data.options import DatasetOptions
from drae_data.shard_plan import ShardTask
from drae_data.shards import Roots
from pipelines.build_shards import BuildShards, plan_parts

_GROUPING = "beam:transform:group_by_key:v1"
# A key of the shuffle is a random number of 32 bits.
_KEY = 1 << 31


def shuffle_coder(options: DatasetOptions, roots: Roots) -> Coder:
    """The coder of what is shuffled: of the elements that go into the one grouping of the build's pipeline.

    Raises:
        BenchmarkError: the pipeline has another number of groupings.
    """
    pipeline = beam.Pipeline()
    _ = pipeline | beam.Create(plan_parts("", 1)) | BuildShards(options, roots, threads=1)
    proto, context = pipeline.to_runner_api(return_context=True)
    groupings = [step for step in proto.components.transforms.values() if step.spec.urn == _GROUPING]
    if len(groupings) != 1:
        raise BenchmarkError(f"expected one grouping in the build's pipeline, got {len(groupings)}")
    (shuffled,) = groupings[0].inputs.values()
    coder: Coder = context.coders.get_by_id(proto.components.pcollections[shuffled].coder_id)
    return coder


def shuffled_bytes(tasks: Sequence[ShardTask], coder: Coder) -> int:
    """Bytes of all tasks as they are shuffled: random key, task, no timestamp, the pane."""
    no_time: Timestamp | None = None
    elements: list[Any] = [(_KEY, (task, no_time, PANE_INFO_UNKNOWN)) for task in tasks]
    return sum(len(coder.encode(element)) for element in elements)
