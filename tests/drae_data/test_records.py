"""Records against protobuf and TensorFlow: the wire bytes, the framing, and every single broken byte."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drae_data.acquisition import PatchKey
from drae_data.errors import RecordError
from drae_data.png import encode_png
from drae_data.records import (
    FEATURES,
    decode_example,
    encode_example,
    frame_record,
    masked_crc,
    patch_example,
    read_records,
)

# Names of one length: where one name begins another, protobuf puts the longer one first; ours has no such pair.
NAMES = st.text(min_size=3, max_size=3)
VALUES = st.dictionaries(NAMES, st.binary(max_size=300) | st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=6)


def tensorflow_example(features: dict[str, bytes | int]) -> bytes:
    tf = pytest.importorskip("tensorflow")
    message = tf.train.Example()
    for name in sorted(features):
        value = features[name]
        if isinstance(value, bytes):
            message.features.feature[name].bytes_list.value.append(value)
        else:
            message.features.feature[name].int64_list.value.append(value)
    data: bytes = message.SerializeToString(deterministic=True)
    return data


@given(VALUES)
def test_wire_bytes_are_protobufs_and_read_back(features: dict[str, bytes | int]) -> None:
    data = encode_example(features)
    assert data == tensorflow_example(features)
    assert decode_example(data) == features


def test_no_feature_name_begins_another() -> None:
    assert not [(one, other) for one in FEATURES for other in FEATURES if one != other and other.startswith(one)]


@pytest.mark.parametrize(
    ("prefix", "batch", "recipe", "station"),
    [("", b"", b"", b""), ("batch=B7/recipe=5 ml/station=2/", b"B7", b"5 ml", b"2"), ("station=2/", b"", b"", b"2")],
)
def test_a_patch_record_holds_its_key_in_parts(prefix: str, batch: bytes, recipe: bytes, station: bytes) -> None:
    encoded = encode_png(np.zeros((8, 8), np.uint8))
    key = f"{prefix}S1/r3/min/v4/R2"
    example = decode_example(patch_example(PatchKey.parse(key), encoded))
    assert example == {
        "image": encoded, "key": key.encode(), "strip": b"S1", "run": 3, "batch": batch, "recipe": recipe,
        "station": station, "frame": -1, "rank": b"min", "vial": 4, "region": b"R2",
    }  # fmt: skip


def test_crc_is_the_one_of_the_tfrecord_format() -> None:
    # CRC-32C of "123456789" is 0xE3069283 (RFC 3720, appendix B.4 polynomial); masked by hand:
    # (0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8 modulo 2**32.
    assert masked_crc(b"123456789") == 0xC78AB0E5


@given(st.lists(st.binary(max_size=50), max_size=5))
def test_records_read_back_with_their_offsets(bodies: list[bytes]) -> None:
    content = b"".join(frame_record(body) for body in bodies)
    read = list(read_records(content))
    assert [body for _, body in read] == bodies
    assert all(content[offset : offset + len(body)] == body for offset, body in read)


def test_tensorflow_reads_the_file(tmp_path) -> None:
    tf = pytest.importorskip("tensorflow")
    path = tmp_path / "x.tfrecord"
    path.write_bytes(frame_record(b"one") + frame_record(b"") + frame_record(b"three"))
    assert [item.numpy() for item in tf.data.TFRecordDataset(str(path))] == [b"one", b"", b"three"]


def test_every_flipped_byte_and_every_cut_is_found() -> None:
    content = frame_record(b"first") + frame_record(b"second")
    for position in range(len(content)):
        broken = bytearray(content)
        broken[position] ^= 0x10
        with pytest.raises(RecordError, match=r"record [01] at byte"):
            list(read_records(bytes(broken)))
    ends = {0, len(frame_record(b"first")), len(content)}
    for length in set(range(len(content))) - ends:
        with pytest.raises(RecordError, match="ends inside"):
            list(read_records(content[:length]))


@given(st.binary(max_size=60))
def test_bytes_that_are_no_example_end_in_a_record_error(data: bytes) -> None:
    try:
        decode_example(data)
    except RecordError:
        return
