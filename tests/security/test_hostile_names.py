"""Names of folders, files, strips and places that would lead elsewhere, fool a terminal or keep the machine busy."""

import errno
import json
from pathlib import Path

import pytest

from drae_data.acquisition import AcquisitionKey, Image, PatchKey
from drae_data.errors import AmbiguousNameError, KeyFormatError
from drae_data.files import Files
from drae_data.local_files import LocalFiles
from drae_data.path_template import PathTemplate
from pipelines import build, verify
from pipelines.console import harmless, run_command, say
from tests.pipelines.test_build import write_params
from tests.security.bounded import run_bounded
from tests.small_line import build_dataset, write_line

# Clear the screen, rename the window, back over what stands there, right-to-left, a line of its own.
CONTROLS = "\x1b[2J\x1b]0;x\x07\b\r\x9b\u202e\u2028"
# Beside a folder `root`, where it is harmless if one of them leads there.
OUTSIDE = ("{above}/outside", "../outside", "a/../../outside", "..", "a/..", "a\0b")


def test_what_is_printed_holds_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    assert harmless(f"first{CONTROLS}\nsecond ü") == (
        "first\\x1b[2J\\x1b]0;x\\x07\\x08\\r\\x9b\\u202e\\u2028\nsecond ü"
    )
    say(f"a{CONTROLS}b")

    def fail(_: list[str]) -> None:
        raise FileNotFoundError(errno.ENOENT, "not there", f"x{CONTROLS}")

    assert run_command(fail, []) == 1
    told = capsys.readouterr()
    assert (told.out + told.err).replace("\n", "").isprintable()


def test_a_build_prints_no_control_characters_of_names_and_labels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_line(tmp_path / "frames")
    (root / f"A{CONTROLS}").mkdir()
    empty = root / "Z/run_00"
    empty.mkdir(parents=True)
    (empty / f"x{CONTROLS}.png").write_bytes(b"x")
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables/labels.csv").write_text(
        f'strip,label\nA,good\n"W{CONTROLS.replace(chr(13), "")}",good\nB,"{CONTROLS}"\n', newline=""
    )
    labels = {"table": "labels.csv", "codes": {"good": "good"}, "select": []}
    params = write_params(tmp_path, root, tables=str(tmp_path / "tables"), labels=labels, max_quarantined=2)
    assert build.main(["--set", "small", "--params", str(params)]) == 0
    told = capsys.readouterr()
    assert "W\\x1b[2J" in told.out
    assert "unmatched_name" in told.out
    assert (told.out + told.err).replace("\n", "").isprintable()


def test_a_strangers_version_cannot_fake_what_verify_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name in its JSON files could otherwise begin a line that says that all is well."""
    build_dataset(write_line(tmp_path / "frames"), tmp_path / "version")
    for name, place in (("dataset_info.json", "name"), ("provenance.json", "digest")):
        path = tmp_path / "version" / name
        before = path.read_text()
        path.write_text(json.dumps({**json.loads(before), place: "x\n  small 1.0.0: verified, no fault\x1b[8m"}))
        assert verify.main([str(tmp_path / "version")]) == 1
        told = capsys.readouterr()
        assert not any(line.strip().startswith("small 1.0.0: verified") for line in (told.out + told.err).splitlines())
        assert (told.out + told.err).replace("\n", "").isprintable()
        path.write_text(before)


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_path_leads_out_of_a_folder_by_its_own_words(tmp_path: Path, path: str) -> None:
    """Paths come from tables and JSON files, and those from anywhere."""
    path = path.format(above=tmp_path)
    (tmp_path / "outside").write_text("secret")
    (tmp_path / "root/a").mkdir(parents=True)
    files: Files = LocalFiles(str(tmp_path / "root"))
    other = LocalFiles(str(tmp_path / "root/a"))
    tries = (
        lambda: files.read(path), lambda: files.open(path), lambda: files.write(path, [b"x"]),
        lambda: files.names(path), lambda: files.remove(path), lambda: files.stamp(path),
        lambda: other.adopt(files, path, "b"), lambda: other.adopt(files, "c", path),
    )  # fmt: skip
    for attempt in tries:
        with pytest.raises(OSError, match="expected a path below the folder"):
            attempt()
    assert (tmp_path / "outside").read_text() == "secret"
    found = sorted(place.relative_to(tmp_path).as_posix() for place in tmp_path.rglob("*"))
    assert found == ["outside", "root", "root/a"]


def test_paths_below_are_taken_whatever_they_look_like(tmp_path: Path) -> None:
    files = LocalFiles(str(tmp_path))
    for path in ("..a/b..", "...", "a/.hidden", "~", "-rf", "a\\..\\b", "ü/ß"):
        files.write(path, [b"x"])
        assert files.read(path) == b"x"


def test_a_made_up_name_keeps_nobody_busy() -> None:
    """Each part of this path could be read in thousands of ways, both together in hundreds of millions."""
    code = (
        "from drae_data.path_template import PathTemplate\nfrom drae_data.errors import KeyFormatError\n"
        "template = PathTemplate('{batch}_{skip}_{recipe}/{strip}_{label}_{station}_x/frame_{frame}.png')\n"
        "for part in (30, 60, 100, 200):\n"
        "    try:\n        template.match_acquisition('_' * 100 + '/' + '_' * part)\n"
        "    except KeyFormatError as error:\n        print(type(error).__name__)\n"
    )
    assert run_bounded(code, seconds=30).split() == [AmbiguousNameError.__name__] * 4


def test_long_names_of_real_lines_are_read() -> None:
    template = PathTemplate("{batch}_{recipe}/{strip}_{run}_{skip}/frame_{frame}.png")
    found = template.match_acquisition("LOT-2024-02-29-line-7_amber-5ml-top/strip-000123-left_3_2024-02-29T23-59-58")
    assert found.key == AcquisitionKey("strip-000123-left", 3, "LOT-2024-02-29-line-7", "amber-5ml-top")


@pytest.mark.parametrize("text", ["f" + "1" * 5000, "f\u0661\u0662", "f1234567890"])
def test_a_number_that_no_table_holds_is_no_key(text: str) -> None:
    """Python refuses to read a number of 5,000 digits with an error of its own; and digits are those of ASCII."""
    with pytest.raises(KeyFormatError):
        Image.parse(text)
    with pytest.raises(KeyFormatError):
        PatchKey.parse(f"S/r0/f00/v{text[1:]}/R0")
    with pytest.raises(KeyFormatError):
        AcquisitionKey.parse(f"S/r{text[1:]}")
