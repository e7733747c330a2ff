"""Three strips are written, closed, read in vain, and the line is begun anew, in any order: each has one turn."""

import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from drae_data.errors import AcquisitionError
from drae_line.incoming import Arrival, Incoming
from tests.small_line import small_options

SETTLE, PATIENCE = 1.0, 10.0
STRIPS, FRAMES = ("A", "B", "C"), ("frame_0.png", "frame_1.png", "frame_2.png")
UNREADABLE = AcquisitionError("unreadable", "it cannot be decoded")
OPTIONS = small_options()


@dataclass(frozen=True)
class Written:
    """A frame file as it truly is; Incoming knows only what it was told of and what it looked at."""

    size: int
    version: int
    changed: float
    closed: bool
    open: bool


class Camera(RuleBasedStateMachine):
    """What the camera's computer does, beside what `Incoming` makes of it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.root, self.now, self.version = Path(self.folder.name), 0.0, 0
        self.files: dict[str, dict[str, Written]] = {strip: {} for strip in STRIPS}
        self.refused: dict[str, dict[str, Written]] = {}
        self.first: dict[str, float] = {}
        self.given: dict[str, str] = {}
        self.begin()

    def teardown(self) -> None:
        try:
            self.finish()
        finally:
            self.folder.cleanup()

    @rule(strip=st.sampled_from(STRIPS), frame=st.sampled_from(FRAMES), size=st.integers(0, 5), told=st.booleans(),
          closed=st.booleans())  # fmt: skip
    def write(self, strip: str, frame: str, size: int, told: bool, closed: bool) -> None:
        place = self.root / strip / "run_0" / frame
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"f" * size)
        self.version += 1
        os.utime(place, ns=(0, self.version))
        before = self.files[strip].get(frame)
        seen_open = not closed if told else before is not None and before.open
        self.files[strip][frame] = Written(size, self.version, self.now, told and closed, seen_open)
        self.first.setdefault(strip, self.now)
        if told:
            message = self.incoming.notice(f"{strip}/run_0/{frame}", closed, self.now)
            assert not message or strip in self.given

    @rule(strip=st.sampled_from(STRIPS))
    def write_whole(self, strip: str) -> None:
        for frame in FRAMES:
            self.write(strip, frame, 3, told=True, closed=True)

    @rule(seconds=st.sampled_from([0.25, 0.5, 1.0, 3.0, 10.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def scan(self) -> None:
        assert self.incoming.scan(self.now) == []

    @rule()
    def begin(self) -> None:
        """The line begins anew: it knows the log, and nothing else."""
        self.refused = {}
        for files in self.files.values():  # What was closed or open before is not known any more.
            files.update({name: replace(file, closed=False, open=False) for name, file in files.items()})
        judged = [f"{strip}/r0" for strip in self.given]
        self.incoming = Incoming(self.root, OPTIONS, SETTLE, PATIENCE, judged)
        if any(self.root.iterdir()):
            self.scan()

    @rule(readable=st.booleans())
    def take(self, readable: bool) -> None:
        arrival = self.incoming.take(self.now)
        if arrival is None:
            ready = [strip for strip in STRIPS if self.is_closed(strip)]
            assert not ready, "an acquisition was closed, and its turn did not come"
            return
        self.check(arrival)
        if readable or arrival.problem is not None:
            self.given[arrival.key.strip] = arrival.problem.reason if arrival.problem else ""
        else:
            self.refused[arrival.key.strip] = dict(self.files[arrival.key.strip])
            self.incoming.put_back(arrival, UNREADABLE)

    def is_closed(self, strip: str) -> bool:
        """Whether all its frames are there and closed, so that its turn must have come."""
        files = self.files[strip].values()
        fresh = strip not in self.given and strip not in self.refused
        return fresh and len(files) == len(FRAMES) and all(file.closed and file.size for file in files)

    def check(self, arrival: Arrival) -> None:
        """Whether its turn may come now."""
        strip, now = arrival.key.strip, self.now
        files = self.files[strip]
        assert strip not in self.given, "a second turn"
        assert arrival.folder == f"{strip}/run_0"
        assert self.first[strip] <= arrival.complete <= now
        same = strip in self.refused and self.refused[strip] == files
        if arrival.problem is None:
            assert sorted(arrival.frames.values()) == list(FRAMES)
            assert all(file.size for file in files.values())
            waits = {name: PATIENCE if file.open else SETTLE for name, file in files.items()}
            assert all(file.closed or now - file.changed >= waits[name] for name, file in files.items()), "not whole"
            assert not same, "could not be read, and did not change"
            return
        assert arrival.frames == {}
        rested = now - max(file.changed for file in files.values()) >= PATIENCE
        assert rested or now - self.first[strip] >= 10 * PATIENCE, "given up too early"
        assert arrival.problem.reason == self.reason(strip, same)

    def reason(self, strip: str, same: bool) -> str:
        """Why it must have been given up."""
        files = self.files[strip]
        if len(files) < len(FRAMES):
            return "missing_frame"
        if not all(file.size for file in files.values()):
            return "empty_file"
        return UNREADABLE.reason if same else "still_written"

    def finish(self) -> None:
        """Nothing more comes: what is whole is judged once it has settled, the rest given up after the patience."""
        written = {strip for strip in STRIPS if self.files[strip]}
        if not written:
            return
        self.scan()
        for seconds in (0.0, SETTLE, PATIENCE):
            self.now += seconds
            for _ in STRIPS:
                self.take(readable=True)
            if seconds == SETTLE:
                whole = {strip for strip in written if self.is_whole(strip)}
                assert whole <= self.given.keys(), "whole, and its turn did not come"
        assert self.given.keys() == written
        assert self.incoming.take(self.now + 1000) is None

    def is_whole(self, strip: str) -> bool:
        files = self.files[strip]
        whole = len(files) == len(FRAMES) and all(file.size and not file.open for file in files.values())
        return whole and self.refused.get(strip) != files


TestCamera = Camera.TestCase
TestCamera.settings = settings(max_examples=40, stateful_step_count=20)
