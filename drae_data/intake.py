"""What of a plant's folders is taken in: options of listing, of times and tags, of alignment. Checked at birth."""

import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from drae_data.errors import OptionError

REACQUIRED = ("refuse", "latest")
LINKS = ("inside", "anywhere")
TIMES_FROM = ("", "name", "tag", "sidecar")
SIDECAR_VALUES = ("acquired_at", "exposure", "gain", "serial")
# The zones of the package tzdata, the same on every machine, and not those of the system.
zoneinfo.reset_tzpath(())
# What `drae_data.frames.tags` gives of EXIF 2.32 (DateTimeOriginal) and of the tags of other formats.
TAG_FORMAT = "%Y:%m:%d %H:%M:%S"


@dataclass(frozen=True)
class IntakeOptions:
    """Which acquisitions are taken.

    Attributes:
        reacquired: where a strip was acquired twice in one run: `refuse` both, or take the `latest` by the path
            template's field `{time}`.
        marker: a file that a complete acquisition folder holds; empty where the line writes none.
        settle_seconds: an acquisition in which something changed less than so long ago is left out; 0 to take all.
        links: whether links may lead out of the root (`anywhere`) or such an acquisition is refused (`inside`).
    """

    reacquired: str
    marker: str
    settle_seconds: int
    links: str

    def __post_init__(self) -> None:
        if self.reacquired not in REACQUIRED:
            raise OptionError("reacquired", self.reacquired, f"one of {', '.join(REACQUIRED)}")
        if "/" in self.marker or self.marker in (".", ".."):
            raise OptionError("complete.marker", self.marker, "the name of a file in the acquisition folder")
        if self.settle_seconds < 0:
            raise OptionError("complete.settle_seconds", self.settle_seconds, "0 or more seconds")
        if self.links not in LINKS:
            raise OptionError("links", self.links, f"one of {', '.join(LINKS)}")


@dataclass(frozen=True)
class TimeOptions:
    """Where an acquisition's time comes from; stored in UTC.

    Attributes:
        source: the field `{time}` of the `name`, a `tag` of the first frame, the `sidecar`; empty for no time.
        format: of the text, as `datetime.strptime` takes it; for a tag its own form.
        zone: IANA name of the zone of texts that state none, such as `Europe/Rome`.
    """

    source: str
    format: str
    zone: str

    def __post_init__(self) -> None:
        if self.source not in TIMES_FROM:
            raise OptionError("acquired_at.from", self.source, "'name', 'tag' or 'sidecar'")
        if not self.source:
            return
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise OptionError("acquired_at.zone", self.zone, "the IANA name of a zone, such as Europe/Rome") from error
        if self.source != "tag" and not _reads_back(self.format):
            raise OptionError("acquired_at.format", self.format, "a form such as '%Y%m%d_%H%M%S'")


@dataclass(frozen=True)
class SidecarOptions:
    """A JSON file beside the frames that says when and how they were taken.

    Attributes:
        file: its name in the acquisition folder; where acquisitions are files, `{stem}` stands for the frame's name
            without suffix. Empty for none.
        keys: what is taken (acquired_at, exposure, gain, serial) to the place of its value, `camera.exposure`.
    """

    file: str
    keys: Mapping[str, str]

    def __post_init__(self) -> None:
        if "/" in self.file or re.search(r"[{}]", self.file.replace("{stem}", "")) or self.file in (".", ".."):
            raise OptionError("sidecar.file", self.file, "a file name beside the frames, such as 'info.json'")
        if unknown := sorted(set(self.keys) - set(SIDECAR_VALUES)):
            raise OptionError("sidecar.keys", unknown, f"names among {', '.join(SIDECAR_VALUES)}")


@dataclass(frozen=True)
class AlignOptions:
    """Alignment of each strip to a reference by whole pixels.

    Attributes:
        reference: the content of an image file, a frame in which the strip lies as the strip layout has it.
        name: of that file.
        max_shift: in pixels, in either direction; an acquisition further off is refused.
    """

    reference: bytes
    name: str
    max_shift: int

    def __post_init__(self) -> None:
        if self.max_shift < 1:
            raise OptionError("align.max_shift", self.max_shift, "1 or more pixels")


def utc_time(text: str, options: TimeOptions) -> str:
    """A time in UTC, ISO 8601 with microseconds; empty where the text is none or its local time came twice or never.

    Args:
        text: of the name, the tag or the sidecar.
        options: its form and the zone where it states none.
    """
    time = _parsed(text.strip(), options)
    if time is None:
        return ""
    try:
        if time.tzinfo is not None:
            return _text(time)
        zone = ZoneInfo(options.zone)
        # When clocks go back an hour comes twice, when they go forward one never comes: no guess (PEP 495).
        early, late = (_text(time.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    except OverflowError:  # The first or last day that Python has, of a clock that was never set.
        return ""
    return early if early == late else ""


def _text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def _reads_back(form: str) -> bool:
    """Whether `strptime` takes a form, and finds in it a time that `strftime` wrote."""
    time = datetime(2001, 2, 3, 4, 5, 6, 7, tzinfo=UTC)
    try:
        return datetime.strptime(time.strftime(form), form).year == time.year
    except (ValueError, re.error):
        return False


def _parsed(text: str, options: TimeOptions) -> datetime | None:
    forms = [options.format]
    if options.source == "tag":
        forms = [TAG_FORMAT + fraction + zone for fraction in ("", ".%f") for zone in ("", "%z")]
    for form in forms:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    return None
