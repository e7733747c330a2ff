"""Frame files that would use up memory: each is refused before it can."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from drae_data.frames.decoding import decode_frame
from drae_data.frames.options import FrameOptions
from drae_data.intake import SidecarOptions
from drae_data.local_files import LocalFiles
from drae_data.options import select_images
from drae_data.path_template import PathTemplate
from tests.drae_data.frames.frame_files import ifd
from tests.security.bounded import run_bounded
from tests.small_line import build_dataset, small_options, write_line

OPTIONS = FrameOptions(50_000_000, 8, "right", ())
LZW, DEFLATE = 5, 8


def tiff(
    width: int, height: int, compression: int, layout: dict[int, int], segments: list[bytes], shared: bool
) -> bytes:  # fmt: skip
    """A grey TIFF file by hand.

    Args:
        width: in pixels.
        height: in pixels.
        compression: the tag's number.
        layout: the tags that say how rows are shared out: 278 for strips, 322 and 323 for tiles.
        segments: the content of each strip or tile.
        shared: the first segment stands in the file alone, and all are said to be it.
    """
    count = len(segments)
    numbers = {256: width, 257: height, 258: 8, 259: compression, 262: 1, 277: 1, **layout}
    entries = [(tag, 4, 1, struct.pack("<I", number)) for tag, number in numbers.items()]
    start = 8 + 2 + 12 * (len(entries) + 2) + 4 + (8 * count if count > 1 else 0)
    sizes = [len(segment) for segment in segments]
    places = [start + (0 if shared else sum(sizes[:number])) for number in range(count)]
    tags = (324, 325) if 322 in layout else (273, 279)
    entries += [
        (tag, 4, count, struct.pack(f"<{count}I", *values)) for tag, values in zip(tags, (places, sizes), strict=True)
    ]
    return b"II*\0" + struct.pack("<I", 8) + ifd("<", entries) + b"".join(segments[: 1 if shared else None])


def tiles(width: int, height: int, columns: int, rows: int, shared: bool) -> bytes:
    """Black tiles, deflated."""
    tile = zlib.compress(bytes(columns * rows), 9)
    count = -(-width // columns) * -(-height // rows)
    return tiff(width, height, DEFLATE, {322: columns, 323: rows}, [tile] * count, shared)


# Each would make gigabytes of less than a megabyte.
BOMBS = {
    # 100 x 2,000 pixels in tiles of 1,700,000 x 1, 3.4 gigabytes, which are one in the file.
    "one tile": (tiles(100, 2000, 1_700_000, 1, True), "that suit the frame"),
    # The same, where each is there by itself: a thousandth of what it unpacks to.
    "tiles": (tiles(100, 400, 1_100_000, 1, False), "that suit the frame"),
    # 20,000 strips of 200 kilobytes, one in the file, which are handed to libtiff in one piece: 4 gigabytes.
    "strips": (tiff(100, 20_000, LZW, {278: 1}, [bytes(200_000)] * 20_000, True), "that do not overlap"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_tiff_cannot_ask_for_gigabytes(tmp_path: Path, name: str) -> None:
    data, why = BOMBS[name]
    assert len(data) < 1_000_000
    (tmp_path / "frame.tif").write_bytes(data)
    code = (
        "import sys\nfrom pathlib import Path\nfrom drae_data.errors import AcquisitionError\n"
        "from drae_data.frames.decoding import decode_frame\nfrom drae_data.frames.options import FrameOptions\n"
        "try:\n    decode_frame(Path(sys.argv[1]).read_bytes(), '', FrameOptions(50_000_000, 8, 'right', ()))\n"
        "except AcquisitionError as error:\n    print(error)\n"
    )
    assert why in run_bounded(code, str(tmp_path / "frame.tif"))


@pytest.mark.parametrize(
    ("width", "height", "side"), [(100, 100, 128), (257, 257, 256), (17, 5000, 256), (640, 480, 64)]
)
def test_tiles_of_cameras_are_taken(width: int, height: int, side: int) -> None:
    """The last tiles reach beyond the frame, as the format wants it."""
    assert decode_frame(tiles(width, height, side, side, False), "", OPTIONS).pixels.shape == (height, width)


@contextmanager
def memory_of_a_small_machine(monkeypatch: pytest.MonkeyPatch, most: int) -> Iterator[list[str]]:
    """Reads of files that are larger than so many bytes fail, as they would end a worker; gives what was read."""
    read, names = LocalFiles.read, list[str]()

    def bounded_read(files: LocalFiles, path: str) -> bytes:
        names.append(path)
        if Path(files.root, path).stat().st_size > most:
            raise MemoryError
        return read(files, path)

    monkeypatch.setattr(LocalFiles, "read", bounded_read)
    yield names


def sparse(path: Path, size: int) -> None:
    """A file that states a size and takes no disk."""
    with path.open("wb") as stream:
        stream.truncate(size)


def test_a_frame_file_that_no_frame_can_fill_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_line(tmp_path / "frames")
    sparse(root / "B/run_01/frame_02.png", 1 << 40)
    with memory_of_a_small_machine(monkeypatch, 1 << 30) as names:
        found = build_dataset(root, tmp_path / "out", small_options(max_quarantined=1))
    (row,) = found.quarantine
    assert (row.strip, row.run, row.reason, row.file) == ("B", 1, "too_large", "frame_02.png")
    assert f"got {1 << 40}" in row.detail
    assert "B/run_01/frame_02.png" not in names


def test_where_the_size_is_not_known_a_frame_that_memory_cannot_hold_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where acquisitions are files, their sizes are not listed."""
    root = write_line(tmp_path / "folders", "ABC", runs=1, frames=1)
    flat = tmp_path / "frames"
    flat.mkdir()
    for strip in "ABC":
        (root / strip / "run_00/frame_00.png").rename(flat / f"{strip}.png")
    sparse(flat / "D.png", 1 << 40)
    options = small_options(
        template=PathTemplate("{strip}.png"), frames=(0,), images=select_images([0], []), max_quarantined=1
    )
    with memory_of_a_small_machine(monkeypatch, 1 << 30):
        found = build_dataset(flat, tmp_path / "out", options)
    assert [(row.strip, row.reason) for row in found.quarantine] == [("D", "too_large")]


def test_a_sidecar_of_any_size_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_line(tmp_path / "frames")
    for folder in root.glob("*/run_*"):
        (folder / "info.json").write_text("{}")
    sparse(root / "A/run_00/info.json", 1 << 40)
    options = small_options(sidecar=SidecarOptions("info.json", {"exposure": "exposure"}), max_quarantined=1)
    with memory_of_a_small_machine(monkeypatch, 1 << 30):
        found = build_dataset(root, tmp_path / "out", options)
    assert [(row.strip, row.reason, row.file) for row in found.quarantine] == [("A", "too_large", "info.json")]
