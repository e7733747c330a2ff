"""Patience: what may pass is asked again, what lasts is not, what hangs is given up, what vanished is said."""

import errno
import os
import pickle
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from drae_data.errors import BusyError
from drae_data.files import Files
from drae_data.local_files import LocalFiles
from pipelines import patient_files
from pipelines.beam_files import BeamFiles
from pipelines.patient_files import PatientFiles, patient
from tests.small_line import tree_bytes

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Script(Files):
    """Files that first do what a test wrote down, one item for each call, and then answer.

    Attributes:
        root: any.
        script: errors to raise, events to wait for.
        calls: names and arguments of all calls.
    """

    root: str = "fake://root"
    script: list[Any] = field(default_factory=list)
    calls: list[tuple[Any, ...]] = field(default_factory=list)

    def _next(self, *call: Any) -> None:
        self.calls.append(call)
        item = self.script.pop(0) if self.script else None
        if isinstance(item, threading.Event):
            item.wait()
        elif item is not None:
            raise item

    def folders(self, depth: int) -> Iterator[str]:
        yield "a"
        self._next("folders", depth)
        yield "b"

    def names(self, folder: str, depth: int = 0) -> dict[str, int]:
        self._next("names", folder, depth)
        return {} if folder.startswith("gone") else {"x": 1}

    def leads_out(self, path: str) -> bool:
        self._next("leads_out", path)
        return True

    def changed(self, folder: str, depth: int = 0) -> float:
        self._next("changed", folder, depth)
        return 7.0

    def stamp(self, path: str) -> str:
        self._next("stamp", path)
        return "stamp"

    def adopt(self, other: Files, path: str, name: str) -> None:
        self._next("adopt", other, path, name)

    def read(self, path: str) -> bytes:
        self._next("read", path)
        return b"content"

    def open(self, path: str) -> Any:
        raise AssertionError("a stream cannot be asked for again")

    def write(self, path: str, parts: Iterable[bytes]) -> None:
        content = b"".join(parts)
        self._next("write", path, content)

    def remove(self, path: str) -> None:
        self._next("remove", path)
        self.calls.append(("removed", path))

    @contextmanager
    def locked(self) -> Iterator[None]:
        self._next("locked")
        yield

    @contextmanager
    def replacing(self, commit_point: str) -> Iterator[Files]:
        self._next("replacing", commit_point)
        yield Script("fake://beside", self.script, self.calls)


OPERATIONS: dict[str, tuple[Callable[[Files], Any], Any]] = {
    "names": (lambda files: files.names("a", 2), {"x": 1}),
    "changed": (lambda files: files.changed("a", 2), 7.0),
    "stamp": (lambda files: files.stamp("a/x"), "stamp"),
    "leads_out": (lambda files: files.leads_out("a/x"), True),
    "read": (lambda files: files.read("a/x"), b"content"),
    "write": (lambda files: files.write("a/x", [b"1", b"2"]), None),
    "remove": (lambda files: files.remove("a/x"), None),
    "adopt": (lambda files: files.adopt(LocalFiles("other"), "x", "y"), None),
}
each_operation = pytest.mark.parametrize("name", OPERATIONS)


def asked(*script: Any, **changes: Any) -> tuple[PatientFiles, Script]:
    inner = Script(script=list(script))
    return PatientFiles(inner.root, inner, **{"deadline": 5.0, "wait": 0.001, **changes}), inner


def passing(number: int = errno.EIO) -> OSError:
    return OSError(number, os.strerror(number), "some/place")


@pytest.fixture
def hang() -> Iterator[threading.Event]:
    """A call that waits for it hangs until the test ends."""
    event = threading.Event()
    yield event
    event.set()


@each_operation
def test_an_operation_gives_what_the_inner_one_gives(name: str) -> None:
    files, inner = asked()
    operation, answer = OPERATIONS[name]
    assert operation(files) == answer
    expected = Script()
    operation(expected)
    assert inner.calls == expected.calls


@each_operation
def test_what_may_pass_is_asked_again(name: str) -> None:
    files, inner = asked(passing(), passing(errno.ESTALE), OSError("no number"))
    operation, answer = OPERATIONS[name]
    assert operation(files) == answer
    assert [call[0] for call in inner.calls].count(name) == 4
    # Every time with the same arguments.
    assert len({str(call) for call in inner.calls if call[0] == name}) == 1


@each_operation
def test_after_the_last_attempt_the_last_error_says_how_many_there_were(name: str) -> None:
    files, inner = asked(*[passing() for _ in range(3)], passing(errno.ECONNRESET), passing())
    with pytest.raises(ConnectionResetError, match=r"Connection reset by peer \(4 attempts\): 'some/place'"):
        OPERATIONS[name][0](files)
    assert len(inner.calls) == 4


@each_operation
def test_what_hangs_is_given_up_and_asked_again(name: str, hang: threading.Event) -> None:
    files, inner = asked(hang, deadline=0.1)
    operation, answer = OPERATIONS[name]
    if name == "remove":  # It has no deadline, see below.
        hang.set()
    assert operation(files) == answer
    assert [call[0] for call in inner.calls].count(name) == (1 if name == "remove" else 2)


def test_what_never_answers_ends_in_words(hang: threading.Event) -> None:
    files, _ = asked(hang, hang, deadline=0.05, attempts=2)
    with pytest.raises(TimeoutError, match=r"no answer in 0.05 s \(2 attempts\): 'fake://root/a/x'") as caught:
        files.read("a/x")
    assert caught.value.errno == errno.ETIMEDOUT


def test_one_attempt_is_not_counted(hang: threading.Event) -> None:
    files, _ = asked(hang, deadline=0.05, attempts=1)
    with pytest.raises(TimeoutError, match=r"no answer in 0.05 s: 'fake://root'$"):
        files.names("")


def test_an_error_without_number_and_place_gets_both() -> None:
    files, _ = asked(OSError("the wire broke"), attempts=1)
    with pytest.raises(OSError, match=r"the wire broke: 'fake://root/a/x'$") as caught:
        files.read("a/x")
    assert caught.value.errno == errno.EIO


def test_a_late_answer_is_nobodys(hang: threading.Event) -> None:
    files, inner = asked(hang, deadline=0.05)
    assert files.names("a") == {"x": 1}
    hang.set()
    time.sleep(0.02)
    assert [files.stamp("a"), files.read("a"), files.changed("a")] == ["stamp", b"content", 7.0]
    assert len(inner.calls) == 5


@pytest.mark.parametrize(
    "number",
    [
        errno.ENOENT, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.ENOSPC, errno.EDQUOT, errno.EROFS,
        errno.ELOOP, errno.ENAMETOOLONG, errno.EEXIST, errno.ENXIO,
    ],
    ids=errno.errorcode.get,
)  # fmt: skip
def test_what_lasts_is_asked_once(number: int) -> None:
    error = passing(number)
    files, inner = asked(error)
    with pytest.raises(OSError, match="some/place") as caught:
        files.read("a/x")
    assert caught.value is error
    assert [call for call in inner.calls if call[0] == "read"] == [("read", "a/x")]


@pytest.mark.parametrize("error", [BusyError("another"), ValueError("a defect"), KeyboardInterrupt()])
def test_what_is_no_error_of_the_file_system_is_asked_once(error: BaseException) -> None:
    files, inner = asked(error)
    with pytest.raises(type(error)) as caught:
        files.read("a/x")
    assert caught.value is error
    assert len(inner.calls) == 1


def test_each_wait_is_twice_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("pipelines.patient_files.time.sleep", waits.append)
    files, _ = asked(passing(), passing(), passing())
    assert patient(files, 5).read("a/x") == b"content"
    assert waits == [1.0, 2.0, 4.0]


def test_folders_come_whole_and_without_a_deadline(hang: threading.Event) -> None:
    files, inner = asked(passing(), hang, deadline=0.01)
    threading.Timer(0.1, hang.set).start()
    # The inner iterator fails after its first folder: it is not given twice.
    assert list(files.folders(3)) == ["a", "b"]
    assert inner.calls == [("folders", 3)] * 2


def test_parts_that_come_once_only_are_written_whole_at_every_attempt() -> None:
    files, inner = asked(passing())
    files.write("a/x", iter([b"1", b"2"]))
    assert inner.calls == [("write", "a/x", b"12")] * 2


def test_a_removal_is_never_given_up(hang: threading.Event) -> None:
    """There may be very much to remove, and what is given up could remove later what is written after the call."""
    files, inner = asked(hang, deadline=0.05)
    threading.Timer(0.3, hang.set).start()
    files.remove("a/x")
    assert inner.calls == [("remove", "a/x"), ("removed", "a/x")]


def test_a_remote_file_is_opened_whole_and_a_local_one_by_its_own_files(tmp_path: Path) -> None:
    files, inner = asked(passing())
    with files.open("a/x") as stream:
        assert stream.read() == b"content"
    assert inner.calls == [("read", "a/x")] * 2
    (tmp_path / "x").write_bytes(b"12")
    with patient(LocalFiles(str(tmp_path)), 5).open("x") as local:
        assert local.name == str(tmp_path / "x")
    with pytest.raises(FileNotFoundError):
        patient(LocalFiles(str(tmp_path)), 5).open("y")


def test_the_lock_and_the_folder_beside_are_those_of_the_inner_files(tmp_path: Path) -> None:
    files, _ = asked(BusyError("another"))
    with pytest.raises(BusyError), files.locked():
        pass
    local = patient(LocalFiles(str(tmp_path / "v")), 5, listed=True)
    with local.replacing("commit") as workplace:
        assert workplace == local
        workplace.write("commit", [b"1"])
    with local.replacing("commit") as workplace:
        beside = str(tmp_path / ".v.rebuild")
        assert workplace == patient(LocalFiles(beside), 5, listed=True)
        workplace.write("commit", [b"2"])
    assert tree_bytes(tmp_path) == {"v/commit": b"2"}
    with local.locked(), pytest.raises(BusyError), LocalFiles(str(tmp_path / "v")).locked():
        pass


def test_adopting_is_between_the_inner_files(tmp_path: Path) -> None:
    one, two = (patient(LocalFiles(str(tmp_path / name)), 5) for name in "ab")
    one.write("x", [b"1"])
    two.adopt(one, "x", "y")
    assert (tmp_path / "b/y").samefile(tmp_path / "a/x")
    files, inner = asked()
    files.adopt(asked()[0], "x", "y")
    assert inner.calls == [("adopt", Script(), "x", "y")]


def test_patience_is_not_doubled() -> None:
    inner = LocalFiles("frames")
    assert patient(patient(inner, 1), 2, listed=True) == PatientFiles("frames", inner, 2, listed=True)


@pytest.fixture
def listed(tmp_path: Path) -> PatientFiles:
    (tmp_path / "root/a/b").mkdir(parents=True)
    (tmp_path / "root/a/b/x").write_bytes(b"1")
    (tmp_path / "root/a/empty").mkdir()
    inner = LocalFiles(str(tmp_path / "root"))
    return PatientFiles(inner.root, inner, 5.0, 2, 0.001, listed=True)


GONE = r"it was listed and is gone now; was a disk unmounted or the folder moved\? \(2 attempts\): '.*root"
QUESTIONS: list[Callable[[Files], Any]] = [
    lambda files: files.names("a/b"),
    lambda files: files.names("a", 1),
    lambda files: files.read("a/b/x"),
    lambda files: files.stamp("a/b/x"),
]


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("gone", ["root", "root/a"])
def test_a_local_folder_that_vanished_is_an_error_in_words(
    listed: PatientFiles, tmp_path: Path, question: Callable[[Files], Any], gone: str
) -> None:
    question(listed)
    shutil.rmtree(tmp_path / gone)
    with pytest.raises(OSError, match=GONE) as caught:
        question(listed)
    assert caught.value.errno == errno.ESTALE
    # Without a list of what was there, absent is absent.
    unlisted = patient(listed, 5)
    if question in QUESTIONS[:2]:
        assert question(unlisted) == {}
    else:
        with pytest.raises(FileNotFoundError):
            question(unlisted)


def test_in_a_folder_that_is_there_what_is_absent_is_absent(listed: PatientFiles, tmp_path: Path) -> None:
    assert listed.names("a/empty") == {}
    for question in (listed.read, listed.stamp):
        for path in ("a/b/y", "a/empty/x", "y"):
            with pytest.raises(FileNotFoundError):
                question(path)
    assert not listed.leads_out("a/b/y")
    # The root itself is listed first: nobody has said that anything is in it.
    shutil.rmtree(tmp_path / "root")
    assert listed.names("") == {}


def test_a_folder_that_comes_back_in_time_is_no_error(listed: PatientFiles, tmp_path: Path) -> None:
    (tmp_path / "root").rename(tmp_path / "away")
    threading.Timer(0.05, (tmp_path / "away").rename, [tmp_path / "root"]).start()
    waiting = PatientFiles(listed.root, listed.inner, 5.0, 2, 0.3, listed=True)
    assert waiting.names("a/b") == {"x": 1}


def test_an_object_store_has_no_folder_without_an_object(tmp_path: Path) -> None:
    folder = tmp_path / "root/a/deep"
    folder.mkdir(parents=True)
    (folder / "x").write_bytes(b"1")
    inner = BeamFiles(str(tmp_path / "root"))
    files = PatientFiles(inner.root, inner, 5.0, 2, 0.001, listed=True)
    # What lies deeper than it is asked for is there all the same.
    assert files.names("a") == {}
    with pytest.raises(FileNotFoundError):
        files.read("a/x")
    shutil.rmtree(tmp_path / "root/a")
    for question in (lambda: files.names("a"), lambda: files.read("a/x")):
        with pytest.raises(OSError, match=GONE):
            question()


@pytest.mark.parametrize("name", ["read", "stamp", "leads_out"])
def test_other_files_are_gone_where_their_folder_lists_nothing(name: str) -> None:
    absent = [FileNotFoundError(errno.ENOENT, "absent", "x")]
    files, inner = asked(*absent, listed=True, attempts=1)
    with pytest.raises(OSError, match="was listed and is gone"):
        getattr(files, name)("gone/x")
    assert inner.calls == [(name, "gone/x"), ("names", "gone", 0)]
    files, _ = asked(*absent, listed=True)
    with pytest.raises(FileNotFoundError):
        getattr(files, name)("there/x")
    files, _ = asked(listed=True, attempts=1)
    with pytest.raises(OSError, match="was listed and is gone"):
        files.names("gone")


def test_it_travels_to_a_worker() -> None:
    files = patient(LocalFiles("frames"), 3, listed=True)
    assert pickle.loads(pickle.dumps(files)) == files


def test_a_thread_is_asked_again_and_ends_with_the_one_that_asks() -> None:
    before = set(threading.enumerate())
    seen: queue.SimpleQueue[threading.Thread] = queue.SimpleQueue()

    class Seen(Script):
        def read(self, path: str) -> bytes:
            seen.put(threading.current_thread())
            return b""

    files = patient(Seen(), 5)
    asking = threading.Thread(target=lambda: [files.read("x") for _ in range(3)])
    asking.start()
    asking.join()
    helpers = {seen.get() for _ in range(3)}
    assert len(helpers) == 1
    helper = helpers.pop()
    assert helper.daemon
    assert helper is not asking
    helper.join(5)
    assert set(threading.enumerate()) <= before | {threading.current_thread()}


def test_a_question_that_was_broken_off_leaves_no_answer_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while the answer is awaited: the next question must not get it."""
    files, _ = asked()
    assert files.read("x") == b"content"
    helper = patient_files._of_this_thread.helper

    class Interrupted:
        def get(self, timeout: float) -> Any:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(helper, "answers", Interrupted())
        with pytest.raises(KeyboardInterrupt):
            files.read("x")
    assert files.stamp("x") == "stamp"


def test_a_forked_child_asks_a_thread_of_its_own() -> None:
    files, _ = asked(attempts=1)
    assert files.read("x") == b"content"
    child = os.fork()
    if not child:
        os._exit(0 if files.read("x") == b"content" else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_process_ends_while_the_file_system_hangs() -> None:
    code = """
import threading
from pipelines.patient_files import PatientFiles
from drae_data.local_files import LocalFiles

class Hanging(LocalFiles):
    def read(self, path):
        threading.Event().wait()

try:
    PatientFiles("x", Hanging("x"), 0.05, 2, 0.001).read("y")
except TimeoutError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert "no answer in 0.05 s (2 attempts): 'x/y'" in done.stdout
