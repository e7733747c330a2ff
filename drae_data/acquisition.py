"""Keys of acquisitions, images and patches, and the path template that finds them in folder names."""

import re
from dataclasses import dataclass
from typing import Self

from drae_data.errors import KeyFormatError, OptionError

RANK_IMAGES = ("min", "max")


@dataclass(frozen=True, order=True)
class AcquisitionKey:
    """One strip in one run. Text form: `S0001/r3`.

    Attributes:
        strip: the strip's name as the path template found it; never holds a slash.
        run: 0 to 9 in the paper; 0 where the line does not count runs.
    """

    strip: str
    run: int

    def __str__(self) -> str:
        return f"{self.strip}/r{self.run}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads the text form back; raises `KeyFormatError`."""
        match = re.fullmatch(r"([^/]+)/r([0-9]{1,9})", text)
        if match is None:
            raise KeyFormatError(f"acquisition key: expected 'STRIP/rRUN' such as 'S0001/r3', got {text!r}")
        return cls(match[1], int(match[2]))


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
        match = re.fullmatch(r"f(\d{2,})", text)
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
        if len(parts) != 4 or not re.fullmatch(r"v\d+", parts[2]) or not parts[3]:
            raise KeyFormatError(
                "patch key: expected 'STRIP/rRUN/IMAGE/vVIAL/REGION' such as 'S0001/r3/f07/v2/R1' "
                f"(IMAGE is f00, f01, ... min or max), got {text!r}"
            )
        return cls(AcquisitionKey.parse(parts[0]), Image.parse(parts[1]), int(parts[2][1:]), parts[3])


_FIELD = re.compile(r"\{([^{}]*)\}")
# Nine digits: a run or frame index fits the tables' 32 bits.
_PATTERNS = {"strip": r"[^/]+?", "run": r"[0-9]{1,9}", "frame": r"[0-9]{1,9}"}


@dataclass(frozen=True)
class PathTemplate:
    """How acquisition folders and frame files are named below the root.

    `{strip}/run_{run}/frame_{frame}.png`: the last part names a frame file and holds `{frame}`; the parts before it
    name the acquisition folder and hold `{strip}` and, where the line counts runs, `{run}`. Everything else is literal.

    Attributes:
        text: the template.
    """

    text: str

    def __post_init__(self) -> None:
        problem = self._problem()
        if problem:
            raise OptionError("path_template", self.text, problem)

    def _problem(self) -> str:
        parts = self.text.split("/")
        fields = _FIELD.findall(self.text)
        unknown = sorted(set(fields) - set(_PATTERNS))
        if unknown:
            return f"only the fields {{strip}}, {{run}} and {{frame}}, not {unknown}"
        if len(fields) != len(set(fields)):
            return "each field once"
        if len(parts) < 2 or any(part in ("", ".", "..") for part in parts):
            return "at least one folder and a file name, such as '{strip}/run_{run}/frame_{frame}.png', relative"
        if "{frame}" not in parts[-1] or "{frame}" in "/".join(parts[:-1]):
            return "{frame} in the file name, the last part, and nowhere else"
        if "{strip}" not in "/".join(parts[:-1]) or "{run}" in parts[-1]:
            return "{strip}, and {run} where there is one, in the folder parts"
        return ""

    @property
    def depth(self) -> int:
        """How many folders lie between the root and a frame file."""
        return self.text.count("/")

    def match_folder(self, folder: str) -> AcquisitionKey | None:
        """The key of the acquisition in `folder` (relative to the root), or None where the template does not fit."""
        match = re.fullmatch(_pattern(self.text.rsplit("/", 1)[0]), folder)
        if match is None:
            return None
        return AcquisitionKey(match["strip"], int(match.groupdict().get("run") or 0))

    def match_frame(self, name: str) -> int | None:
        """The frame index in a file's `name`, or None where the template does not fit."""
        match = re.fullmatch(_pattern(self.text.rsplit("/", 1)[1]), name)
        return None if match is None else int(match["frame"])


def _pattern(template: str) -> str:
    """A regular expression for a part of the template; its literals are escaped."""
    pieces = _FIELD.split(template)
    return "".join(
        f"(?P<{piece}>{_PATTERNS[piece]})" if position % 2 else re.escape(piece)
        for position, piece in enumerate(pieces)
    )
