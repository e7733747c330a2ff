"""What a frame file says of its taking: time, exposure, gain and camera, read within bounds and never trusted.

Names and numbers of tags: TIFF 6.0 and CIPA DC-008 (Exif). Nothing in here is inflated, nothing is followed twice, and
what cannot be read is left out: broken tags never cost a frame.
"""

import email.utils
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

_LONGEST = 100  # characters of a text
_MOST_ENTRIES = 1000
# Bytes of one value of each type: byte, text, short, long, rational, then signed and real ones.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_FORMS = {1: "B", 3: "H", 4: "I", 13: "I"}
_TEXT, _RATIONAL = 2, 5
_DATE_TIME, _EXIF = 306, 34665
_ORIENTATION = 274
_EXPOSURE, _ISO, _GAIN, _SERIAL = 33434, 34855, 41991, 42033
_ORIGINAL, _OFFSET, _FRACTION = 36867, 36881, 37521
_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}


@dataclass(frozen=True)
class CameraTags:
    """What a file says of its taking, as texts; empty where it says nothing.

    Attributes:
        taken: `YYYY:MM:DD HH:MM:SS[.ffffff][+HH:MM]`; without the last part the zone is not known.
        exposure: in seconds.
        gain: as the file says; `ISO 400` and `gain control 1` from Exif.
        serial: of the camera.
    """

    taken: str = ""
    exposure: str = ""
    gain: str = ""
    serial: str = ""


@dataclass(frozen=True)
class Directory:
    """One image file directory.

    Attributes:
        data: the file that it is in.
        order: `<` or `>`.
        entries: type, number of values and place of the first, per tag.
        next: offset of the directory after it, 0 for none.
    """

    data: bytes
    order: str
    entries: Mapping[int, tuple[int, int, int]]
    next: int

    def numbers(self, tag: int, most: int) -> tuple[int, ...]:
        """The whole numbers of a tag, none where it is absent.

        Raises:
            ValueError: not whole numbers, more than `most`, or beyond the file's end.
        """
        if tag not in self.entries:
            return ()
        kind, count, place = self.entries[tag]
        if kind not in _FORMS or not 1 <= count <= most:
            raise ValueError(f"tag {tag}: expected 1 to {most} whole numbers, got {count} of type {kind}")
        if place + count * _SIZES[kind] > len(self.data):
            raise ValueError(f"tag {tag}: expected its {count} values inside the file")
        return struct.unpack_from(f"{self.order}{count}{_FORMS[kind]}", self.data, place)

    def number(self, tag: int, default: int) -> int:
        """The one whole number of a tag; raises `ValueError` as `numbers` does."""
        return (self.numbers(tag, 1) or (default,))[0]

    def text(self, tag: int) -> str:
        """The text of a tag, empty where it is absent or no text."""
        kind, count, place = self.entries.get(tag, (0, 0, 0))
        return printable(self.data[place : place + min(count, 2 * _LONGEST)]) if kind == _TEXT else ""

    def seconds(self, tag: int) -> str:
        """A positive fraction as a decimal text, empty where it is absent or no fraction."""
        kind, count, place = self.entries.get(tag, (0, 0, 0))
        if kind != _RATIONAL or count != 1 or place + 8 > len(self.data):
            return ""
        above, below = struct.unpack_from(f"{self.order}II", self.data, place)
        return f"{above / below:.9g}" if below else ""


def read_directory(data: bytes, offset: int | None = None) -> Directory:
    """Reads a directory of a TIFF file or of Exif data, the first one where no offset is given.

    Raises:
        ValueError: not TIFF, or a directory that is cut, has too many entries, or names a tag twice.
    """
    order = _ORDERS.get(data[:4])
    if order is None:
        raise ValueError("expected the signature of TIFF")
    try:
        start = struct.unpack_from(f"{order}I", data, 4)[0] if offset is None else offset
        count = struct.unpack_from(f"{order}H", data, start)[0]
        if not 1 <= count <= _MOST_ENTRIES:
            raise ValueError(f"expected a directory of 1 to {_MOST_ENTRIES} tags, got {count}")
        entries = {}
        for place in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, values = struct.unpack_from(f"{order}HHI", data, place)
            if tag in entries:
                raise ValueError(f"tag {tag} is given twice")
            inside = values * _SIZES.get(kind, 0) <= 4
            entries[tag] = (kind, values, place + 8 if inside else struct.unpack_from(f"{order}I", data, place + 8)[0])
        end = start + 2 + 12 * count
        # Exif data may end with its last entry.
        following = struct.unpack_from(f"{order}I", data, end)[0] if end + 4 <= len(data) else 0
    except struct.error as error:
        raise ValueError("expected a directory inside the file") from error
    return Directory(data, order, entries, following)


def exif_tags(data: bytes) -> tuple[CameraTags, int]:
    """Tags and orientation from Exif data or a TIFF file; empty and 1 where they cannot be read."""
    try:
        main = read_directory(data)
    except ValueError:
        return CameraTags(), 1
    try:
        orientation = main.number(_ORIENTATION, 1)
    except ValueError:
        orientation = 1
    try:
        exif = read_directory(data, main.numbers(_EXIF, 1)[0])
    except (ValueError, IndexError):
        exif = Directory(data, main.order, {}, 0)
    return CameraTags(
        time_text(exif.text(_ORIGINAL), exif.text(_FRACTION), exif.text(_OFFSET)) or time_text(main.text(_DATE_TIME)),
        exif.seconds(_EXPOSURE) or main.seconds(_EXPOSURE),
        _gain(exif),
        exif.text(_SERIAL),
    ), orientation


def text_tags(texts: Mapping[str, str]) -> CameraTags:
    """Tags from a PNG file's texts by keyword in lower case."""
    return CameraTags(
        time_text(texts.get("creation time", "")),
        *(texts.get(key, "") for key in ("exposure", "gain", "serial")),
    )


def printable(raw: bytes) -> str:
    """Bytes as a text of at most 100 printable characters, cut at the first zero byte."""
    text = raw.partition(b"\0")[0].decode("latin-1").strip()
    return "".join(letter if letter.isprintable() else " " for letter in text[:_LONGEST]).strip()


def time_text(text: str, fraction: str = "", offset: str = "") -> str:
    """A time in the form of `CameraTags.taken`, empty where the text is no time.

    Args:
        text: as Exif, ISO 8601 or RFC 2822 write times.
        fraction: digits of a fraction of a second.
        offset: `+HH:MM`.
    """
    iso = re.sub(r"^(\d{4}):(\d\d):(\d\d)", r"\1-\2-\3", text)
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        try:
            when = email.utils.parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return ""
    if when.utcoffset() is None and re.fullmatch(r"[+-](0\d|1[0-4]):[0-5]\d", offset):
        when = when.replace(tzinfo=datetime.strptime(offset, "%z").tzinfo)
    if not when.microsecond and re.fullmatch(r"\d{1,9}", fraction):
        when = when.replace(microsecond=int(f"{fraction:0<6}"[:6]))
    # isoformat gives the fraction where there is one, and the zone where it is known.
    taken = when.isoformat(" ").replace("-", ":", 2)
    return taken if re.fullmatch(r"[\d:]{10} [\d:]{8}(\.\d+)?([+-]\d\d:\d\d)?", taken) else ""


def _gain(exif: Directory) -> str:
    for tag, word in ((_ISO, "ISO"), (_GAIN, "gain control")):
        try:
            values = exif.numbers(tag, 3)
        except ValueError:
            continue
        if values:
            return f"{word} {values[0]}"
    return ""
