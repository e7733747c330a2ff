"""Where a campaign plays: the project, the states that its runs start from, and what every run must end with."""

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from drae_data.local_files import LocalFiles
from drae_data.publication import committed_digest
from tests.campaigns.killing import Command, Workplace
from tests.campaigns.reader import thorough_faults
from tests.campaigns.small_project import (
    FRAMES,
    REPRO,
    RUNS,
    SET,
    STRIPS,
    file_digests,
    frame_path,
    make_project,
    mirror_frame,
    restore_state,
    save_state,
)

STATES = ("none", "replaced", "half", "half replaced")
SHARDS = STRIPS * RUNS // 2


@dataclass
class Scene:
    """The project, the states that runs start from, and what every run must end with.

    Attributes:
        project: the project folder.
        folder: for all that is kept beside it.
        workplace: the version folder.
        names: of the digests that runs give: old and new.
        expected: SHA-256 of every published file of an undisturbed run.
        lock: its dvc.lock.
    """

    project: Path
    folder: Path
    workplace: Workplace
    names: dict[str, str] = field(default_factory=dict)
    expected: dict[str, str] = field(default_factory=dict)
    lock: str = ""
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def state(self, name: str) -> Path:
        """Where a state is kept."""
        return self.folder / "states" / name

    def start(self, arguments: Sequence[str]) -> Command:
        """Starts a command in the project."""
        return Command(arguments, self.project, self.folder / f"said_{next(self._numbers)}.txt")

    def finish(self, arguments: Sequence[str]) -> None:
        """Runs a command that must end well."""
        command = self.start(arguments)
        assert command.wait() == 0, command.tail()

    def seen(self) -> str:
        """The digest of the version in place; empty where none is."""
        return committed_digest(LocalFiles(str(self.workplace.version)))

    def allowed(self, state: str) -> dict[str, str]:
        """The digests, with their names, that may be seen in runs from a state."""
        return self.names if "replaced" in state else {key: name for key, name in self.names.items() if name == "new"}

    def differences(self) -> list[str]:
        """Which published files are not those of the undisturbed run."""
        found = file_digests(self.project / "datasets")
        return [
            f"{name}: {'missing' if name not in found else 'other bytes' if name in self.expected else 'too many'}"
            for name in sorted(found.keys() | self.expected.keys())
            if found.get(name) != self.expected.get(name)
        ]

    def broken_in_cache(self) -> list[str]:
        """Files of DVC's cache that are not what their name says."""
        cache = self.project / ".dvc/cache/files/md5"
        return [
            f"{path.relative_to(self.project)}: its bytes have another MD5 than its name"
            for path in sorted(cache.glob("[0-9a-f][0-9a-f]/*"))
            if hashlib.md5(path.read_bytes()).hexdigest() != path.parent.name + path.name.removesuffix(".dir")
        ]


def make_scene(folder: Path) -> Scene:
    """Makes the project and the four states by real runs; one of them, undisturbed, gives what to compare with."""
    project = make_project(folder / "project")
    scene = Scene(project, folder, Workplace(project / "datasets" / SET / "1.0.0", SHARDS))
    save_state(project, scene.state("none"))
    scene.finish(REPRO)
    save_state(project, scene.state("replaced"))
    scene.names[scene.seen()] = "old"
    # Every other strip: of the shards of two acquisitions each, some are built anew and some are kept.
    for strip in range(0, STRIPS, 2):
        mirror_frame(frame_path(project, strip, 0, FRAMES[1]))
    restore_state(scene.state("none"), project)
    scene.finish(REPRO)
    scene.names[scene.seen()] = "new"
    assert len(scene.names) == 2, "the changed frames gave no other digest: nothing would be replaced"
    assert thorough_faults(scene.workplace.version, scene.names) == []
    scene.expected, scene.lock = file_digests(project / "datasets"), (project / "dvc.lock").read_text()
    for state, half in (("none", "half"), ("replaced", "half replaced")):
        restore_state(scene.state(state), project)
        before = scene.workplace.stamp()
        command = scene.start(REPRO)
        scene.workplace.wait_for_work(command, before)
        command.until(lambda: scene.workplace.finished_shards() >= SHARDS // 2)
        assert command.kill(), command.tail()
        save_state(project, scene.state(half))
    return scene
