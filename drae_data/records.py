"""Patches as `tf.train.Example` records in TFRecord files, written and read without TensorFlow.

Formats: TFRecord is length (uint64), masked CRC-32C of the length, data, masked CRC-32C of the data, all little-endian
(https://www.tensorflow.org/tutorials/load_data/tfrecord). An Example is the protobuf message of
tensorflow/core/example/example.proto. The wire bytes are written here because they are the same as protobuf's
deterministic serialisation with sorted keys (a test compares them) and workers then need no TensorFlow.
"""

import io
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO, cast

import google_crc32c

from drae_data.acquisition import PatchKey
from drae_data.errors import RecordError

# The features of one record, and what they are in the published `features.json`.
IMAGE = "image"
FEATURES = {
    "image": "image",
    "key": "text",
    "strip": "text",
    "run": "int64",
    "batch": "text",
    "recipe": "text",
    "station": "text",
    "frame": "int64",
    "rank": "text",
    "vial": "int64",
    "region": "text",
}
_CRC_MASK = 0xA282EAD8
_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")
RECORD_OVERHEAD = _HEADER.size + _FOOTER.size
# A record is read in pieces of this size at most: its header may state any length, with a checksum that is right.
_PIECE = 1 << 24


def patch_record(key: PatchKey, encoded: bytes) -> tuple[bytes, ...]:
    """One patch as the pieces of a TFRecord: its encoded image is not copied.

    Args:
        key: see `patch_example`.
        encoded: see `patch_example`.

    Returns:
        What `frame_record(patch_example(key, encoded))` holds, piece by piece.
    """
    parts = _example_parts(_patch_features(key, encoded))
    crc = 0
    for part in parts:
        crc = extend_crc(crc, part)
    length = struct.pack("<Q", sum(map(len, parts)))
    return (length + _FOOTER.pack(masked_crc(length)), *parts, _FOOTER.pack(_masked(crc)))


def patch_example(key: PatchKey, encoded: bytes) -> bytes:
    """The serialized `tf.train.Example` of one patch.

    Args:
        key: says where the patch comes from; it becomes the features key, strip, run, batch, recipe, station (empty
            where the line has none), frame (-1 for a rank image), rank (empty for a frame), vial and region.
        encoded: the patch as `drae_data.encodings` gives it, feature `image`.
    """
    return encode_example(_patch_features(key, encoded))


def _patch_features(key: PatchKey, encoded: bytes) -> dict[str, bytes | int]:
    return {
        IMAGE: encoded,
        "key": str(key).encode(),
        "strip": key.acquisition.strip.encode(),
        "run": key.acquisition.run,
        "batch": key.acquisition.batch.encode(),
        "recipe": key.acquisition.recipe.encode(),
        "station": key.acquisition.station.encode(),
        "frame": key.image.frame,
        "rank": key.image.rank.encode(),
        "vial": key.vial,
        "region": key.region.encode(),
    }


def encode_example(features: Mapping[str, bytes | int]) -> bytes:
    """Serializes single-valued bytes and int64 features, keys in sorted order."""
    return b"".join(_example_parts(features))


def _example_parts(features: Mapping[str, bytes | int]) -> list[bytes]:
    """The message in pieces; the longest value is a piece of its own."""
    parts: list[bytes] = []
    for name, value in sorted(features.items()):
        if isinstance(value, bytes):
            parts += (_bytes_head(name, len(value)), value)
        else:
            parts.append(_int_entry(name, value))
    parts.insert(0, _head(1, sum(map(len, parts))))
    # Small pieces are joined: what counts below is how many there are.
    large = max(range(len(parts)), key=lambda index: len(parts[index]))
    return [b"".join(parts[:large]), parts[large], b"".join(parts[large + 1 :])]


# The same few names and numbers come back in every record; only what stands before a bytes value depends on its size.
@lru_cache(maxsize=4096)
def _bytes_head(name: str, size: int) -> bytes:
    """All that stands before the value of a bytes feature: map entry, name, Feature, BytesList."""
    values = _head(1, size)
    feature = _head(1, len(values) + size) + values
    value = _message(1, name.encode()) + _head(2, len(feature) + size) + feature
    return _head(1, len(value) + size) + value


@lru_cache(maxsize=4096)
def _int_entry(name: str, value: int) -> bytes:
    """The map entry of an int64 feature: a packed list; a negative number is its 64 bit two's complement."""
    feature = _message(3, _message(1, _varint(value & 0xFFFFFFFFFFFFFFFF)))
    return _message(1, _message(1, name.encode()) + _message(2, feature))


def _message(field: int, body: bytes) -> bytes:
    return _head(field, len(body)) + body


def _head(field: int, size: int) -> bytes:
    return bytes((field << 3 | 2,)) + _varint(size)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def decode_example(data: bytes) -> dict[str, bytes | int]:
    """Reads back what `encode_example` wrote, and any Example whose features hold one bytes or int64 value.

    Raises:
        RecordError: the bytes are no such message.
    """
    try:
        features: dict[str, bytes | int] = {}
        for _, entry in _fields(_only(data, 1)):
            features[_only(entry, 1).decode()] = _value(_only(entry, 2))
    except (IndexError, UnicodeDecodeError, ValueError) as error:
        raise RecordError(f"expected a tf.train.Example of single values: {error}") from error
    return features


def _value(feature: bytes) -> bytes | int:
    if feature[:1] == b"\x0a":
        return _only(_only(feature, 1), 1)
    number, _ = _read_varint(_only(_only(feature, 3), 1), 0)
    return number - (1 << 64) if number >> 63 else number


def _only(data: bytes, field: int) -> bytes:
    bodies = [body for number, body in _fields(data) if number == field]
    if len(bodies) != 1:
        raise ValueError(f"field {field} stands {len(bodies)} times, expected once")
    return bodies[0]


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Field numbers and bodies of a message whose fields are all length-delimited (wire type 2)."""
    position = 0
    while position < len(data):
        tag = data[position]
        if tag & 0x87 != 2:
            raise ValueError(f"tag {tag} at byte {position}, expected a length-delimited field below 16")
        length, start = _read_varint(data, position + 1)
        position = start + length
        if position > len(data):
            raise ValueError(f"a field of {length} bytes at byte {start} runs past the end")
        yield tag >> 3, data[start:position]


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position += 1
        shift += 7
        if byte < 0x80:
            return value, position
        if shift > 63:
            raise ValueError("a varint of more than 10 bytes")


def masked_crc(data: bytes) -> int:
    """TFRecord's masked CRC-32C of `data`."""
    return _masked(google_crc32c.value(data))


def _masked(crc: int) -> int:
    return (((crc >> 15) | (crc << 17)) + _CRC_MASK) & 0xFFFFFFFF


def frame_record(data: bytes) -> bytes:
    """One TFRecord: `data` with its length and checksums."""
    length = struct.pack("<Q", len(data))
    return b"".join((length, _FOOTER.pack(masked_crc(length)), data, _FOOTER.pack(masked_crc(data))))


def read_records(source: bytes | BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Walks a TFRecord file and checks both checksums of every record.

    Args:
        source: the whole file, or a stream at its start, of which one record at a time is kept.

    Yields:
        The byte offset of each record's data, and the data.

    Raises:
        RecordError: names the record's number and byte offset.
    """
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    position = number = 0
    while header := stream.read(_HEADER.size):
        place = f"record {number} at byte {position}"
        if len(header) < _HEADER.size:
            raise RecordError(f"{place}: the file ends inside the record's header")
        length, length_crc = _HEADER.unpack(header)
        if length_crc != masked_crc(header[:8]):
            raise RecordError(f"{place}: the checksum of its length is wrong")
        data, footer = _read_at_most(stream, length), stream.read(_FOOTER.size)
        if len(data) < length or len(footer) < _FOOTER.size:
            raise RecordError(f"{place}: the file ends inside its {length} bytes")
        if _FOOTER.unpack(footer)[0] != masked_crc(data):
            raise RecordError(f"{place}: the checksum of its data is wrong")
        yield position + _HEADER.size, data
        position, number = position + RECORD_OVERHEAD + length, number + 1


def _read_at_most(stream: BinaryIO, length: int) -> bytes:
    """As many bytes as a header states, or as there are; memory grows with what is there."""
    if length <= _PIECE:
        return stream.read(length)
    parts = []
    while length and (part := stream.read(min(length, _PIECE))):
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


@dataclass(frozen=True)
class FileCount:
    """What a TFRecord file holds: how many records, in how many bytes, and the CRC-32C of all bytes."""

    records: int
    bytes: int
    crc32c: int


def count_records(stream: BinaryIO) -> FileCount:
    """Counts a TFRecord file through one record at a time; raises `RecordError` as `read_records`."""
    whole = _SummingStream(stream)
    records = sum(1 for _ in read_records(cast(BinaryIO, whole)))
    return FileCount(records, whole.bytes, whole.crc32c)


class _SummingStream:
    """A stream that keeps length and CRC-32C of what was read from it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.bytes = 0
        self.crc32c = 0

    def read(self, size: int) -> bytes:
        """The next bytes, fewer at the end."""
        data = self._stream.read(size)
        self.bytes += len(data)
        self.crc32c = extend_crc(self.crc32c, data)
        return data


def extend_crc(crc: int, data: bytes) -> int:
    """The CRC-32C (RFC 3720, unmasked) of bytes whose checksum is `crc`, and of `data` behind them."""
    extended: int = google_crc32c.extend(crc, data)
    return extended
