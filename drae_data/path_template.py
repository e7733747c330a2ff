"""The path template: how the names below the root give keys, and which frame of which vial and region a file holds."""

import math
import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property

from drae_data.acquisition import AcquisitionKey
from drae_data.errors import AmbiguousNameError, KeyFormatError, OptionError

_FIELD = re.compile(r"\{([^{}]*)\}")
# Nine digits: a run or frame index fits the tables' 32 bits.
_NUMBERS = {"run": r"[0-9]{1,9}", "frame": r"[0-9]{1,9}", "vial": r"[0-9]{1,3}"}
_KEY_FIELDS = ("strip", "run", "batch", "recipe", "station", "label", "time")
_INNER_FIELDS = ("frame", "vial", "region")
_SKIPPED = "skip"
# What `.*` at the end of a template stands for, in any case of letters.
IMAGE_SUFFIXES = ("bmp", "jpeg", "jpg", "pgm", "png", "tif", "tiff")
ANY_IMAGE = ".*"
# A regular expression tries the ways to read a name one by one: made-up names could keep it busy for hours.
_SHORT_NAME, _MOST_READINGS = 40, 200_000


@dataclass(frozen=True, order=True, slots=True)
class AcquisitionName:
    """What the name of an acquisition says.

    Attributes:
        key: its key.
        label: the code in the field `{label}`; empty where the template has none.
        time: the text in the field `{time}`; empty where the template has none.
    """

    key: AcquisitionKey
    label: str
    time: str


@dataclass(frozen=True, order=True, slots=True)
class FramePlace:
    """What a frame file holds, as its name says.

    Attributes:
        vial: the number in the name; -1 where the template has no `{vial}` and the file shows all vials.
        region: empty where the template has no `{region}` and the file shows all regions.
        frame: the frame index; 0 where the template has no `{frame}`.
    """

    vial: int
    region: str
    frame: int


@dataclass(frozen=True)
class PathTemplate:
    """How acquisitions and frame files are named below the root.

    `{strip}/run_{run}/frame_{frame}.png`: fields stand in braces, everything else is literal. Fields of the
    acquisition: strip, and where there are any run, batch, recipe, station, label, time. Fields of a file in it:
    frame, and vial and region where frames come already cut. `{skip}` is text that says nothing, such as a time of its
    own on every frame. Where the fields of the acquisition stand in folder names
    alone, an acquisition is a folder; otherwise it is the files whose names give the same key. The suffix is compared
    without case; `.*` stands for any image suffix.

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
        names = _FIELD.findall(self.text)
        allowed = (*_KEY_FIELDS, *_INNER_FIELDS, _SKIPPED)
        unknown = sorted(set(names) - set(allowed))
        if unknown:
            return f"only the fields {', '.join(f'{{{name}}}' for name in allowed)}, not {unknown}"
        if len(names) != len(set(names)):
            return "each field once"
        if any(part in ("", ".", "..") for part in parts):
            return "a path below the root, such as '{strip}/run_{run}/frame_{frame}.png'"
        if re.search(r"[{}]", _FIELD.sub("", self.text)):
            return "braces around names of fields alone"
        if "strip" not in names:
            return "the field {strip}"
        numbers = "|".join(_NUMBERS)
        if re.search(rf"\{{({numbers})\}}\{{({numbers})\}}", self.text):
            return "something between two numbers"
        return ""

    @cached_property
    def fields(self) -> frozenset[str]:
        """The names of the fields."""
        return frozenset(_FIELD.findall(self.text))

    @cached_property
    def _folder_parts(self) -> int:
        """How many leading parts name the acquisition folder; -1 where acquisitions are told apart by file names."""
        parts = self.text.split("/")
        inner = [position for position, part in enumerate(parts) if set(_FIELD.findall(part)) & set(_INNER_FIELDS)]
        first = min([*inner, len(parts) - 1])
        below = set(_FIELD.findall("/".join(parts[first:])))
        return -1 if below & set(_KEY_FIELDS) else first

    @property
    def of_folders(self) -> bool:
        """Whether an acquisition is a folder; otherwise it is files whose names give the same key."""
        return self._folder_parts >= 0

    @property
    def depth(self) -> int:
        """Folder levels between the root and an acquisition folder, or a file where acquisitions are files."""
        return self._folder_parts if self.of_folders else self.text.count("/")

    @property
    def depth_inside(self) -> int:
        """How many folder levels lie between an acquisition folder and its frame files."""
        return self.text.count("/") - self.depth

    @property
    def folder_text(self) -> str:
        """The part of the template that names acquisitions, for messages."""
        return "/".join(self.text.split("/")[: self.depth]) if self.of_folders else self.text

    @property
    def file_text(self) -> str:
        """The part of the template that names frame files inside an acquisition, for messages."""
        return "/".join(self.text.split("/")[self.depth :])

    def match_acquisition(self, path: str) -> AcquisitionName:
        """What an acquisition folder's path says, or a frame file's path where acquisitions are not folders.

        Args:
            path: relative to the root.

        Raises:
            KeyFormatError: the template does not fit, or fits in more than one way.
        """
        return _name(self._acquisition.match(path))

    def match_frame(self, path: str) -> FramePlace | None:
        """What a frame file holds, or None where the template does not fit.

        Args:
            path: relative to the acquisition folder, or to the root where acquisitions are not folders.

        Raises:
            AmbiguousNameError: the template fits in more than one way.
        """
        try:
            values = self._file.match(path)
        except AmbiguousNameError:
            raise
        except KeyFormatError:
            return None
        return FramePlace(int(values.get("vial", -1)), values.get("region", ""), int(values.get("frame", 0)))

    @cached_property
    def _acquisition(self) -> "_Pattern":
        return _Pattern(self.folder_text, suffixed=not self.of_folders)

    @cached_property
    def _file(self) -> "_Pattern":
        return _Pattern(self.file_text if self.of_folders else self.text, suffixed=True)


class _Pattern:
    """A part of a template as regular expressions."""

    def __init__(self, text: str, suffixed: bool) -> None:
        # Two ways of writing one letter are one name: composed (NFC) everywhere.
        self._text = text = unicodedata.normalize("NFC", text)
        lazy, greedy = (_expression(text, quantifier, suffixed) for quantifier in ("+?", "+"))
        self._lazy = re.compile(lazy)
        # Two fields in one part may share out its characters in more than one way; the shortest and the longest first
        # field agree where there is only one.
        several = any(len(_FIELD.findall(part)) > 1 for part in text.split("/"))
        self._greedy = re.compile(greedy) if several else None
        self._gaps = [_FIELD.split(part)[2:-1:2] for part in text.split("/")] if several else []

    def match(self, path: str) -> dict[str, str]:
        """The values of the fields; raises `KeyFormatError`."""
        if not path.isprintable():
            raise KeyFormatError(f"expected a name of printable characters, got {path!r}")
        path = path if path.isascii() else unicodedata.normalize("NFC", path)
        if len(path) > _SHORT_NAME and self._readings(path) > _MOST_READINGS:
            raise AmbiguousNameError(f"{path!r} could be read as {self._text!r} (path_template) in too many ways")
        found = self._lazy.fullmatch(path)
        if found is None:
            raise KeyFormatError(f"expected {self._text!r} (path_template), got {path!r}")
        values = found.groupdict()
        other = self._greedy.fullmatch(path) if self._greedy else None
        if other is not None and other.groupdict() != values:
            raise AmbiguousNameError(
                f"{path!r} fits {self._text!r} (path_template) in more than one way: {values} and {other.groupdict()}"
            )
        if any(value in (".", "..") for value in values.values()):
            raise KeyFormatError(f"expected names other than '.' and '..', got {path!r}")
        return values

    def _readings(self, path: str) -> int:
        """How many ways there are at most to lay the literals between fields into a path: for each part its own."""
        return math.prod(
            math.comb(max(part.count(gap) if gap else len(part) for gap in gaps), len(gaps))
            for gaps, part in zip(self._gaps, path.split("/"), strict=False)
            if gaps
        )


def _expression(text: str, quantifier: str, suffixed: bool) -> str:
    """A regular expression for a part of the template; its literals are escaped, its suffix is taken in any case."""
    tail = ""
    if suffixed and (suffix := re.search(r"\.[^./{}]+$", text)) is not None:
        text = text[: suffix.start()]
        ending = suffix[0]
        tail = rf"\.(?i:{'|'.join(IMAGE_SUFFIXES)})" if ending == ANY_IMAGE else f"(?i:{re.escape(ending)})"
    pieces = _FIELD.split(text)
    lazy = quantifier.removeprefix("+")
    values = {name: f"{number}{lazy}" for name, number in _NUMBERS.items()}
    return "".join(
        f"(?P<{piece}>{values.get(piece, f'[^/]{quantifier}')})" if position % 2 else re.escape(piece)
        for position, piece in enumerate(pieces)
    ) + tail  # fmt: skip


def _name(text: dict[str, str]) -> AcquisitionName:
    key = AcquisitionKey(
        text["strip"], int(text.get("run", 0)), text.get("batch", ""), text.get("recipe", ""), text.get("station", "")
    )
    return AcquisitionName(key, text.get("label", ""), text.get("time", ""))
