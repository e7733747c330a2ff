"""An S3 server on this machine for tests, which fails, dawdles and hangs as it is told, counted by requests."""

import logging
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple, Self

import boto3  # type: ignore[import-untyped]
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import make_server

from tests.small_line import tree_bytes

_FAULTS = {500: ("500 Internal Server Error", "InternalError"), 503: ("503 Slow Down", "SlowDown"),
           403: ("403 Forbidden", "AccessDenied")}  # fmt: skip
_REGION = "us-east-1"
_KEY, _SECRET = "test", "test"


class Asked(NamedTuple):
    """A request as the server saw it.

    Attributes:
        method: of HTTP.
        path: bucket and key.
        query: what stands behind the question mark.
        copied: bucket and key of the object that a copy was asked of; empty where none was.
        fault: the status that was answered instead of doing anything; 0 where none was.
    """

    method: str
    path: str
    query: str
    copied: str
    fault: int


class _QuietHandler(MotoRequestHandler):
    def log_request(self, *_: Any) -> None:
        """Says nothing of requests."""


class ObjectStore(AbstractContextManager["ObjectStore"]):
    """An S3 server with one set of buckets, from `with` to the end of its block. Faults can be changed at any time.

    Attributes:
        fail_every: each n-th request is answered with the next of `statuses`; 0 for none.
        fail_paths: only requests for paths (`bucket/key`) that match this pattern are counted for `fail_every`.
        statuses: 500, 503 or 403, in turn.
        slow_every: each n-th request waits `slow_seconds` first; 0 for none.
        slow_seconds: see `slow_every`.
        hang: requests for paths that match this pattern are not answered until `release`; empty for none.
        asked: all requests so far.
    """

    def __init__(self) -> None:
        self.fail_every, self.fail_paths = 0, ""
        self.statuses: tuple[int, ...] = (500,)
        self.slow_every, self.slow_seconds, self.hang = 0, 0.0, ""
        self.asked: list[Asked] = []
        self._counted, self._hung = 0, 0
        self._lock, self._released = threading.Lock(), threading.Event()
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __enter__(self) -> Self:
        """Starts the server on a free port."""
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=_QuietHandler)
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.client = boto3.client(
            "s3", endpoint_url=self.url, region_name=_REGION, aws_access_key_id=_KEY, aws_secret_access_key=_SECRET
        )
        # The server's buckets are those of the process: another server may have left some.
        self._reset()
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the server and forgets its buckets."""
        self.calm()
        self._reset()
        self.client.close()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def calm(self) -> None:
        """No more faults; what hangs is released."""
        self.fail_every, self.slow_every, self.hang = 0, 0, ""
        self.release()

    def release(self) -> None:
        """Answers the requests that hang."""
        released, self._released = self._released, threading.Event()
        released.set()

    @property
    def requests(self) -> int:
        """How many requests came."""
        return len(self.asked)

    @property
    def faults(self) -> int:
        """How many requests were failed."""
        return sum(bool(one.fault) for one in self.asked)

    @property
    def hanging(self) -> int:
        """How many requests hang now."""
        return self._hung

    @property
    def flags(self) -> list[str]:
        """The server as flags of a command."""
        return [
            f"--s3_endpoint_url={self.url}", f"--s3_access_key_id={_KEY}", f"--s3_secret_access_key={_SECRET}",
            f"--s3_region_name={_REGION}",
        ]  # fmt: skip

    @property
    def environment(self) -> dict[str, str]:
        """The server as environment of another process."""
        return {
            "AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": _KEY, "AWS_SECRET_ACCESS_KEY": _SECRET,
            "AWS_DEFAULT_REGION": _REGION,
        }  # fmt: skip

    def create_bucket(self, bucket: str) -> None:
        """Makes an empty bucket."""
        self.client.create_bucket(Bucket=bucket)

    def upload(self, folder: Path, place: str) -> None:
        """Puts every file below a folder under `bucket/prefix`."""
        for path, content in tree_bytes(folder).items():
            self.put(f"{place}/{path}", content)

    def put(self, place: str, content: bytes) -> None:
        """Writes the object at `bucket/key`."""
        bucket, _, key = place.partition("/")
        self.client.put_object(Bucket=bucket, Key=key, Body=content)

    def tree(self, place: str) -> dict[str, bytes]:
        """Every object under `bucket/prefix` with its content, by its path below it."""
        bucket, _, prefix = place.partition("/")
        return {
            key.removeprefix(f"{prefix}/"): self.client.get_object(Bucket=bucket, Key=key)["Body"].read()
            for key in self.keys(place)
        }

    def keys(self, place: str) -> list[str]:
        """The keys of the objects under `bucket/prefix`."""
        bucket, _, prefix = place.partition("/")
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/")
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def uploads(self, bucket: str) -> list[str]:
        """The keys of uploads that were begun and neither finished nor given up."""
        return [item["Key"] for item in self.client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])]

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"].lstrip("/")
        if path.startswith("moto-api/"):
            return self._of_moto(environ, start_response)
        with self._lock:
            fault = self._next_fault(path)
            copied = environ.get("HTTP_X_AMZ_COPY_SOURCE", "")
            self.asked.append(Asked(environ["REQUEST_METHOD"], path, environ["QUERY_STRING"], copied, fault))
            slow = self.slow_every and not len(self.asked) % self.slow_every
        if slow:
            # Not by time.sleep, which tests of long waits cut short.
            threading.Event().wait(self.slow_seconds)
        if self.hang and re.search(self.hang, path):
            self._wait()
        if fault:
            # The content is taken from the connection, which the client goes on using.
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            return _fault(environ, start_response, fault)
        return self._of_moto(environ, start_response)

    def _next_fault(self, path: str) -> int:
        if not self.fail_every or not re.search(self.fail_paths, path):
            return 0
        self._counted += 1
        number, rest = divmod(self._counted, self.fail_every)
        return 0 if rest else self.statuses[(number - 1) % len(self.statuses)]

    def _wait(self) -> None:
        released = self._released
        with self._lock:
            self._hung += 1
        released.wait()
        with self._lock:
            self._hung -= 1

    def _of_moto(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        answer: Iterable[bytes] = self._moto(environ, start_response)
        return answer

    def _reset(self) -> None:
        for account in list(s3_backends.values()):
            for backend in list(account.values()):
                backend.reset()


def _fault(environ: dict[str, Any], start_response: Any, status: int) -> Iterator[bytes]:
    line, code = _FAULTS[status]
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>as the test asked</Message></Error>".encode()
    start_response(line, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
    return iter([] if environ["REQUEST_METHOD"] == "HEAD" else [body])
