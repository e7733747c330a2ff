"""`Files` that wait and ask again: a deadline for every answer, more attempts for what may pass, words for the rest.

A network disk that hangs would stop a build without a word, and one that is unmounted would send every acquisition into
quarantine: a folder that is gone looks like one that never was. Both become an OSError that says so.
"""

import errno
import io
import os
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, TypeVar

from drae_data.files import Files
from drae_data.local_files import LocalFiles
from pipelines.beam_files import MISSING_BUCKET, REFUSED, BeamFiles

_Answer = TypeVar("_Answer")
# Seconds: longer than any answer of a file system that is only slow.
DEADLINE = 120.0
# What will be the same in a few seconds: it is what lies there, or somebody must make room, give rights or a bucket.
_LASTING = {
    errno.ENOENT, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG,
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, MISSING_BUCKET, REFUSED,
}  # fmt: skip


def patient(files: Files, deadline: float = DEADLINE, listed: bool = False) -> "PatientFiles":
    """The same files with patience.

    Args:
        files: of any root.
        deadline: seconds for one answer of the file system.
        listed: whether all folders that will be asked for are known to have been there, see `PatientFiles`.
    """
    inner = files.inner if isinstance(files, PatientFiles) else files
    return PatientFiles(inner.root, inner, deadline, listed=listed)


@dataclass(frozen=True)
class PatientFiles(Files):
    """Files of another kind, asked under a deadline and again after a failure that may pass.

    Whatever lasts (absent, no rights, no room) is raised at once, the rest after the last attempt.

    Attributes:
        inner: the files that are asked; of the same root.
        deadline: seconds for one answer; a question without one is given up and counts as a failed attempt.
        attempts: how often a question is asked.
        wait: seconds before the second attempt; each later wait is twice as long.
        listed: whether folders that are asked for were listed before. One that is gone then is an error (ESTALE), not
            an empty folder or an absent file.
    """

    inner: Files
    deadline: float = DEADLINE
    attempts: int = 4
    wait: float = 1.0
    listed: bool = False

    def folders(self, depth: int) -> Iterator[str]:
        """See `Files.folders`; without a deadline, since a large root takes minutes."""
        yield from self._tried(lambda: list(self.inner.folders(depth)), self.root)

    def names(self, folder: str, depth: int = 0) -> dict[str, int]:
        """See `Files.names`."""

        def names() -> dict[str, int]:
            found = self.inner.names(folder, depth)
            if not found and folder:
                self._check_still_there(folder)
            return found

        return self._asked(names, folder)

    def leads_out(self, path: str) -> bool:
        """See `Files.leads_out`."""
        return self._asked(lambda: self._of_a_file(self.inner.leads_out, path), path)

    def changed(self, folder: str, depth: int = 0) -> float:
        """See `Files.changed`."""
        return self._asked(lambda: self.inner.changed(folder, depth), folder)

    def stamp(self, path: str) -> str:
        """See `Files.stamp`."""
        return self._asked(lambda: self._of_a_file(self.inner.stamp, path), path)

    def adopt(self, other: Files, path: str, name: str) -> None:
        """See `Files.adopt`."""
        inner = other.inner if isinstance(other, PatientFiles) else other
        self._asked(lambda: self.inner.adopt(inner, path, name), name)

    def read(self, path: str) -> bytes:
        """See `Files.read`."""
        return self._asked(lambda: self._of_a_file(self.inner.read, path), path)

    def open(self, path: str) -> AbstractContextManager[BinaryIO]:
        """See `Files.open`; what is not on this machine is read whole, so that a broken stream is asked for again."""
        if isinstance(self.inner, LocalFiles):
            return self.inner.open(path)
        return nullcontext(io.BytesIO(self.read(path)))

    def write(self, path: str, parts: Iterable[bytes]) -> None:
        """See `Files.write`. The parts are joined first: what gives them may give them once only."""
        content = [b"".join(parts)]
        self._asked(lambda: self.inner.write(path, content), path)

    def remove(self, path: str) -> None:
        """See `Files.remove`; without a deadline, since there may be very much.

        One that was given up could remove later what is written after this call.
        """
        self._tried(lambda: self.inner.remove(path), self._place(path))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """See `Files.locked`."""
        with self.inner.locked():
            yield

    @contextmanager
    def replacing(self, commit_point: str) -> Iterator[Files]:
        """See `Files.replacing`; the folder beside is asked with the same patience."""
        with self.inner.replacing(commit_point) as workplace:
            yield replace(self, root=workplace.root, inner=workplace)

    def _of_a_file(self, question: Callable[[str], _Answer], path: str) -> _Answer:
        """The answer about a file; a file is absent only where the folder that holds it is there."""
        try:
            return question(path)
        except FileNotFoundError:
            folder = str(PurePosixPath(path).parent)
            self._check_still_there("" if folder == "." else folder)
            raise

    def _check_still_there(self, folder: str) -> None:
        if self.listed and not _is_there(self.inner, folder):
            what = "it was listed and is gone now; was a disk unmounted or the folder moved?"
            raise OSError(errno.ESTALE, what, self._place(folder))

    def _asked(self, question: Callable[[], _Answer], path: str) -> _Answer:
        """The answer to a question that the file system is asked under the deadline, as often as need be."""
        place = self._place(path)
        return self._tried(lambda: _answer_in_time(question, self.deadline, place), place)

    def _tried(self, question: Callable[[], _Answer], place: str) -> _Answer:
        attempt = 1
        while True:
            try:
                return question()
            except OSError as error:
                if error.errno in _LASTING:
                    raise
                if attempt == self.attempts:
                    raise _after(attempt, error, place) from error
            time.sleep(self.wait * 2 ** (attempt - 1))
            attempt += 1

    def _place(self, path: str) -> str:
        return f"{self.root}/{path}" if path else self.root


def _is_there(files: Files, folder: str) -> bool:
    """Whether a folder that held something is there; object stores have no folder without an object below it."""
    if isinstance(files, LocalFiles):
        return Path(files.root, folder).is_dir()
    if isinstance(files, BeamFiles):
        return files.holds(folder)
    return bool(files.names(folder))


def _after(attempts: int, error: OSError, place: str) -> OSError:
    """The same error, with the number of attempts where there were several."""
    tried = f" ({attempts} attempts)" if attempts > 1 else ""
    return OSError(error.errno or errno.EIO, f"{error.strerror or error}{tried}", error.filename or place)


class _Helper:
    """A thread that answers questions of one other thread, one after the other.

    It ends with the thread that asks. It is a daemon: a process may end while the file system keeps it waiting.
    """

    def __init__(self) -> None:
        self.questions: queue.SimpleQueue[Callable[[], Any] | None] = queue.SimpleQueue()
        self.answers: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
        # The thread holds the queues alone: this object is gone as soon as nobody asks any more.
        threading.Thread(
            target=_answer_questions, args=(self.questions, self.answers), name="patient files", daemon=True
        ).start()

    def __del__(self) -> None:
        """Ends the thread once it has answered."""
        self.questions.put(None)


def _answer_questions(
    questions: "queue.SimpleQueue[Callable[[], Any] | None]",
    answers: "queue.SimpleQueue[tuple[Any, BaseException | None]]",
) -> None:
    while (question := questions.get()) is not None:
        try:
            answers.put((question(), None))
        except BaseException as error:  # noqa: BLE001 - it is raised where the question was asked.
            answers.put((None, error))
        del question  # It may hold the content of a file.


_of_this_thread = threading.local()
# A child that was forked has the helper's object, but not its thread.
os.register_at_fork(after_in_child=lambda: _of_this_thread.__dict__.clear())


def _answer_in_time(question: Callable[[], _Answer], deadline: float, place: str) -> _Answer:
    """The answer to a question; raises TimeoutError where there is none in `deadline` seconds."""
    # The helper is taken away while it is at work: if the wait ends in any other way than by its answer, it is not
    # asked again, and a late answer is lost with it.
    helper: _Helper = _of_this_thread.__dict__.pop("helper", None) or _Helper()
    helper.questions.put(question)
    try:
        answer, error = helper.answers.get(timeout=deadline)
    except queue.Empty:
        raise TimeoutError(errno.ETIMEDOUT, f"no answer in {deadline:g} s", place) from None
    _of_this_thread.helper = helper
    if error is not None:
        try:
            raise error
        finally:
            del error  # Its traceback holds this frame.
    result: _Answer = answer
    return result
