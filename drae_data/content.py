"""What decides the bytes of patches, as plain JSON values: for fingerprints, digests and provenance, and back."""

import importlib.metadata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from drae_data.acquisition import Image
from drae_data.encodings import CODECS
from drae_data.errors import DatasetError
from drae_data.files import sha256_hex
from drae_data.frames.options import FrameOptions
from drae_data.options import DatasetOptions
from drae_data.patches import PatchOptions
from drae_data.strip_layout import StripLayout
from drae_data.strip_layouts import StripLayouts

# The layout of records, shards and tables. A change makes every shard new: a breaking change in CHANGELOG.
FORMAT_VERSION = 3
# Which rules of time zones made times UTC.
ZONES = importlib.metadata.version("tzdata")


def content(options: DatasetOptions) -> dict[str, Any]:
    """What decides the bytes of a shard and of its acquisitions' rows, apart from the frames."""
    return {
        "format_version": FORMAT_VERSION,
        "encoding": options.patch.encoding,
        "codec": CODECS[options.patch.encoding],
        "path_template": options.template.text,
        "frames": list(options.frames),
        "images": [str(image) for image in options.images],
        # Absent for all frames: versions from before there was a choice keep their digests.
        **({"rank_over": list(options.rank_over)} if options.rank_over else {}),
        "first_vial": options.first_vial,
        "strip_layout": {
            "by": options.layouts.by,
            "layouts": [[name, _layout_values(layout)] for name, layout in options.layouts.layouts.items()],
        },
        "patch": {
            "size": options.patch.size, "fit": options.patch.fit, "grow": options.patch.grow,
            "fill": options.patch.fill,
        },
        "pixels": {**asdict(options.pixels), "convert": list(options.pixels.convert)},
        "links": options.intake.links,
        "acquired_at": {**asdict(options.acquired_at), "zones": ZONES if options.acquired_at.source else ""},
        "sidecar": {"file": options.sidecar.file, "keys": dict(options.sidecar.keys)},
        "align": None if options.align is None else {
            "reference": options.align.name, "reference_sha256": sha256_hex(options.align.reference),
            "max_shift": options.align.max_shift,
        },
        "seed": options.split.seed,
    }  # fmt: skip


def _layout_values(layout: StripLayout) -> dict[str, Any]:
    return {
        "units": layout.units,
        "frame_size": None if layout.frame_size is None else list(layout.frame_size),
        "boxes": [[region, [list(box) for box in row]] for region, row in layout.boxes.items()],
    }


def parameters(options: DatasetOptions) -> dict[str, Any]:
    """All parameters of a build as `provenance.json` states them: the content, and what decides which and where."""
    labels, split, intake = options.labels, options.split, options.intake
    return {
        **content(options),
        "extends": options.extends,
        "reacquired": intake.reacquired,
        "complete": {"marker": intake.marker, "settle_seconds": intake.settle_seconds},
        "labels": None if labels is None else {
            "table": labels.table, "columns": dict(labels.columns), "vial_columns": list(labels.vial_columns),
            "field": labels.field, "codes": dict(labels.codes), "select": list(labels.select),
        },
        "split": {
            "by": split.by, "validation_fraction": str(split.validation_fraction), "block_strips": split.block_strips,
            "file": split.file,
        },
        "shard_patches": options.shard_patches,
        "max_quarantined": options.max_quarantined,
        "patches_per_acquisition": options.patches_per_acquisition,
    }  # fmt: skip


@dataclass(frozen=True)
class PublishedContent:
    """What of a published version's parameters leads a patch back to its frames.

    Attributes:
        name: of the dataset.
        version: of the dataset.
        digest: of the dataset.
        code_version: that built it.
        frames: see `DatasetOptions`.
        images: see `DatasetOptions`.
        rank_frames: see `DatasetOptions`.
        layouts: see `DatasetOptions`; boxes that share pixels are taken as allowed.
        patch: see `DatasetOptions`.
        pixels: see `DatasetOptions`.
    """

    name: str
    version: str
    digest: str
    code_version: str
    frames: tuple[int, ...]
    images: tuple[Image, ...]
    rank_frames: tuple[int, ...]
    layouts: StripLayouts
    patch: PatchOptions
    pixels: FrameOptions


def published_content(provenance: Mapping[str, Any]) -> PublishedContent:
    """Reads `provenance.json` back.

    Raises:
        DatasetError: an entry is absent or of another format.
    """
    try:
        values = provenance["parameters"]
        if values["format_version"] != FORMAT_VERSION:
            raise DatasetError(
                f"provenance.json: expected format_version {FORMAT_VERSION}, got {values['format_version']!r}; "
                "read this dataset with the code version that built it"
            )
        layouts = values["strip_layout"]
        return PublishedContent(
            name=provenance["dataset"],
            version=provenance["version"],
            digest=str(provenance["digest"]),
            code_version=str(provenance["code_version"]),
            frames=tuple(values["frames"]),
            images=tuple(Image.parse(image) for image in values["images"]),
            rank_frames=tuple(values.get("rank_over", values["frames"])),
            layouts=StripLayouts(layouts["by"], {name: _layout(layout) for name, layout in layouts["layouts"]}),
            patch=PatchOptions(**values["patch"], encoding=values["encoding"]),
            pixels=FrameOptions(**{**values["pixels"], "convert": tuple(values["pixels"]["convert"])}),
        )
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise DatasetError(f"provenance.json: expected the parameters of a build: {error!r}") from error


def _layout(values: Mapping[str, Any]) -> StripLayout:
    size = values["frame_size"]
    boxes = {region: tuple((box[0], box[1], box[2], box[3]) for box in row) for region, row in values["boxes"]}
    return StripLayout(values["units"], None if size is None else (size[0], size[1]), boxes, allow_overlap=True)
