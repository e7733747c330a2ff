"""Patches as `tf.train.Example` records in TFRecord files, written and read without TensorFlow.

Formats: TFRecord is length (uint64), masked CRC-32C of the length, data, masked CRC-32C of the data, all little-endian
(https://www.tensorflow.org/tutorials/load_data/tfrecord). An Example is the protobuf message of
tensorflow/core/example/example.proto. The wire bytes are written here because they are the same as protobuf's
deterministic serialisation with sorted keys (a test compares them) and workers then need no TensorFlow.
"""

import struct
from collections.abc import Iterator, Mapping
from functools import lru_cache

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
    "frame": "int64",
    "rank": "text",
    "vial": "int64",
    "region": "text",
}
_CRC_MASK = 0xA282EAD8
_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")
RECORD_OVERHEAD = _HEADER.size + _FOOTER.size


def patch_example(key: PatchKey, encoded: bytes) -> bytes:
    """The serialized `tf.train.Example` of one patch.

    Args:
        key: says where the patch comes from; it becomes the features key, strip, run, frame (-1 for a rank image), rank
            (empty for a frame), vial and region.
        encoded: the patch's PNG bytes, feature `image`.
    """
    return encode_example({
        IMAGE: encoded,
        "key": str(key).encode(),
        "strip": key.acquisition.strip.encode(),
        "run": key.acquisition.run,
        "frame": key.image.frame,
        "rank": key.image.rank.encode(),
        "vial": key.vial,
        "region": key.region.encode(),
    })  # fmt: skip


def encode_example(features: Mapping[str, bytes | int]) -> bytes:
    """Serializes single-valued bytes and int64 features, keys in sorted order."""
    parts: list[bytes] = []
    for name, value in sorted(features.items()):
        if isinstance(value, bytes):
            parts += (_bytes_head(name, len(value)), value)
        else:
            parts.append(_int_entry(name, value))
    return b"".join((_head(1, sum(map(len, parts))), *parts))


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
    crc: int = google_crc32c.value(data)
    return (((crc >> 15) | (crc << 17)) + _CRC_MASK) & 0xFFFFFFFF


def frame_record(data: bytes) -> bytes:
    """One TFRecord: `data` with its length and checksums."""
    length = struct.pack("<Q", len(data))
    return b"".join((length, _FOOTER.pack(masked_crc(length)), data, _FOOTER.pack(masked_crc(data))))


def read_records(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Walks a TFRecord file and checks both checksums of every record.

    Args:
        content: the whole file.

    Yields:
        The byte offset of each record's data, and the data.

    Raises:
        RecordError: names the record's number and byte offset.
    """
    view = memoryview(content)
    position = number = 0
    while position < len(view):
        start = position + _HEADER.size
        if start > len(view):
            raise RecordError(f"record {number} at byte {position}: the file ends inside the record's header")
        length, length_crc = _HEADER.unpack_from(view, position)
        if length_crc != masked_crc(bytes(view[position : position + 8])):
            raise RecordError(f"record {number} at byte {position}: the checksum of its length is wrong")
        if start + length + _FOOTER.size > len(view):
            raise RecordError(f"record {number} at byte {position}: the file ends inside its {length} bytes")
        data = bytes(view[start : start + length])
        if _FOOTER.unpack_from(view, start + length)[0] != masked_crc(data):
            raise RecordError(f"record {number} at byte {position}: the checksum of its data is wrong")
        yield start, data
        position, number = start + length + _FOOTER.size, number + 1
