"""Damage: bytes, texts and JSON values changed at random, small changes more often than large ones."""

import copy
import json
import random
import struct
import zlib
from typing import Any

# What readers stumble over: ends of ranges, other types, other places, control characters, halves of characters.
HOSTILE_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 2**31, 2**63, 2**64, 10**30, 1e308, float("nan"), float("-inf"), "", " ", "0", "-1",
    "f" + "1" * 5000, "../../x", "/dev/zero", "a/b", "\0", "\x1b[2J", "\n", "\ud800", "\u202e", "x" * 10_000, [], {},
    [[]], {"": None}, ["a", "b"], [0, 0, 0, 0],
)  # fmt: skip
HOSTILE_TEXTS = (
    "", "null", "~", "-1", "0", "1e999", ".nan", ".inf", "99999999999999999999", "'" + "9" * 5000 + "'", "[]", "{}",
    "[[[[", "}", "*a", "&a [*a]", "!!python/object/apply:os.abort []", "!!binary x", "!!timestamp 2020-13-45",
    "!!bool x", "!!set {a}", "? [a]", "<<: {a: b}", "|\n x", "\t", "%TAG ! x", "2020-02-30", "0x", "1:2:3",
    "'\x1b[2J'", "../../x", "'{strip}{strip}'", "'{strip'", '"\\ud800"', "'\u2028'", "yes", "1_0", "0o9", "---",
    "...", "# x",
)  # fmt: skip

_DEEP = "a place for many brackets"


def damaged(draw: random.Random, data: bytes, ends: int = 200) -> bytes:
    """Bytes with one to sixteen changes, more of them within the first bytes.

    Args:
        draw: where chance comes from.
        data: not empty.
        ends: so many bytes at the start are hit more often; negative for the end.
    """
    content = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 4, 16))):
        reach = min(len(content), draw.choice((abs(ends), len(content))))
        place = draw.randrange(reach) if ends >= 0 else len(content) - 1 - draw.randrange(reach)
        match draw.randrange(5):
            case 0:
                content[place] ^= 1 << draw.randrange(8)
            case 1:
                content[place] = draw.choice((0, 1, 2, 3, 4, 8, 16, 127, 128, 255))
            case 2:
                content[place : place + 4] = draw.choice((b"\0" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff"))
            case 3:
                del content[place : place + draw.choice((1, 4, 64, 10_000))]
            case 4:
                content[place:place] = content[place : place + 64]
        content = content or bytearray(b"x")
    return bytes(content)


def with_png_checksums(data: bytes) -> bytes:
    """A damaged PNG file whose chunks have right checksums again: what is wrong is found behind that door."""
    content, place = bytearray(data), 8
    while place + 12 <= len(content):
        end = place + 8 + int.from_bytes(content[place : place + 4])
        if end + 4 > len(content):
            break
        content[end : end + 4] = struct.pack(">I", zlib.crc32(content[place + 4 : end]))
        place = end + 4
    return bytes(content)


def damaged_lines(draw: random.Random, text: str) -> str:
    """A text of lines `key: value` with one to four lines changed."""
    lines = text.splitlines()
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        place = draw.randrange(len(lines))
        line, hostile = lines[place], draw.choice(HOSTILE_TEXTS)
        match draw.randrange(6):
            case 0 | 1:
                lines[place] = line.partition(":")[0] + ": " + hostile
            case 2:
                lines.insert(place, draw.choice((line, hostile, draw.choice(lines))))
            case 3:
                del lines[place]
            case 4:
                lines[place] = " " * draw.randrange(4) + line.strip()
            case 5:
                letters = list(line or "x")
                letters[draw.randrange(len(letters))] = draw.choice((*"{}[]:,&*!|>'\"%@`#-? \t\0\x85", "\ufeff", "é"))
                lines[place] = "".join(letters)
        lines = lines or [""]
    return "\n".join(lines) + "\n"


def damaged_values(draw: random.Random, values: Any) -> Any:
    """JSON values with one to three of them exchanged, dropped, doubled or renamed, at any depth."""
    values = copy.deepcopy(values)
    for _ in range(draw.choice((1, 1, 2, 3))):
        holder = _holder(draw, values)
        if holder is None:
            return copy.deepcopy(draw.choice(HOSTILE_VALUES))
        key = draw.choice(sorted(holder) if isinstance(holder, dict) else range(len(holder)))
        match draw.randrange(5):
            case 0 | 1:
                holder[key] = copy.deepcopy(draw.choice(HOSTILE_VALUES))
            case 2:
                holder[key] = draw.choice(([holder[key]], {"": holder[key]}, _DEEP))
            case 3:
                del holder[key]
            case 4 if isinstance(holder, dict):
                holder[str(draw.choice(HOSTILE_VALUES))] = holder.pop(key)
            case 4:
                holder.insert(key, copy.deepcopy(holder[draw.randrange(len(holder))]))
    return values


def _holder(draw: random.Random, values: Any) -> Any:
    """An object or list in the values that is not empty, near the root as likely as deep; None where there is none."""
    found = None
    while isinstance(values, dict | list) and values:
        found = values
        values = draw.choice(list(values.values()) if isinstance(values, dict) else values)
        if draw.random() < 0.2:
            break
    return found


def json_bytes(draw: random.Random, values: Any) -> bytes:
    """Values as JSON; in the place of `_DEEP` brackets in brackets, about as deep as Python goes and deeper."""
    depth = draw.choice((40, 300, 900, 960, 990, 5000))
    text = json.dumps(values, ensure_ascii=draw.random() < 0.8)
    return text.replace(f'"{_DEEP}"', "[" * depth + "]" * depth).encode("utf-8", "surrogatepass")
