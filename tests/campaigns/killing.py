"""Commands that are killed at a chosen moment, and what their kill left."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from drae_data.version_files import COMMIT_POINT, WORK
from tests.campaigns.small_project import environment

_POLL = 0.001
# No run here takes a tenth of it, even on a machine that is busy with other things.
_LIMIT_SECONDS = 600.0
_TAIL = 1500


@dataclass(frozen=True)
class Workplace:
    """A version folder and the two beside it that a build uses while it replaces a committed version.

    Attributes:
        version: the folder.
        shards: of a whole build.
    """

    version: Path
    shards: int

    @property
    def beside(self) -> Path:
        """Where a version is rebuilt."""
        return self.version.with_name(f".{self.version.name}.rebuild")

    @property
    def aside(self) -> Path:
        """Where the committed version waits for its end."""
        return self.version.with_name(f".{self.version.name}.replaced")

    def work(self) -> Path:
        """The working files of the build that is, or was, at work."""
        return (self.beside if self.beside.is_dir() else self.version) / WORK

    def stamp(self) -> tuple[str, int] | None:
        """Changes as soon as a build begins its work, also where an earlier one left working files."""
        try:
            return str(self.work()), self.work().stat().st_ctime_ns
        except FileNotFoundError:
            return None

    def finished_shards(self) -> int:
        """How many shards the current build has reported."""
        try:
            return sum(path.suffix == ".json" for path in (self.work() / "done").iterdir())
        except FileNotFoundError:
            return 0

    def wait_for_work(self, command: "Command", before: tuple[str, int] | None) -> None:
        """Waits until a build begins its work, or its command ends."""
        command.until(lambda: self.stamp() not in (None, before))

    def phase(self, before: tuple[str, int] | None, committed: bool) -> str:
        """The phase in which a build was killed, read from what lies there.

        Args:
            before: `stamp` when the command was started.
            committed: whether the version in place is the one that the build was to give.
        """
        if self.aside.exists() or (self.beside.exists() and not self.version.exists()):
            return "renames"
        if committed and not self.beside.exists():
            return "after the commit"
        begun = self.stamp() is not None and self.stamp() != before
        place = self.beside if self.beside.is_dir() else self.version
        if not begun:
            written = self.stamp() is None and place.is_dir() and any(place.glob("*.tfrecord-*"))
            started_whole = place == self.version and (place / COMMIT_POINT).exists()
            return "commit" if written and not started_whole else "before the work"
        finished = self.finished_shards()
        if finished == self.shards:
            return "commit"
        return "between shards" if finished else "before the first shard"


@dataclass(frozen=True)
class Moment:
    """When to kill: in which stretch of the run, and how far into it, from 0 to 1.

    The stretches are `start` (until the build begins its work), `shards` (from there to the last shard's marker),
    `end` (from there until the command ends) and `swap` (as soon as the old version is put aside).
    """

    stretch: str
    fraction: float


@dataclass(frozen=True)
class Times:
    """When an undisturbed run began its work, had its last shard, and ended; seconds from its start."""

    begun: float
    shards: float
    end: float


def moments(count: int, shares: Sequence[tuple[str, int]], rng: random.Random) -> list[Moment]:
    """Random moments, spread evenly over each stretch, in random order.

    Args:
        count: of moments.
        shares: stretches with their weights.
        rng: seeded.
    """
    total = sum(weight for _, weight in shares)
    names = [stretch for stretch, weight in shares for _ in range(round(count * weight / total))]
    names = (names + [shares[0][0]] * count)[:count]
    chosen = []
    for stretch in dict.fromkeys(names):
        number = names.count(stretch)
        chosen += [Moment(stretch, (place + rng.random()) / number) for place in range(number)]
    rng.shuffle(chosen)
    return chosen


class Command:
    """A command in a process group of its own, its words in a file.

    Args:
        arguments: of the command.
        project: the folder it runs in.
        log: takes what it says.
    """

    def __init__(self, arguments: Sequence[str], project: Path, log: Path) -> None:
        self._log = log
        self.started = time.monotonic()
        with log.open("wb") as stream:
            self._process = subprocess.Popen(
                arguments, cwd=project, env=environment(project), stdin=subprocess.DEVNULL, stdout=stream,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def seconds(self) -> float:
        """Since its start."""
        return time.monotonic() - self.started

    def said(self) -> str:
        """All that it wrote so far."""
        return self._log.read_text(errors="replace")

    def tail(self) -> str:
        """The end of what it wrote."""
        return self.said()[-_TAIL:]

    def wait(self) -> int:
        """Waits for its end; returns the exit status."""
        return self._process.wait(timeout=_LIMIT_SECONDS)

    def until(self, condition: Callable[[], bool], poll: float = _POLL) -> bool:
        """Waits for a condition; False where the command ended before."""
        while not condition():
            if self._process.poll() is not None:
                return condition()
            if self.seconds() > _LIMIT_SECONDS:
                raise TimeoutError(f"no end in sight after {_LIMIT_SECONDS:.0f} s: {self.tail()}")
            if poll:
                time.sleep(poll)
        return True

    def sleep(self, seconds: float) -> None:
        """Lets it run on for so long, or to its end."""
        end = self.seconds() + seconds
        self.until(lambda: self.seconds() >= end)

    def kill(self, alone: bool = False) -> bool:
        """Kills its whole group, or only itself; False where it had ended before."""
        running = self._process.poll() is None
        if alone:
            self._process.kill()
        else:
            self.kill_group()
        self.wait()
        return running

    def kill_group(self) -> None:
        """Kills whatever is left of its group."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        if self._process.poll() is not None:
            self.wait_for_group()

    def group(self) -> list[int]:
        """The processes of its group that still run, without those that are dead but not yet reaped."""
        return [pid for pid, group in _processes() if group == self._process.pid]

    def wait_for_group(self) -> None:
        """Waits until nothing of its group runs."""
        while self.group():
            if self.seconds() > _LIMIT_SECONDS:
                raise TimeoutError(f"still at work after {_LIMIT_SECONDS:.0f} s: {self.group()}")
            time.sleep(0.02)


def _processes() -> Iterator[tuple[int, int]]:
    """Process and group of everything that runs on this machine."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if fields[0] not in "ZX":
                yield int(entry.name), int(fields[2])


def run_timed(command: Command, workplace: Workplace, before: tuple[str, int] | None) -> Times:
    """Lets a command run to its end and takes its times; raises AssertionError where it fails."""
    workplace.wait_for_work(command, before)
    begun = command.seconds()
    command.until(lambda: workplace.finished_shards() >= workplace.shards)
    shards = command.seconds()
    status = command.wait()
    assert status == 0, command.tail()
    return Times(begun, shards, command.seconds())


def wait_for_moment(
    command: Command, moment: Moment, times: Times, workplace: Workplace, before: tuple[str, int] | None
) -> None:
    """Returns when the moment has come, or the command has ended."""
    if moment.stretch == "start":
        command.sleep(moment.fraction * times.begun)
        return
    workplace.wait_for_work(command, before)
    if moment.stretch == "shards":
        command.sleep(moment.fraction * (times.shards - times.begun))
        return
    command.until(lambda: workplace.finished_shards() >= workplace.shards)
    if moment.stretch == "swap":
        command.until(workplace.aside.exists, poll=0)
    else:
        command.sleep(moment.fraction * (times.end - times.shards))
