"""The frames that benchmarks build from: smooth gradients, five bright vials and sensor noise. Seeded."""

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

# Standard deviation of the sensor noise in grey values. With it a patch of 256 x 256 takes about 20 kB at cv2's default
# PNG settings, near the 25 kB of the frames that the project's first measurements were made with.
NOISE = 1.3
VIALS = 5
RUNS = 2
# Left, top, width and height of a vial's regions as fractions of the vial's share of the frame: in 1600 x 1280
# all of them shrink to a patch of 256 (R0 in width alone), which costs the same with and without IPP.
_REGIONS = {
    "R0": (0.05, 0.005, 0.9, 0.2),
    "R1": (0.05, 0.21, 0.9, 0.23),
    "R2": (0.05, 0.45, 0.9, 0.28),
    "R3": (0.05, 0.74, 0.9, 0.23),
}


@dataclass(frozen=True)
class FrameSet:
    """What a set of frames is made of.

    Attributes:
        width: of a frame in pixels.
        height: of a frame in pixels.
        frames: per acquisition.
        format: `png` or `bmp`.
        seed: of gradients and noise.
    """

    width: int
    height: int
    frames: int
    format: str
    seed: int

    @property
    def boxes(self) -> dict[str, list[list[int]]]:
        """The strip layout in pixels: region to one [left, top, width, height] per vial."""
        share = self.width / VIALS
        return {
            region: [
                [int((vial + left) * share), int(top * self.height), int(width * share), int(height * self.height)]
                for vial in range(VIALS)
            ]
            for region, (left, top, width, height) in _REGIONS.items()
        }


def write_frames(root: Path, frame_set: FrameSet, acquisitions: int) -> None:
    """Writes acquisitions as `STRIP/run_N/frame_NN.EXT`; frames that are there already are kept.

    Args:
        root: the folder to fill.
        frame_set: what to write.
        acquisitions: how many.
    """
    with ProcessPoolExecutor() as pool:
        numbers = range(acquisitions)
        list(pool.map(_write_acquisition, (_folder(root, number) for number in numbers), repeat(frame_set), numbers))


def link_frames(root: Path, original: Path, acquisitions: int, distinct: int) -> None:
    """Fills a folder with acquisitions that are hard links to others: no disk, no time, and as much to build.

    Args:
        root: the folder to fill.
        original: the folder to take frames from.
        acquisitions: how many are wanted.
        distinct: how many the original has.
    """
    for number in range(acquisitions):
        folder = _folder(root, number)
        folder.mkdir(parents=True, exist_ok=True)
        for path in _folder(original, number % distinct).iterdir():
            if not (folder / path.name).exists():
                os.link(path, folder / path.name)


def _folder(root: Path, number: int) -> Path:
    return root / f"S{number // RUNS:04d}" / f"run_{number % RUNS}"


def _write_acquisition(folder: Path, frame_set: FrameSet, number: int) -> None:
    names = [f"frame_{index:02d}.{frame_set.format}" for index in range(frame_set.frames)]
    if all((folder / name).exists() for name in names):
        return
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([frame_set.seed, number])
    height, width = frame_set.height, frame_set.width
    # A larger noise field, cut at another place for every frame, is much cheaper than fresh noise.
    margin = 64
    noise = rng.normal(0, NOISE, (height + margin, width + margin)).astype(np.float32)
    scene = _scene(frame_set, rng.uniform(0.8, 1.2, 4))
    for name in names:
        top, left = rng.integers(0, margin, 2)
        frame = np.rint(scene + noise[top : top + height, left : left + width])
        if not cv2.imwrite(str(folder / name), frame.clip(0, 255).astype(np.uint8)):
            raise OSError(f"{folder / name}: cv2 could not write it")


def _scene(frame_set: FrameSet, strength: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    y, x = np.mgrid[0 : frame_set.height, 0 : frame_set.width].astype(np.float32)
    y, x = y / frame_set.height, x / frame_set.width
    vial = 1 - np.abs((x * VIALS) % 1 - 0.5) * 2
    light = 60 * strength[0] + 30 * strength[1] * y + 20 * strength[2] * np.sin(3 * x) + 50 * strength[3] * vial
    return np.asarray(light, np.float32)
