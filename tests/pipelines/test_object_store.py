"""Frames and versions in an object store: the bytes of a local build, whatever the store does in between."""

import errno
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems
from google.api_core.exceptions import Forbidden, NotFound
from ruamel.yaml import YAML

from drae_data.files import Files
from drae_data.publication import archive_version
from drae_data.version_files import COMMIT_POINT
from pipelines import s3_clients
from pipelines.beam_files import BeamFiles
from pipelines.build import main
from pipelines.patient_files import PatientFiles
from pipelines.runner import beam_options
from tests.object_store import ObjectStore
from tests.pipelines.test_build import write_params
from tests.small_line import build_dataset, small_options, tree_bytes, write_line

pytestmark = pytest.mark.beam
FRAMES, VERSION = "frames/line", "versions/small/1.0.0"


class Line(NamedTuple):
    """The frames of the small line and the version that a local build makes of them."""

    frames: Path
    version: Path


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Line:
    folder = tmp_path_factory.mktemp("line")
    build_dataset(write_line(folder / "frames"), folder / "version")
    return Line(folder / "frames", folder / "version")


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    """A store with buckets, in a process where nobody waits long before another attempt."""
    wait = time.sleep
    monkeypatch.setattr("time.sleep", lambda seconds: wait(min(seconds, 0.005)))
    with ObjectStore() as store:
        store.create_bucket("frames")
        store.create_bucket("versions")
        beam_options(store.flags)
        yield store


def build(store: ObjectStore, folder: Path, *flags: str) -> int:
    params = write_params(folder, folder / "nowhere")
    places = ["--root", f"s3://{FRAMES}", "--out", f"s3://{VERSION}"]
    return main(["--set", "small", "--params", str(params), "--threads", "4", *places, *store.flags, *flags])


def calm(_: ObjectStore) -> None: ...


def every_seventh_fails(store: ObjectStore) -> None:
    store.fail_every, store.statuses = 7, (500, 503)


def slow(store: ObjectStore) -> None:
    store.slow_every, store.slow_seconds = 3, 0.03


@pytest.mark.parametrize("trouble", [calm, every_seventh_fails, slow])
def test_a_build_over_s3_gives_the_bytes_of_a_local_one(
    tmp_path: Path, store: ObjectStore, line: Line, trouble: Callable[[ObjectStore], None]
) -> None:
    store.upload(line.frames, FRAMES)
    before = store.requests
    trouble(store)
    assert build(store, tmp_path) == 0
    assert bool(store.faults) == (trouble is every_seventh_fails)
    assert store.faults == (store.requests - before) // 7 * (trouble is every_seventh_fails)
    store.calm()
    assert store.tree(VERSION) == tree_bytes(line.version)
    # Nothing was written or removed after the commit point.
    changes = [one.path for one in store.asked if one.method != "GET" and one.method != "HEAD"]
    assert changes[-1] == f"{VERSION}/{COMMIT_POINT}"


def test_rights_that_are_lost_in_mid_build_send_nothing_into_quarantine(
    tmp_path: Path, store: ObjectStore, line: Line, capsys: pytest.CaptureFixture[str]
) -> None:
    """However many acquisitions may be there: it is not they that changed."""
    store.upload(line.frames, FRAMES)
    # Listing is still allowed.
    store.fail_every, store.statuses, store.fail_paths = 1, (403,), r"frames/line/.*\.png"
    params = write_params(tmp_path, tmp_path / "nowhere", max_quarantined=1000)
    places = ["--root", f"s3://{FRAMES}", "--out", f"s3://{VERSION}"]
    assert main(["--set", "small", "--params", str(params), *places, *store.flags]) == 1
    said = capsys.readouterr().err
    assert "Forbidden" in said or "AccessDenied" in said
    # It is said at once.
    assert "once more" not in said
    store.calm()
    assert COMMIT_POINT not in store.tree(VERSION)


def test_a_build_that_faults_stop_is_gone_on_with(
    tmp_path: Path, store: ObjectStore, line: Line, capsys: pytest.CaptureFixture[str]
) -> None:
    store.upload(line.frames, FRAMES)
    store.upload(line.version, VERSION)
    # Built anew over the committed version, with one shard that cannot be written.
    lost = "small-train.tfrecord-00003-of-00004"
    store.client.delete_object(Bucket="versions", Key=f"small/1.0.0/{lost}")
    store.fail_every, store.fail_paths = 1, lost
    assert build(store, tmp_path, "--attempts", "1") == 1
    said = capsys.readouterr().err
    assert "InternalError" in said or "Internal Server Error" in said
    assert "(4 attempts)" in said
    assert lost in said
    assert "Traceback" not in said
    store.calm()
    assert COMMIT_POINT not in store.tree(VERSION)
    assert build(store, tmp_path) == 0
    assert "(4 were there already)" in capsys.readouterr().out
    assert store.tree(VERSION) == tree_bytes(line.version)


def test_a_version_in_the_store_is_extended_by_copies_within_the_store(
    tmp_path: Path, store: ObjectStore, line: Line, capsys: pytest.CaptureFixture[str]
) -> None:
    store.upload(line.frames, FRAMES)
    store.upload(line.version, VERSION)
    write_line(tmp_path / "more", ["F"])
    store.upload(tmp_path / "more", FRAMES)
    write_line(tmp_path / "all", ["A", "B", "C", "D", "E", "F"])
    options = small_options(version="1.1.0", extends="1.0.0")
    build_dataset(tmp_path / "all", tmp_path / "expected", options, earlier=line.version)
    params = write_params(tmp_path, tmp_path / "nowhere", extends="1.0.0")
    yaml = YAML(typ="safe", pure=True)
    values = yaml.load(params)
    values["dataset"]["version"] = "1.1.0"
    yaml.dump(values, params)
    before = store.requests
    assert (
        main(
            [
                "--set", "small", "--params", str(params), "--root", f"s3://{FRAMES}", "--out", "s3://versions/next",
                "--earlier", f"s3://{VERSION}", *store.flags,
            ]
        )
        == 0
    )  # fmt: skip
    assert "(5 were there already)" in capsys.readouterr().out
    copied = sorted(one.copied.removeprefix(f"{VERSION}/") for one in store.asked[before:] if one.copied)
    shards = sorted(name for name in tree_bytes(line.version) if name.startswith("small-"))
    assert copied == sorted([*shards, *(f"patches/{name}.parquet" for name in shards)])
    assert store.tree("versions/next") == tree_bytes(tmp_path / "expected")
    assert store.tree(VERSION) == tree_bytes(line.version)


def test_an_archive_within_the_store_is_copied_by_the_store(store: ObjectStore, line: Line) -> None:
    store.upload(line.version, VERSION)
    before = store.requests
    count = archive_version(BeamFiles(f"s3://{VERSION}"), BeamFiles("s3://versions/archive"))
    asked = store.asked[before:]
    assert count == len([one for one in asked if one.copied]) == len(tree_bytes(line.version))
    # Listings, and the commit point, which says that the version is whole.
    read = {one.path for one in asked if one.method == "GET" and one.path.count("/") > 1}
    assert read == {f"{VERSION}/{COMMIT_POINT}"}
    assert store.tree("versions/archive") == tree_bytes(line.version)


def test_what_is_adopted_keeps_its_name_and_takes_the_place_of_another(store: ObjectStore) -> None:
    one, two = BeamFiles("s3://frames/[a]"), BeamFiles("s3://versions/b")
    names = ["x*", "x?", "x[1]", "x1", "x y+ä%20"]
    for number, name in enumerate(names):
        store.put(f"frames/[a]/{name}", bytes(number))
        store.put(f"versions/b/{name}", b"other")
        two.adopt(one, name, name)
    assert store.tree("versions/b") == {name: bytes(number) for number, name in enumerate(names)}
    # Without a word from Beam, which returns errors of copies and raises none.
    with pytest.raises(FileNotFoundError, match="absent"):
        two.adopt(one, "absent", "x")
    for missing in (BeamFiles("s3://nowhere/b"), one):
        with pytest.raises(OSError, match="there is no such bucket"):
            BeamFiles("s3://nowhere/b").adopt(missing, "x1", "x1")
    store.fail_every = 1
    with pytest.raises(OSError, match=r"An error occurred \(500\)"):
        two.adopt(one, "x1", "x1")


def test_what_lies_elsewhere_is_adopted_by_its_bytes(tmp_path: Path, store: ObjectStore) -> None:
    local, remote = BeamFiles(str(tmp_path)), BeamFiles("s3://frames/a")
    local.write("x", [b"1"])
    remote.adopt(local, "x", "y")
    local.adopt(remote, "y", "z")
    assert store.tree("frames/a") == {"y": b"1"}
    assert tree_bytes(tmp_path) == {"x": b"1", "z": b"1"}


def open_and_read(files: Files) -> bytes:
    with files.open("a/x") as stream:
        return stream.read()


OPERATIONS: list[Callable[[Files], Any]] = [
    lambda files: files.names("a"),
    lambda files: list(files.folders(1)),
    lambda files: files.changed("a"),
    lambda files: files.read("a/x"),
    lambda files: files.read("absent"),
    open_and_read,
    lambda files: files.write("a/y", [b"2"]),
    lambda files: files.write("a/z", [bytes(6_000_000)]),
    lambda files: files.remove("a/y"),
    lambda files: files.remove("absent"),
    lambda files: files.adopt(files, "a/x", "a/z"),
]


@pytest.mark.parametrize(("status", "number"), [(403, errno.EKEYREJECTED), (500, errno.EIO), (503, errno.EIO)])
def test_an_answer_of_the_store_is_an_error_with_place_and_words(store: ObjectStore, status: int, number: int) -> None:
    store.put("frames/line/a/x", b"1")
    files = BeamFiles(f"s3://{FRAMES}")
    store.fail_every, store.statuses = 1, (status,)
    for operation in OPERATIONS:
        with pytest.raises(OSError, match=r"An error occurred \(.*s3://frames/line") as caught:
            operation(files)
        assert caught.value.errno == number
    # An answer other than "absent" is not asked once more whether the object is there.
    store.statuses, before = (403,), store.requests
    with pytest.raises(OSError, match=r"Forbidden|AccessDenied"):
        files.read("a/x")
    assert store.requests == before + 1
    store.calm()
    assert store.tree(FRAMES) == {"a/x": b"1"}


def test_a_missing_bucket_is_never_an_empty_one(store: ObjectStore) -> None:
    for operation in OPERATIONS:
        with pytest.raises(OSError, match="there is no such bucket: 's3://nowhere/line") as caught:
            operation(BeamFiles("s3://nowhere/line"))
        assert not isinstance(caught.value, FileNotFoundError)
    # Unlike a place in a bucket that holds nothing yet.
    assert BeamFiles("s3://frames/none").names("a") == {}
    assert list(BeamFiles("s3://frames/none").folders(1)) == []
    with pytest.raises(FileNotFoundError):
        open_and_read(BeamFiles("s3://frames/none"))


def test_a_store_that_is_not_there_is_an_error(store: ObjectStore) -> None:
    beam_options(["--s3_endpoint_url=http://127.0.0.1:9", *store.flags[1:]])
    for operation in OPERATIONS:
        with pytest.raises(OSError, match="Could not connect to the endpoint") as caught:
            operation(BeamFiles(f"s3://{FRAMES}"))
        assert caught.value.errno == errno.EIO


def test_a_build_that_finds_no_bucket_ends_in_words(
    tmp_path: Path, store: ObjectStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(store, tmp_path, "--root", "s3://nowhere/line") == 1
    assert "there is no such bucket" in capsys.readouterr().err


def test_a_request_that_hangs_is_given_up(store: ObjectStore) -> None:
    store.put("frames/line/a/x", b"1")
    inner = BeamFiles(f"s3://{FRAMES}")
    files = PatientFiles(inner.root, inner, 0.5, 2, 0.01)
    assert files.read("a/x") == b"1"
    store.hang = "a/x$"
    threading.Timer(0.2, setattr, [store, "hang", ""]).start()
    assert files.read("a/x") == b"1"
    assert store.hanging == 1
    store.hang = "a/x$"
    with pytest.raises(TimeoutError, match=r"no answer in 0.5 s \(2 attempts\): 's3://frames/line/a/x'"):
        files.read("a/x")
    store.calm()


def test_another_process_finds_the_store_by_its_environment(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    beam_options([])
    for name, value in store.environment.items():
        monkeypatch.setenv(name, value)
    BeamFiles(f"s3://{FRAMES}").write("a/x", [b"1"])
    assert store.tree(FRAMES) == {"a/x": b"1"}


def test_operations_share_the_connections_of_their_options(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beam makes a client for each, a fifth of a second of a processor."""
    made: list[Any] = []
    real = s3_clients._BeamsClient.__init__

    def counted(self: Any, options: Any) -> None:
        made.append(self)
        real(self, options)

    monkeypatch.setattr(s3_clients._BeamsClient, "__init__", counted)
    files = BeamFiles(f"s3://{FRAMES}")
    files.write("a/x", [b"12345"])
    monkeypatch.setenv("AWS_PROBE", "another environment")
    answers: list[bytes] = []
    threads = [threading.Thread(target=lambda: answers.append(files.read("a/x"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [b"12345"] * 8
    assert len(made) == 2


def test_googles_storage_takes_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its client raises what S3's returns; here by Beam's own calls, without a store."""
    one, two = BeamFiles("gs://one/a"), BeamFiles("gs://two/b")
    copies: list[Any] = []
    monkeypatch.setattr(FileSystems, "copy", lambda *places: copies.append(places))
    two.adopt(one, "x*", "y")
    assert copies == [(["gs://one/a/x*"], ["gs://two/b/y"])]

    def raising(error: Exception) -> Callable[..., Any]:
        def raised(*_: object, **__: object) -> Any:
            raise BeamIOError("failed", {"gs://one/a/x": error})

        return raised

    monkeypatch.setattr(FileSystems, "copy", raising(Forbidden("no right")))
    with pytest.raises(OSError, match="no right") as refused:
        two.adopt(one, "x", "y")
    assert refused.value.errno == errno.EKEYREJECTED
    monkeypatch.setattr(FileSystems, "match", raising(NotFound("The specified bucket does not exist.")))
    for question in (lambda: one.names("a"), lambda: list(one.folders(1)), lambda: one.holds("a")):
        with pytest.raises(OSError, match="there is no such bucket") as caught:
            question()
        assert caught.value.errno == errno.ENXIO
    monkeypatch.setattr(FileSystems, "open", raising(NotFound("no object")))
    monkeypatch.setattr(FileSystems, "exists", lambda _: False)
    with pytest.raises(OSError, match="there is no such bucket"):
        one.read("x")
