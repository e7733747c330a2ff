"""The options of one dataset build, checked at birth."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from drae_data.acquisition import RANK_IMAGES, Image, PathTemplate
from drae_data.errors import OptionError
from drae_data.patches import PatchOptions
from drae_data.png import CODEC
from drae_data.strip_layout import StripLayout

# The layout of records, shards and tables. A change makes every shard new: a breaking change in CHANGELOG.
FORMAT_VERSION = 1
SPLITS_BY = ("strip", "acquisition", "patch", "none")
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class SplitOptions:
    """How patches are shared out to train and validation.

    Attributes:
        by: `strip` keeps all runs of a strip on one side; `acquisition` and `patch` reproduce the paper's counts, which
            leak runs of a strip across sides; `none` puts everything into the split `test`.
        validation_fraction: share of strips (acquisitions, patches) in validation, 0 to 1; the count is exact, rounded
            to the nearest whole.
        seed: of the hash order that decides who goes where.
    """

    by: str
    validation_fraction: Fraction
    seed: int

    def __post_init__(self) -> None:
        if self.by not in SPLITS_BY:
            raise OptionError("split.by", self.by, f"one of {', '.join(SPLITS_BY)}")
        if not 0 <= self.validation_fraction < 1:
            raise OptionError("split.validation_fraction", float(self.validation_fraction), "0 to less than 1")


@dataclass(frozen=True)
class DatasetOptions:
    """Everything that decides a dataset's bytes, apart from the frames.

    Attributes:
        name: of the dataset: lower-case letters, digits and underscores.
        version: three numbers, `1.0.0`.
        template: how acquisition folders and frame files are named.
        frames: the frame indices that every acquisition must have, ascending.
        images: the images that become patches, in order: frames among `frames`, and rank images over all of `frames`.
        layout: the strip layout.
        patch: size and fit of patches.
        split: see `SplitOptions`.
        shard_patches: most patches in one shard, but at least one acquisition; bounds a worker's memory.
        max_frame_pixels: larger frames are refused before they are decoded.
        max_quarantined: a build that quarantines more acquisitions fails.
    """

    name: str
    version: str
    template: PathTemplate
    frames: tuple[int, ...]
    images: tuple[Image, ...]
    layout: StripLayout
    patch: PatchOptions
    split: SplitOptions
    shard_patches: int
    max_frame_pixels: int
    max_quarantined: int

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise OptionError("dataset.name", self.name, "lower-case letters, digits and underscores, a letter first")
        if not re.fullmatch(r"\d+\.\d+\.\d+", self.version):
            raise OptionError("dataset.version", self.version, "three numbers such as '1.0.0'")
        if not self.frames or list(self.frames) != sorted(set(self.frames)) or self.frames[0] < 0:
            raise OptionError("frames", self.frames, "ascending frame indices from 0 up, each once, at least one")
        if not self.images or len(set(self.images)) != len(self.images):
            raise OptionError("images", [str(image) for image in self.images], "at least one image, each once")
        for image in self.images:
            if not image.rank and image.frame not in self.frames:
                raise OptionError("images.frames", image.frame, f"indices among frames {list(self.frames)}")
        for key, value in (
            ("shard_patches", self.shard_patches),
            ("max_frame_pixels", self.max_frame_pixels),
        ):
            if value < 1:
                raise OptionError(key, value, "1 or more")
        if self.max_quarantined < 0:
            raise OptionError("max_quarantined", self.max_quarantined, "0 or more")

    @property
    def patches_per_acquisition(self) -> int:
        """Images times boxes: 360 in the paper's production set, 60 in its kit."""
        return len(self.images) * self.layout.vials * len(self.layout.regions)

    @property
    def needed_frames(self) -> frozenset[int]:
        """Frames that must be read: all where a rank image is wanted, else those that become patches."""
        if any(image.rank for image in self.images):
            return frozenset(self.frames)
        return frozenset(image.frame for image in self.images)

    def content(self) -> dict[str, Any]:
        """What decides the bytes of a shard's patches, as plain JSON values: part of its fingerprint."""
        layout = self.layout
        return {
            "format_version": FORMAT_VERSION,
            "codec": CODEC,
            "path_template": self.template.text,
            "frames": list(self.frames),
            "images": [str(image) for image in self.images],
            "strip_layout": {
                "units": layout.units,
                "frame_size": None if layout.frame_size is None else list(layout.frame_size),
                "boxes": [[region, [list(box) for box in row]] for region, row in layout.boxes.items()],
            },
            "patch": {
                "size": self.patch.size, "fit": self.patch.fit, "grow": self.patch.grow, "fill": self.patch.fill,
            },
            "max_frame_pixels": self.max_frame_pixels,
            "seed": self.split.seed,
        }  # fmt: skip


def select_images(frames: Sequence[int], rank: Sequence[str]) -> tuple[Image, ...]:
    """The images that become patches: the given frames, then the given rank images (`min`, `max`)."""
    if any(name not in RANK_IMAGES for name in rank):
        raise OptionError("images.rank", list(rank), "any of 'min' and 'max'")
    return (*(Image.of_frame(index) for index in frames), *(Image.of_rank(name) for name in rank))
