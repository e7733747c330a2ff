"""The params file of the benchmarks' dataset: every frame and both rank images of the benchmark's frames, by strip."""

from pathlib import Path
from typing import Any

from benchmarks.bench_frames import FrameSet

SET = "bench"
VERSION = "1.0.0"
PATCH = 256


def build_params(frame_set: FrameSet, encoding: str, shard_patches: int, folder: Path) -> dict[str, Any]:
    """A params file as plain values; JSON is YAML too.

    Args:
        frame_set: gives the layout, the frames and their format.
        encoding: of patches: `png` or `raw`.
        shard_patches: most patches in a shard.
        folder: where versions would be published, were it not said on the command line.
    """
    indices = list(range(frame_set.frames))
    return {
        "strip_layout": {
            "units": "pixels", "frame_size": {"height": frame_set.height, "width": frame_set.width},
            "allow_overlap": False, "boxes": frame_set.boxes,
        },
        "patch": {"size": PATCH, "fit": "stretch", "grow": "cubic", "fill": 0, "encoding": encoding},
        "dataset": {"folder": str(folder), "version": VERSION},
        "build": {
            SET: {
                "root": "given on the command line",
                "path_template": "{strip}/run_{run}/frame_{frame}." + frame_set.format,
                "frames": indices,
                "images": {"frames": indices, "rank": ["min", "max"]},
                "split": {"by": "strip", "validation_fraction": 0.1, "seed": 1},
                "shard_patches": shard_patches,
                "max_frame_pixels": frame_set.width * frame_set.height,
                "max_quarantined": 0,
            }
        },
    }  # fmt: skip
