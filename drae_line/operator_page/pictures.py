"""The pictures of a rejected strip, checked before a browser gets them: the index, and the files that it names."""

import json
import os
import re
from pathlib import Path
from typing import Any

from drae_line.operator_page.figures import Brief
from drae_line.operator_page.ratios import finite, ratio
from drae_line.pictures_index import INDEX, pictures_folder

_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}\.png")
_LONGEST_INDEX, _LONGEST_PICTURE = 1 << 22, 1 << 26


class PicturesError(Exception):
    """There are no pictures to show: the message says why."""


def read_index(line_folder: Path, brief: Brief) -> list[dict[str, Any]] | None:
    """The pictures of a verdict, as the page takes them.

    Returns:
        None where they are not written yet; those of another verdict, which an earlier log left, are none.

    Raises:
        PicturesError: they are damaged.
    """
    place = pictures_folder(line_folder, brief.sequence) / INDEX
    try:
        content = _read_plain(place, _LONGEST_INDEX)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PicturesError(f"The pictures cannot be read: {error.strerror or error}.") from error
    try:
        values = json.loads(content)
        if (values["sequence"], values["acquisition"]) != (brief.sequence, brief.acquisition):
            return None
        return [_picture(value) for value in values["pictures"]]
    except (ValueError, OverflowError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise PicturesError(f"The pictures' index is damaged: {error!r}.") from error


def read_picture(line_folder: Path, brief: Brief, name: str) -> bytes | None:
    """A picture that the index of a verdict names; None for any other name; raises `PicturesError`."""
    files = {
        file
        for picture in read_index(line_folder, brief) or []
        for file in (picture["file"], *(heatmap["file"] for heatmap in picture["heatmaps"]))
    }
    if name not in files:
        return None
    try:
        return _read_plain(pictures_folder(line_folder, brief.sequence) / name, _LONGEST_PICTURE)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PicturesError(f"The picture cannot be read: {error.strerror or error}.") from error


def _read_plain(place: Path, longest: int) -> bytes:
    """Content of a file that is no link."""
    descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        content = stream.read(longest + 1)
        if len(content) > longest:
            raise OSError(f"longer than {longest:,} bytes")
        return content


def _picture(value: dict[str, Any]) -> dict[str, Any]:
    width, height = (_whole(side, 1) for side in value["size"])
    return {
        "vial": _whole(value["vial"], 0), "image": str(value["image"]), "file": _plain(value["file"]),
        "size": [width, height], "heatmaps": [_heatmap(one) for one in value["heatmaps"]],
    }  # fmt: skip


def _heatmap(value: dict[str, Any]) -> dict[str, Any]:
    left, top, width, height = (_whole(side, 0) for side in value["box"])
    score, threshold = float(value["score"]), float(value["threshold"])
    return {
        "region": str(value["region"]), "file": _plain(value["file"]), "box": [left, top, width, height],
        "score": finite(score), "ratio": finite(ratio(score, threshold)),
    }  # fmt: skip


def _plain(name: object) -> str:
    if not (isinstance(name, str) and _PLAIN_NAME.fullmatch(name)):
        raise ValueError(f"expected a plain name of a PNG file, got {name!r}")
    return name


def _whole(value: object, least: int) -> int:
    if type(value) is not int or value < least:
        raise ValueError(f"expected a whole number, {least} or more, got {value!r}")
    return value
