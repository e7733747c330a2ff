"""TFRecord files, the examples in them, and the images in those."""

import io
import random
import struct
from pathlib import Path

import numpy as np

from drae_data.acquisition import AcquisitionKey, Image, PatchKey
from drae_data.encodings import decode_patch_image, encode_patch_image
from drae_data.errors import RecordError
from drae_data.records import (
    RECORD_OVERHEAD,
    count_records,
    decode_example,
    frame_record,
    masked_crc,
    patch_example,
    patch_record,
    read_records,
)
from tests.fuzz.damage import damaged, with_png_checksums
from tests.fuzz.target import Feeder, Target, promise

SIZE = 16
_LENGTHS = (0, 1, 15, 2**20, 2**31, 2**32, 2**40, 2**63 - 1, 2**63, 2**64 - 1)


def _patch(number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(number).integers(0, 256, (SIZE, SIZE), dtype=np.uint8)


def _key(number: int) -> PatchKey:
    acquisition = AcquisitionKey(f"S{number}", number, "B7" if number % 2 else "", "", "ü" if number % 3 else "")
    return PatchKey(acquisition, Image.of_frame(number), number % 2, "R1")


def _shard(records: int) -> bytes:
    return b"".join(
        b"".join(patch_record(_key(number), encode_patch_image(_patch(number), "png"))) for number in range(records)
    )


def _with_checksums(draw: random.Random, data: bytes) -> bytes:
    """Damaged contents, and sometimes lengths, under right checksums."""
    parts, place = [], 0
    while place + RECORD_OVERHEAD <= len(data):
        length = struct.unpack_from("<Q", data, place)[0]
        record = data[place + 12 : place + 12 + length]
        if draw.random() < 0.3 and record:
            record = damaged(draw, record)
        framed = frame_record(record)
        if draw.random() < 0.1:
            header = struct.pack("<Q", draw.choice(_LENGTHS))
            framed = header + struct.pack("<I", masked_crc(header)) + framed[12:]
        parts.append(framed)
        place += RECORD_OVERHEAD + length
    return b"".join(parts) or b"x"


def _prepare_shards(folder: Path) -> Feeder:
    """`read_records` and `count_records` over a file that is in memory, and over one that is not."""
    shards = [_shard(number) for number in (1, 3)]
    place = folder / "shard"

    def draw_case(draw: random.Random) -> bytes:
        data = draw.choice(shards)
        return damaged(draw, data) if draw.random() < 0.4 else _with_checksums(draw, data)

    def feed(data: bytes) -> None:
        place.write_bytes(data)
        with place.open("rb") as stream:
            try:
                count = count_records(stream)
            except RecordError:
                count = None
        try:
            found = list(read_records(data))
        finally:
            # The same file is judged the same, however it is read.
            with io.BytesIO(data) as stream:
                promise(_agree(stream, count is None), "a file and its bytes are judged differently")
        promise(count is not None and count.records == len(found) and count.bytes == len(data), f"counted {count}")
        promise(all(data[offset : offset + len(record)] == record for offset, record in found), "an offset is wrong")

    return Feeder(draw_case, feed, (RecordError,))


def _agree(stream: io.BytesIO, refused: bool) -> bool:
    try:
        count_records(stream)
    except RecordError:
        return refused
    return not refused


def _prepare_examples(_: Path) -> Feeder:
    examples = [patch_example(_key(number), encode_patch_image(_patch(number), "raw")[:40]) for number in range(4)]

    def feed(data: bytes) -> None:
        for name, value in decode_example(data).items():
            promise(type(value) in (bytes, int), f"feature {name!r}: {value!r}")

    return Feeder(lambda draw: damaged(draw, draw.choice(examples)), feed, (RecordError,))


def _prepare_images(_: Path) -> Feeder:
    images = {kind: [encode_patch_image(_patch(number), kind) for number in range(3)] for kind in ("png", "raw")}

    def draw_case(draw: random.Random) -> tuple[bytes, str]:
        kind = draw.choice(("png", "png", "png", "raw"))
        data = damaged(draw, draw.choice(images[kind]))
        return (with_png_checksums(data) if draw.random() < 0.5 else data), kind

    def feed(case: tuple[bytes, str]) -> None:
        pixels = decode_patch_image(case[0], SIZE, case[1])
        promise(pixels.shape == (SIZE, SIZE) and pixels.dtype == np.uint8, f"{pixels.shape} of {pixels.dtype}")

    return Feeder(draw_case, feed, (RecordError,))


TARGETS = [
    Target("record files", 20_000, _prepare_shards),
    Target("examples", 30_000, _prepare_examples),
    Target("patch images", 20_000, _prepare_images),
]
