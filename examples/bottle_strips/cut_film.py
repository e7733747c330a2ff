"""Cuts the film beside it into acquisitions of frames: what the tutorial takes for the folder of a camera.

    python examples/bottle_strips/cut_film.py tutorial/camera

The film is (c) Intel, CC BY 4.0 (film/README.txt). Changes: frames are converted to 8 bit grey, rows 90 to 329 are
kept, 16 consecutive frames make an acquisition, stored as PNG. The labels are this project's own.
"""

import csv
import shutil
import sys
from pathlib import Path

import cv2

HERE = Path(__file__).resolve().parent
FILM = HERE / "film" / "bottle-detection.mp4"
# Its column source_frame says with which frame of the film an acquisition begins.
LABELS = HERE.parent / "bottle_strips_detection" / "tables" / "labels.csv"
FRAMES = 16
TOP, BOTTOM = 90, 330


def main(arguments: list[str]) -> int:
    """Cuts the film; returns the exit status."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.stderr.write(f"usage: python {Path(__file__).name} FOLDER\n\n{__doc__}")
        return 2
    folder = Path(arguments[0])
    first_frames = {int(line["source_frame"]): line["acquisition"] for line in csv.DictReader(LABELS.open())}
    written = cut(folder, first_frames)
    if written < FRAMES * len(first_frames):
        sys.stderr.write(f"{FILM}: the film cannot be decoded\n")
        return 1
    shutil.copyfile(LABELS, folder / "labels.csv")
    sys.stdout.write(f"{folder}: {len(first_frames)} acquisitions, {written} frames, labels.csv\n")
    return 0


def cut(folder: Path, first_frames: dict[int, str]) -> int:
    """Writes the frames of each acquisition into a folder of its own; returns how many there are."""
    film = cv2.VideoCapture(str(FILM))
    written = number = 0
    while True:
        read, picture = film.read()
        if not read:
            return written
        for first, name in first_frames.items():
            if first <= number < first + FRAMES:
                (folder / name).mkdir(parents=True, exist_ok=True)
                frame = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)[TOP:BOTTOM]
                cv2.imwrite(str(folder / name / f"frame_{number - first:02d}.png"), frame)
                written += 1
        number += 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
