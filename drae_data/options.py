"""The options of one dataset build, checked at birth."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from drae_data.acquisition import RANK_IMAGES, Image
from drae_data.errors import OptionError
from drae_data.frames.options import FrameOptions
from drae_data.intake import AlignOptions, IntakeOptions, SidecarOptions, TimeOptions
from drae_data.labels import LabelOptions
from drae_data.patches import PatchOptions
from drae_data.path_template import PathTemplate
from drae_data.strip_layouts import StripLayouts

SPLITS_BY = ("strip", "acquisition", "patch", "blocks", "list", "none")
# Those that keep all runs of a strip on one side.
STRIPS_WHOLE = ("strip", "blocks", "list", "none")
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class SplitOptions:
    """How patches are shared out to train and validation.

    Attributes:
        by: `strip` keeps all runs of a strip on one side; `blocks` does so for neighbouring strips; `acquisition` and
            `patch` reproduce the paper's counts, which leak runs of a strip across sides; `list` takes the sides from
            a file; `none` puts everything into the split `test`.
        validation_fraction: share of strips (acquisitions, patches, blocks) in validation, 0 to 1; the count is exact,
            rounded to the nearest whole.
        seed: of the hash order that decides who goes where.
        block_strips: how many strips, one after the other in their names' order, make a block; 0 but for `blocks`.
        file: a CSV file with the columns strip (batch, recipe) and split in the set's folder of tables; empty but for
            `list`.
    """

    by: str
    validation_fraction: Fraction
    seed: int
    block_strips: int = 0
    file: str = ""

    def __post_init__(self) -> None:
        if self.by not in SPLITS_BY:
            raise OptionError("split.by", self.by, f"one of {', '.join(SPLITS_BY)}")
        if not 0 <= self.validation_fraction < 1:
            raise OptionError("split.validation_fraction", float(self.validation_fraction), "0 to less than 1")
        if self.by in ("none", "list") and self.validation_fraction:
            value = float(self.validation_fraction)
            raise OptionError("split.validation_fraction", value, f"0, since split.by is {self.by!r}")
        if (self.by == "blocks") != (self.block_strips > 0):
            raise OptionError("split.block_strips", self.block_strips, "1 or more where split.by is 'blocks', else 0")
        if (self.by == "list") != bool(self.file):
            raise OptionError("split.file", self.file, "a CSV file where split.by is 'list', else nothing")


@dataclass(frozen=True)
class DatasetOptions:
    """Everything that decides a dataset's bytes, apart from the frames and the tables beside them.

    Attributes:
        name: of the dataset: lower-case letters, digits and underscores.
        version: three numbers, `1.0.0`.
        extends: the earlier version whose shards and sides are kept; empty for none.
        template: how acquisitions and frame files are named.
        frames: the frame indices that every acquisition must have, ascending.
        images: the images that become patches, in order: frames among `frames`, and rank images over `rank_frames`.
        rank_over: the frames, among `frames`, that rank images are taken over, ascending; empty for all of `frames`.
        first_vial: the number of the first vial in file names, where frames come already cut by vial.
        layouts: the strip layouts.
        patch: size, fit and encoding of patches.
        pixels: what kinds of frame file are taken.
        intake: which acquisitions are taken.
        acquired_at: where times come from.
        sidecar: the JSON file beside the frames.
        align: alignment to a reference; None for none.
        labels: where labels come from; None for none.
        split: see `SplitOptions`.
        shard_patches: most patches in one shard, but at least one acquisition; bounds a worker's memory.
        max_quarantined: a build that quarantines more acquisitions fails.
    """

    name: str
    version: str
    extends: str
    template: PathTemplate
    frames: tuple[int, ...]
    images: tuple[Image, ...]
    rank_over: tuple[int, ...]
    first_vial: int
    layouts: StripLayouts
    patch: PatchOptions
    pixels: FrameOptions
    intake: IntakeOptions
    acquired_at: TimeOptions
    sidecar: SidecarOptions
    align: AlignOptions | None
    labels: LabelOptions | None
    split: SplitOptions
    shard_patches: int
    max_quarantined: int

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise OptionError("dataset.name", self.name, "lower-case letters, digits and underscores, a letter first")
        if not re.fullmatch(r"\d+\.\d+\.\d+", self.version):
            raise OptionError("dataset.version", self.version, "three numbers such as '1.0.0'")
        if self.extends and not _earlier(self.extends, self.version):
            raise OptionError("extends", self.extends, f"an earlier version than {self.version}, or nothing")
        if not self.frames or list(self.frames) != sorted(set(self.frames)) or self.frames[0] < 0:
            raise OptionError("frames", self.frames, "ascending frame indices from 0 up, each once, at least one")
        if not self.images or len(set(self.images)) != len(self.images):
            raise OptionError("images", [str(image) for image in self.images], "at least one image, each once")
        for image in self.images:
            if not image.rank and image.frame not in self.frames:
                raise OptionError("images.frames", image.frame, f"indices among frames {list(self.frames)}")
        if self.rank_over and not any(image.rank for image in self.images):
            raise OptionError("images.rank_over", list(self.rank_over), "nothing, since images.rank is empty")
        if list(self.rank_over) != [index for index in self.frames if index in self.rank_over]:
            raise OptionError(
                "images.rank_over", list(self.rank_over), f"ascending indices among frames {list(self.frames)}"
            )
        if self.shard_patches < 1:
            raise OptionError("shard_patches", self.shard_patches, "1 or more")
        if self.max_quarantined < 0:
            raise OptionError("max_quarantined", self.max_quarantined, "0 or more")
        self._check_fields()

    def _check_fields(self) -> None:
        """What needs a field of the path template has it, and what it has is needed."""
        fields = self.template.fields
        if "frame" not in fields and self.frames != (0,):
            raise OptionError("frames", list(self.frames), "[0], since path_template has no field {frame}")
        for key, wanted in (
            ("strip_layout.by", self.layouts.by),
            ("labels.field", self.labels.field if self.labels else ""),
            ("acquired_at.from", "time" if self.acquired_at.source == "name" else ""),
            ("reacquired", "time" if self.intake.reacquired == "latest" else ""),
        ):
            if wanted and wanted not in fields:
                raise OptionError("path_template", self.template.text, f"the field {{{wanted}}}, which {key} needs")
        if self.acquired_at.source == "sidecar" and "acquired_at" not in self.sidecar.keys:
            raise OptionError("sidecar.keys", dict(self.sidecar.keys), "acquired_at, which acquired_at.from needs")
        if self.intake.marker and not self.template.of_folders:
            raise OptionError("complete.marker", self.intake.marker, "nothing: acquisitions are files, not folders")
        if self.align and fields & {"vial", "region"}:
            raise OptionError("align", self.align.name, "null, since frames come already cut")
        if self.first_vial and "vial" not in fields:
            raise OptionError("first_vial", self.first_vial, "0, since path_template has no field {vial}")

    @property
    def patches_per_acquisition(self) -> int:
        """Images times boxes: 360 in the paper's production set, 60 in its kit."""
        return len(self.images) * self.layouts.vials * len(self.layouts.regions)

    @property
    def needed_frames(self) -> tuple[int, ...]:
        """Frames that must be read, ascending: those that become patches, and `rank_frames` for a rank image."""
        ranked = self.rank_frames if any(image.rank for image in self.images) else ()
        return tuple(sorted({*ranked, *(image.frame for image in self.images if not image.rank)}))

    @property
    def rank_frames(self) -> tuple[int, ...]:
        """Frames that rank images are taken over, ascending."""
        return self.rank_over or self.frames

    @property
    def views(self) -> tuple[tuple[int, str], ...]:
        """The vials and regions that an acquisition has files of: one (-1, '') where files show the whole strip."""
        vials = range(self.layouts.vials) if "vial" in self.template.fields else (-1,)
        regions = self.layouts.regions if "region" in self.template.fields else ("",)
        return tuple((vial, region) for vial in vials for region in regions)


def _earlier(extends: str, version: str) -> bool:
    """Whether a version is well-formed and before another, its numbers compared as numbers."""
    if not re.fullmatch(r"\d+\.\d+\.\d+", extends):
        return False
    one, other = ([int(number) for number in text.split(".")] for text in (extends, version))
    return one < other


def select_images(frames: Sequence[int], rank: Sequence[str]) -> tuple[Image, ...]:
    """The images that become patches: the given frames, then the given rank images (`min`, `max`)."""
    if any(name not in RANK_IMAGES for name in rank):
        raise OptionError("images.rank", list(rank), "any of 'min' and 'max'")
    return (*(Image.of_frame(index) for index in frames), *(Image.of_rank(name) for name in rank))
