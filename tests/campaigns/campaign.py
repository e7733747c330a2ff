"""Kills of one command, one after the other: from which state, at which moment, what was left, how the rerun ended."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ruamel.yaml import YAML

from tests.campaigns.killing import Command, Moment, Times, moments, run_timed, wait_for_moment
from tests.campaigns.reader import Reader, thorough_faults
from tests.campaigns.scene import SHARDS, STATES, Scene
from tests.campaigns.small_project import REPRO, restore_state

# Ways to kill: the whole process group; DVC alone, whose stage goes on without it, and the rerun waits for its end;
# the same, and the rerun does not wait.
GROUP, ALONE, AT_ONCE = "group", "alone", "alone, rerun at once"

# What a rerun may say while the stage of the killed run is still at work.
REFUSALS = ("another process is at work", "is being blocked by")
# What a kill inside one of DVC's own writes leaves torn, and the file that a user then removes by hand.
TORN = {
    "Unable to read RWLock-file": ".dvc/tmp/rwlock",
    "dvc.lock' validation failed": "dvc.lock",
    "unable to read: 'dvc.lock'": "dvc.lock",
}


class Campaign:
    """Kills of one command.

    Args:
        scene: the project and its states.
        arguments: of the command.
        show: writes a line for people.

    Attributes:
        faults: what must not be, each with the kill it belongs to.
        phases: how many kills hit which phase.
        by_hand: reruns before which a file had to be removed by hand, by file.
        views: what readers saw.
    """

    def __init__(self, scene: Scene, arguments: Sequence[str], show: Callable[[str], None]) -> None:
        self.faults: list[str] = []
        self.phases: Counter[str] = Counter()
        self.by_hand: Counter[str] = Counter()
        self.views: Counter[str] = Counter()
        self._scene = scene
        self._arguments = arguments
        self._show = show
        self._times: dict[str, Times] = {}

    def measure(self) -> None:
        """Takes the times of an undisturbed run from each state."""
        for state in STATES:
            restore_state(self._scene.state(state), self._scene.project)
            what = f"undisturbed, from {state}"
            with self._reading(what, state):
                before = self._scene.workplace.stamp()
                times = run_timed(self._scene.start(self._arguments), self._scene.workplace, before)
            self._times[state] = times
            self._show(
                f"{what}: at work from {times.begun:.1f} s, last shard {times.shards:.1f} s, end {times.end:.1f} s"
            )
            self._compare(what)

    def run(self, kills: int, shares: Sequence[tuple[str, int]], ways: Sequence[str], rng: random.Random) -> None:
        """Kills so many times, each from another state.

        Args:
            kills: how many.
            shares: stretches of a run with their weights, see `moments`.
            ways: to kill, in turn.
            rng: seeded.
        """
        for number, moment in enumerate(moments(kills, shares, rng), 1):
            state = rng.choice([name for name in STATES if moment.stretch != "swap" or "replaced" in name])
            way = ways[number % len(ways)]
            what = f"kill {number} of {kills} ({state}; {way})"
            restore_state(self._scene.state(state), self._scene.project)
            with self._reading(what, state):
                self._show(f"{what} {self._kill(what, state, moment, way)}")
            self._compare(what)
        self._show(f"{kills} kills hit: {_counts(self.phases)}")
        self._show(f"readers saw: {_counts(self.views)}")
        if self.by_hand:
            self._show(f"removed by hand before a rerun: {_counts(self.by_hand)}")

    def _kill(self, what: str, state: str, moment: Moment, way: str) -> str:
        """Kills once, looks at what is left, and runs again; returns what happened."""
        scene = self._scene
        before = scene.workplace.stamp()
        command = scene.start(self._arguments)
        wait_for_moment(command, moment, self._times[state], scene.workplace, before)
        seconds = command.seconds()
        running = command.kill(alone=way != GROUP)
        finished = scene.workplace.finished_shards()
        new = scene.names.get(scene.seen()) == "new"
        phase = scene.workplace.phase(before, new) if running else "after the end"
        self.phases[phase] += 1
        if way != AT_ONCE:
            command.wait_for_group()
            self._look(f"{what}, what it left", state)
        left = scene.names.get(scene.seen(), "no") + " version in place"
        outcome = self._run_again(what, command, way)
        return f"at {seconds:.2f} s: {phase}, {finished} of {SHARDS} shards, {left}; {outcome}"

    def _run_again(self, what: str, killed: Command, way: str) -> str:
        """Runs the command to its end, as a user would who reads what it says."""
        words = []
        for _ in range(3):
            again = self._scene.start(self._arguments)
            if again.wait() == 0:
                reused = again.said().partition(" were there already)")[0].rpartition("(")[2]
                words.append(f"resumed with {reused} shards" if reused.isdigit() else "nothing was left to build")
                if "Auto removed it from the lock file" in again.said():
                    words.append("a dead run's DVC lock removed")
                return ", ".join(words)
            torn = [path for text, path in TORN.items() if text in again.said()]
            if way == AT_ONCE and any(text in again.said() for text in REFUSALS):
                words.append("refused while the stage ran on")
            elif torn:
                self.by_hand[torn[0]] += 1
                (self._scene.project / torn[0]).unlink()
                words.append(f"{torn[0]} removed by hand")
            else:
                self.faults.append(f"{what}: the rerun failed: {again.tail()}")
                words.append("failed")
            killed.wait_for_group()
        return ", ".join(words)

    @contextmanager
    def _reading(self, what: str, state: str) -> Iterator[None]:
        """Has a reader look at the version all the while."""
        reader = Reader(self._scene.workplace.version, self._scene.allowed(state))
        reader.start()
        try:
            yield
        finally:
            reader.stop()
        self.views += reader.views
        self.faults += [f"{what}: a reader saw half a version: {fault}" for fault in reader.faults]

    def _look(self, what: str, state: str) -> None:
        faults = thorough_faults(self._scene.workplace.version, self._scene.allowed(state))
        self.faults += [f"{what}: {fault}" for fault in faults]

    def _compare(self, what: str) -> None:
        """After the rerun: the files, what DVC recorded and what its cache holds are as if nothing had happened."""
        scene = self._scene
        different = scene.differences()
        if self._arguments == REPRO:
            different += scene.broken_in_cache()
            # Stages that need nothing of each other stand in DVC's file in the order in which they happened to run.
            if _recorded((scene.project / "dvc.lock").read_text()) != _recorded(scene.lock):
                different.append("dvc.lock: another than that of the undisturbed run")
        if different:
            self._show(f"{what}: NOT the same: {'; '.join(different)}")
        self.faults += [f"{what}, in the end: {difference}" for difference in different]


def _recorded(lock: str) -> dict[str, Any]:
    """What DVC recorded of each stage."""
    values: dict[str, Any] = YAML(typ="safe", pure=True).load(lock)
    return values


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())
