"""Dataflow's job of each stage, made by Beam's client without an account and not sent; prints what they hold as JSON.

A process of its own: Google's libraries look at the environment as they are imported.
"""

import json
import sys
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import TestOptions
from apache_beam.portability.api import beam_runner_api_pb2

from pipelines.runner import beam_options
from tests.pipelines.test_engines import CLOUD
from tests.pipelines.worker_graphs import GRAPHS, Construct


def described(construct: Construct) -> dict[str, Any]:
    """Labels of steps, environments of workers, what is staged and where."""
    options = beam_options([*CLOUD, "--no_auth", "--job_name=trial"], "dataflow")
    options.view_as(TestOptions).dry_run = True
    pipeline = beam.Pipeline(options=options)
    construct(pipeline)
    # Typed as a result of any runner; that of a dry run holds the job.
    result: Any = pipeline.run()
    components = result.job.proto_pipeline.components
    environments = list(components.environments.values())
    images = [beam_runner_api_pb2.DockerPayload.FromString(one.payload).container_image for one in environments]
    staged = [artifact.role_payload for one in environments for artifact in one.dependencies]
    return {
        "labels": sorted(one.unique_name for one in components.transforms.values()),
        "environments": sorted(f"{one.urn} {image}" for one, image in zip(environments, images, strict=True)),
        "staged": sorted(
            beam_runner_api_pb2.ArtifactStagingToRolePayload.FromString(one).staged_name for one in staged
        ),
        # What follows the job's name is the time.
        "staging": result.job.google_cloud_options.staging_location.partition(".")[0],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps({name: described(construct) for name, construct in GRAPHS.items()}))
