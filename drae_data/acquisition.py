"""Keys of acquisitions, images and patches. Each has one text form, which parses back."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from drae_data.errors import KeyFormatError, OptionError

RANK_IMAGES = ("min", "max")
# Parts of a key that not every line has, in the order of the text form.
OPTIONAL_PARTS = ("batch", "recipe", "station")


class AcquisitionKey(NamedTuple):
    """One strip in one run, and where the line says so, its batch, recipe and station.

    A tuple, since a plan compares and hashes a million of them.

    Text form: `S0001/r3`, with the further parts before it where they are not empty: `batch=B7/station=2/S0001/r3`.

    Attributes:
        strip: the strip's name as the path template found it; never holds a slash. It may come back in another batch.
        run: 0 to 9 in the paper; 0 where the line does not count runs.
        batch: empty where the path template has none.
        recipe: empty where the path template has none.
        station: the camera station; empty where the path template has none.
    """

    strip: str
    run: int
    batch: str = ""
    recipe: str = ""
    station: str = ""

    def __str__(self) -> str:
        return f"{self._prefix(OPTIONAL_PARTS)}{self.strip}/r{self.run}"

    @property
    def strip_id(self) -> str:
        """Names the physical strip: strip, batch and recipe, whatever the run and the station that saw it."""
        return f"{self._prefix(('batch', 'recipe'))}{self.strip}"

    def _prefix(self, names: tuple[str, ...]) -> str:
        if not (self.batch or self.recipe or self.station):
            return ""
        return "".join(f"{name}={value}/" for name in names if (value := getattr(self, name)))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads the text form back; raises `KeyFormatError`."""
        *prefix, strip, run = text.split("/") if text.count("/") else (text, "")
        parts = dict(part.partition("=")[::2] for part in prefix)
        wanted = [name for name in OPTIONAL_PARTS if parts.get(name)]
        if not strip or not re.fullmatch(r"r[0-9]{1,9}", run) or list(parts) != wanted or len(parts) != len(prefix):
            raise KeyFormatError(
                "acquisition key: expected 'STRIP/rRUN' such as 'S0001/r3', before it "
                f"'batch=B/', 'recipe=R/', 'station=S/' where the line has them, got {text!r}"
            )
        return cls(strip, int(run[1:]), **parts)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """The key in the columns of a table's row."""
        return cls(*(row[field] for field in KEY_COLUMNS))

    def columns(self) -> dict[str, Any]:
        """The key as columns of a table's row."""
        return self._asdict()


# Columns of every table that names acquisitions.
KEY_COLUMNS = AcquisitionKey._fields


@dataclass(frozen=True, order=True)
class Image:
    """One image of an acquisition: a frame, or one of the two rank images. Text forms: `f07`, `min`, `max`.

    Attributes:
        rank: empty for a frame, otherwise a member of `RANK_IMAGES`. Frames sort before rank images.
        frame: the frame index (0 to 15 in the paper), -1 for a rank image.
    """

    rank: str
    frame: int

    def __str__(self) -> str:
        return self.rank or f"f{self.frame:02d}"

    @classmethod
    def of_frame(cls, index: int) -> Self:
        """The image that is frame `index` itself."""
        return cls("", index)

    @classmethod
    def of_rank(cls, rank: str) -> Self:
        """The rank image `min` or `max`."""
        if rank not in RANK_IMAGES:
            raise OptionError("images.rank", rank, "'min' or 'max'")
        return cls(rank, -1)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads the text form back; raises `KeyFormatError`."""
        if text in RANK_IMAGES:
            return cls.of_rank(text)
        match = re.fullmatch(r"f([0-9]{2,9})", text)
        if match is None:
            raise KeyFormatError(f"image: expected 'f00', 'f01', ... 'min' or 'max', got {text!r}")
        return cls.of_frame(int(match[1]))


@dataclass(frozen=True, order=True)
class PatchKey:
    """One patch: acquisition, image, vial, region. Text form: `S0001/r3/f07/v2/R1`."""

    acquisition: AcquisitionKey
    image: Image
    vial: int
    region: str

    def __str__(self) -> str:
        return f"{self.acquisition}/{self.image}/v{self.vial}/{self.region}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads the text form back; raises `KeyFormatError`."""
        parts = text.rsplit("/", 3)
        if len(parts) != 4 or not re.fullmatch(r"v[0-9]{1,9}", parts[2]) or not parts[3]:
            raise KeyFormatError(
                "patch key: expected 'STRIP/rRUN/IMAGE/vVIAL/REGION' such as 'S0001/r3/f07/v2/R1' "
                f"(IMAGE is f00, f01, ... min or max), got {text!r}"
            )
        return cls(AcquisitionKey.parse(parts[0]), Image.parse(parts[1]), int(parts[2][1:]), parts[3])
