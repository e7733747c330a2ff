"""Two tagged versions in a repository of their own: built, pushed, checked out, pulled and got, byte for byte.

`examples/versions/run.sh` is what a user reads and runs; it is run here as it stands, once with a folder as the remote
and once with an S3 server on this machine.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from drae_data.verification.dataset import verify_dataset
from tests.dvc_commands import git
from tests.object_store import ObjectStore
from tests.small_line import files_of, tree_bytes

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "examples/versions/run.sh"
# The server takes any key: this one stands nowhere by chance.
SECRET = "secret-4f1c0b7e92d85a36"
VERSIONS = {"data-v1": "1.0.0", "data-v2": "1.1.0"}
pytestmark = [pytest.mark.slow, pytest.mark.beam]


@dataclass(frozen=True)
class Published:
    """What the script left.

    Attributes:
        folder: that it worked in.
        said: what it printed.
        objects: the names of the objects in the remote.
        environment: that it ran in.
    """

    folder: Path
    said: str
    objects: frozenset[str]
    environment: dict[str, str]

    def version(self, tag: str, place: str = "maker/datasets") -> Path:
        """Where a version lies."""
        return self.folder / place / "production" / VERSIONS[tag]

    def run(self, place: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs a command of Python's in one of the script's folders."""
        return subprocess.run(
            [sys.executable, "-m", *command],
            cwd=self.folder / place, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip


def publish(folder: Path, *remote: str, **variables: str) -> Published:
    """Runs the script."""
    environment = {
        **os.environ, **variables, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DVC_SITE_CACHE_DIR": str(folder / "site"),
    }  # fmt: skip
    done = subprocess.run(
        [str(SCRIPT), str(folder / "work"), *remote], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Published(folder / "work", done.stdout + done.stderr, frozenset(), environment)


def publish_in_folder(folder: Path) -> Published:
    """Both versions with a folder as their remote."""
    found = publish(folder, str(folder / "remote"))
    names = (path.relative_to(folder / "remote").as_posix() for path in (folder / "remote").rglob("*"))
    return replace(found, objects=frozenset(names))


def publish_in_store(folder: Path, store: ObjectStore) -> Published:
    """Both versions with an S3 server as their remote."""
    keys = {name: value for name, value in store.environment.items() if name != "AWS_ENDPOINT_URL"}
    keys["AWS_SECRET_ACCESS_KEY"] = SECRET
    found = publish(folder, "s3://plant/versions", store.url, **keys)
    return replace(found, objects=frozenset(key.removeprefix("versions/") for key in store.keys("plant/versions")))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Published]]:
    """Both versions in a remote of either kind, published at the same time."""
    folders = {kind: tmp_path_factory.mktemp(kind) for kind in ("folder", "S3")}
    with ObjectStore() as store, ThreadPoolExecutor() as pool:
        store.create_bucket("plant")
        plain = pool.submit(publish_in_folder, folders["folder"])
        stored = pool.submit(publish_in_store, folders["S3"], store)
        yield {"folder": plain.result(), "S3": stored.result()}


@pytest.fixture(params=["folder", "S3"])
def published(request: pytest.FixtureRequest, both: dict[str, Published]) -> Published:
    """Both versions, in a remote of one kind."""
    return both[request.param]


def provenance(version: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((version / "provenance.json").read_text())
    return values


def test_digests_are_equal_wherever_a_version_stands(published: Published) -> None:
    for tag in VERSIONS:
        digest = provenance(published.version(tag))["digest"]
        said = git(published.folder / "reader", "tag", "-l", "--format=%(contents:subject)", tag)
        assert said == f"production {VERSIONS[tag]}, digest {digest}\n"
        # Counted again from the bytes, here and by the command that the script ran on what it had pulled.
        found = verify_dataset(files_of(published.version(tag)), 2)
        assert (found.digest, found.faults) == (digest, ())
        assert f"production {VERSIONS[tag]}: verified, no fault" in published.said
    assert published.said.endswith(f"{provenance(published.version('data-v1'))['digest']}\n")
    assert len({provenance(published.version(tag))["digest"] for tag in VERSIONS}) == 2


def test_a_version_that_is_checked_out_again_has_the_bytes_of_its_build(published: Published) -> None:
    built = {tag: tree_bytes(published.version(tag)) for tag in VERSIONS}
    assert len(built["data-v1"]) > 15
    assert tree_bytes(published.folder / "elsewhere/production-1.0.0") == built["data-v1"]
    for place in ("maker", "reader"):
        for tag in (*VERSIONS, "data-v1"):
            git(published.folder / place, "checkout", "--quiet", tag)
            done = published.run(place, "dvc", "checkout", "archive")
            assert done.returncode == 0, done.stderr
            assert tree_bytes(published.version(tag, f"{place}/archive")) == built[tag], (place, tag)


def test_the_second_version_takes_the_first_ones_shards_over(published: Published) -> None:
    first, second = (published.version(tag) for tag in VERSIONS)
    shards = {tag: {row["sha256"] for row in provenance(published.version(tag))["shards"]} for tag in VERSIONS}
    assert 0 < len(shards["data-v1"]) < len(shards["data-v2"])
    assert shards["data-v1"] < shards["data-v2"]
    inodes = [{path.stat().st_ino for path in version.glob("*.tfrecord-*")} for version in (first, second)]
    assert inodes[0] < inodes[1]
    extended = provenance(second)["extends"]
    assert extended == {"version": "1.0.0", "digest": provenance(first)["digest"]}


def test_the_remote_holds_each_file_once_by_its_content(published: Published) -> None:
    contents = [tree_bytes(published.version(tag)).values() for tag in VERSIONS]
    names = [{hashlib.md5(content).hexdigest() for content in version} for version in contents]
    assert {f"files/md5/{name[:2]}/{name[2:]}" for version in names for name in version} <= published.objects
    # What both versions have is more than what only one of them has: pushed once.
    assert len(names[0] & names[1]) >= len(provenance(published.version("data-v1"))["shards"])


def test_a_version_that_was_pulled_can_be_built_upon(published: Published) -> None:
    """The last `dvc status` of the script, of a clone whose version folder is made of the archive's files."""
    assert published.said.count("Data and pipelines are up to date.") == 2
    assert tree_bytes(published.version("data-v2", "reader/datasets")) == tree_bytes(published.version("data-v2"))


def test_bytes_that_were_exchanged_in_the_remote_are_found(both: dict[str, Published], tmp_path: Path) -> None:
    """DVC does not look at the bytes of a folder that it pulls: the digest does."""
    published = both["folder"]
    remote = published.folder.parent / "remote"
    (shard, *_) = sorted(published.version("data-v1").glob("*.tfrecord-*"))
    name = hashlib.md5(shard.read_bytes()).hexdigest()
    kept = remote / "files/md5" / name[:2] / name[2:]
    content = kept.read_bytes()
    kept.chmod(0o644)
    kept.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    try:
        git(tmp_path, "clone", "--quiet", str(published.folder / "origin.git"), "clone")
        git(tmp_path / "clone", "checkout", "--quiet", "data-v1")
        environment = {**published.environment, "DVC_SITE_CACHE_DIR": str(tmp_path / "site")}
        found = replace(published, folder=tmp_path, environment=environment)
        pulled = found.run("clone", "dvc", "pull", "archive")
        checked = found.run("clone", "pipelines.verify", "archive/production/1.0.0")
        assert pulled.returncode == 0, pulled.stderr
        assert checked.returncode == 1
        assert "shard_digest" in checked.stdout
    finally:
        kept.write_bytes(content)


def test_no_key_of_the_store_is_written_anywhere(both: dict[str, Published]) -> None:
    """In no file of the script's, in no object of its repositories, which git compresses, and in nothing it printed."""
    published, secret = both["S3"], SECRET.encode()
    assert published.environment["AWS_SECRET_ACCESS_KEY"] == SECRET
    assert SECRET not in published.said
    files = [path for path in published.folder.parent.rglob("*") if path.is_file()]
    assert len(files) > 100
    assert [path for path in files if secret in path.read_bytes()] == []
    for place in ("maker", "reader", "origin.git"):
        objects = subprocess.run(
            ["git", "cat-file", "--batch", "--batch-all-objects"],
            cwd=published.folder / place, capture_output=True, check=True,
        ).stdout  # fmt: skip
        assert b"production 1.0.0" in objects
        assert secret not in objects
