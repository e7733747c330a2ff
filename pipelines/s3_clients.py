"""What Beam's S3 filesystem leaves to be wished: one client for many operations, and a word about a missing bucket.

Beam makes a client for each operation, which takes a fifth of a second of a processor, many times what the reading of a
frame takes. From the import of this module on they share one.
"""

import os
import threading
from typing import Any

from apache_beam.io.aws.clients.s3 import boto3_client
from apache_beam.io.aws.clients.s3.messages import ListRequest, S3ClientError
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions, S3Options

# In the words of both S3 and Google's storage.
NO_SUCH_BUCKET = "bucket does not exist"
_OPTIONS = (
    "s3_access_key_id", "s3_secret_access_key", "s3_session_token", "s3_endpoint_url", "s3_region_name",
    "s3_api_version", "s3_verify", "s3_disable_ssl",
)  # fmt: skip
_BeamsClient = boto3_client.Client
_clients: dict[tuple[Any, ...], Any] = {}
_making = threading.Lock()
# A child that was forked while another thread made a client would wait for it for ever.
os.register_at_fork(after_in_child=_making._at_fork_reinit)  # type: ignore[attr-defined]


class SharedClient(_BeamsClient):
    """Beam's client: the state of one download, here over connections that all share; threads may share them too.

    Args:
        options: of the pipeline.
    """

    def __init__(self, options: PipelineOptions) -> None:
        given = options.view_as(S3Options)
        environment = (one for one in os.environ.items() if one[0].startswith("AWS_"))
        # A process that was forked must leave its parent's connections alone.
        own = (os.getpid(), *(getattr(given, name) for name in _OPTIONS), *sorted(environment))
        with _making:
            if own not in _clients:
                _clients[own] = _BeamsClient(options)
        vars(self).update(vars(_clients[own]))


boto3_client.Client = SharedClient  # type: ignore[misc]


def check_bucket(root: str) -> None:
    """Raises S3ClientError where the bucket of an S3 root is missing: Beam lists it as an empty one.

    Args:
        root: of any filesystem; others say themselves what is missing.
    """
    scheme, _, place = root.partition("://")
    bucket, _, prefix = place.partition("/")
    if scheme != "s3":
        return
    client: Any = SharedClient(FileSystems.get_filesystem(root)._options)  # type: ignore[attr-defined]
    try:
        client.list(ListRequest(bucket, prefix))
    except S3ClientError as error:
        if error.code != 404 or NO_SUCH_BUCKET in str(error):
            raise
