"""The C++ client against Python's call of the same SavedModel: scores, heatmaps, regions, and what the JSON says."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from drae_data.png import encode_png
from drae_model.model_card import model_digest
from tests.native.client import REGIONS, SIDE, Argument, Client, Patches, expected, patches

# The first of them builds the client.
pytestmark = pytest.mark.slow

# Threads may sum in another order than Python's do.
CLOSE = 1e-6


def write_raw(folder: Path, pixels: Patches) -> list[Path]:
    (folder / "patches.raw").write_bytes(pixels.tobytes())
    return [folder / "patches.raw"]


def write_pgm(folder: Path, pixels: Patches) -> list[Path]:
    """By OpenCV, but for the first: with comments where they are allowed, and no line feeds between the numbers."""
    files = [folder / f"{number}.pgm" for number in range(len(pixels))]
    for file, patch in zip(files, pixels, strict=True):
        cv2.imwrite(str(file), patch)
    files[0].write_bytes(b"P5#camera 3\n # second\n%d\t%d 255\n" % (SIDE, SIDE) + pixels[0].tobytes())
    return files


def write_png(folder: Path, pixels: Patches) -> list[Path]:
    """By the dataset builder, OpenCV and Pillow in turn; the content decides what a file is, not its name."""
    files = []
    for number, patch in enumerate(pixels):
        file = folder / f"{number}.image"
        if number % 3 == 0:
            file.write_bytes(encode_png(patch))
        elif number % 3 == 1:
            file.write_bytes(cv2.imencode(".png", patch)[1].tobytes())
        else:
            Image.fromarray(patch).save(file, format="png", optimize=True)
        files.append(file)
    return files


WRITERS = {"raw": write_raw, "pgm": write_pgm, "png": write_png}


@pytest.mark.parametrize("kind", list(WRITERS))
@pytest.mark.parametrize("count", [1, 2, 9])
def test_scores_are_those_of_python(client: Client, models: Path, tmp_path: Path, kind: str, count: int) -> None:
    pixels = patches(count)
    files = WRITERS[kind](tmp_path, pixels)
    raw = ["--raw"] if kind == "raw" else []

    found = client.scores(models / "plain", *raw, *files)

    wanted = expected(models / "plain", pixels)["score"]
    assert found.shape == (count,)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=CLOSE)
    assert count == 1 or np.ptp(wanted) > 0.01


@pytest.mark.parametrize("kind", list(WRITERS))
def test_a_patch_is_judged_as_one_of_its_region(client: Client, models: Path, tmp_path: Path, kind: str) -> None:
    pixels = patches(6)
    files = WRITERS[kind](tmp_path, pixels)
    turn = ["R0", "R1"] * 3
    raw = ["--raw"] if kind == "raw" else []

    found = client.inspect(models / "regions", *raw, "--region", "R0,R1", *files)

    assert [patch["region"] for patch in found["patches"]] == turn
    wanted = expected(models / "regions", pixels, turn)["score"]
    np.testing.assert_allclose([patch["score"] for patch in found["patches"]], wanted, rtol=0, atol=CLOSE)
    # Else numbers that were mixed up would not show. Black is black in every region.
    others = expected(models / "regions", pixels, ["R1", "R0"] * 3)["score"]
    assert np.abs(wanted - others)[1:].min() > 100 * CLOSE


def test_regions_are_told_in_three_ways(client: Client, models: Path, tmp_path: Path) -> None:
    pixels = patches(4)
    files = [str(file) for file in write_png(tmp_path, pixels)]
    names = ["neck, left", "R0", "R0", "R1"]
    wanted = expected(models / "regions", pixels, names)["score"]
    lines = "".join(f"{name}\t{file}\r\n\n" for name, file in zip(names, files, strict=True))
    (tmp_path / "patches.tsv").write_text(lines, newline="")

    for arguments, stdin in (
        (["--region", "neck, left", files[0], "--region=R0", *files[1:3], "--region", "R1", "--", files[3]], ""),
        (["--list", str(tmp_path / "patches.tsv")], ""),
        (["--list=-"], lines),
    ):
        found = client.inspect(models / "regions", *arguments, stdin=stdin)["patches"]
        assert [(patch["file"], patch["region"]) for patch in found] == list(zip(files, names, strict=True))
        np.testing.assert_allclose([patch["score"] for patch in found], wanted, rtol=0, atol=CLOSE)


def test_raw_files_hold_patches_one_after_another(client: Client, models: Path, tmp_path: Path) -> None:
    pixels = patches(6)
    for name, part in (("-a", pixels[:1]), ("b", pixels[1:4]), ("c", pixels[4:])):
        (tmp_path / name).write_bytes(part.tobytes())

    names = "R1,R0,R0"
    found = client.inspect(models / "regions", "--raw", "--region", names, "--", "-a", "b", "c", cwd=tmp_path)

    assert [(patch["file"], patch["place"], patch["region"]) for patch in found["patches"]] == [
        ("-a", 0, "R1"), ("b", 0, "R0"), ("b", 1, "R0"), ("b", 2, "R1"), ("c", 0, "R0"), ("c", 1, "R0"),
    ]  # fmt: skip
    wanted = expected(models / "regions", pixels, names.split(",") * 2)["score"]
    np.testing.assert_allclose([patch["score"] for patch in found["patches"]], wanted, rtol=0, atol=CLOSE)


def test_heatmaps_are_those_of_python(client: Client, models: Path, tmp_path: Path) -> None:
    pixels = patches(4)
    files = write_png(tmp_path, pixels)
    maps = tmp_path / "new" / "maps"

    found = client.inspect(models / "plain", "--heatmaps", maps, *files)["patches"]

    wanted = expected(models / "plain", pixels)
    assert [patch["heatmap"] for patch in found] == [str(maps / f"heatmap_{number:04d}.png") for number in range(4)]
    np.testing.assert_allclose([patch["score"] for patch in found], wanted["score"], rtol=0, atol=CLOSE)
    for patch, heatmap in zip(found, wanted["heatmap"], strict=True):
        image = np.asarray(Image.open(patch["heatmap"]))
        assert (str(image.dtype), image.shape) == ("uint8", (SIDE, SIDE))
        # Half a step, and a little.
        np.testing.assert_allclose(image / 255, heatmap, rtol=0, atol=0.5 / 255 + 1e-4)
    assert wanted["heatmap"].max() > 0.5

    written = (maps / "heatmap_0000.png").read_bytes()
    words = client.refusal("--model", models / "plain", "--heatmaps", maps, *files)
    assert "heatmap_0000.png: is there already; remove it" in words
    assert (maps / "heatmap_0000.png").read_bytes() == written


def test_a_score_is_written_as_the_very_float(client: Client, models: Path, tmp_path: Path) -> None:
    found = client.scores(models / "plain", "--raw", *write_raw(tmp_path, patches(9)))
    # A double that is a float32 says so: it compares with thresholds as Python's scores do.
    assert np.array_equal(found, found.astype(np.float32).astype(np.float64))


def test_the_document_names_the_model(client: Client, models: Path, tmp_path: Path) -> None:
    files = write_raw(tmp_path, patches(1))
    options = ["--intra-op", "1", "--inter-op=2"]
    for name, takes in (("plain", False), ("regions", True)):
        told = ["--region", "R0"] if takes else []
        found = client.inspect(models / name, "--raw", *options, *told, *files)
        assert found["model"] == {
            "folder": str(models / name), "digest": model_digest(models / name), "patch_size": SIDE,
            "regions": REGIONS, "takes_regions": takes,
        }  # fmt: skip
        assert found["threads"] == {"intra_op": 1, "inter_op": 2}
        assert (found["format_version"], found["timing"]) == (1, None)
        assert set(found["patches"][0]) == {"file", "place", "region", "score", "heatmap"}
        assert found["patches"][0]["region"] == ("R0" if takes else None)


def test_calls_are_timed(client: Client, models: Path, tmp_path: Path) -> None:
    files = write_raw(tmp_path, patches(3))
    found = client.inspect(models / "plain", "--raw", "--repeat", "5", *files)
    timing = found["timing"]
    assert set(timing) == {"calls", "median_ms", "p99_ms", "fastest_ms", "slowest_ms"}
    assert timing["calls"] == 5
    assert 0 < timing["fastest_ms"] <= timing["median_ms"] <= timing["p99_ms"] == timing["slowest_ms"] < 60_000
    wanted = expected(models / "plain", patches(3))["score"]
    np.testing.assert_allclose([patch["score"] for patch in found["patches"]], wanted, rtol=0, atol=CLOSE)


@pytest.mark.parametrize(
    "name",
    ['quote".raw', "back\\slash.raw", "line\nfeed.raw", "tab\tand\x01\x7f.raw", "Prüfung-漢字-😀.raw", "{}[],:.raw"],
)
def test_any_name_of_a_file_is_valid_json(client: Client, models: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(patches(1).tobytes())
    assert client.inspect(models / "plain", "--raw", tmp_path / name)["patches"][0]["file"] == str(tmp_path / name)


def test_bytes_that_are_no_text_are_replaced(client: Client, models: Path, tmp_path: Path) -> None:
    # A lone continuation, a form that is too long, half of a surrogate pair, a sequence that ends early.
    for name in (b"\x80", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf0\x9f\x98"):
        path = bytes(tmp_path) + b"/a" + name + b"b.raw"
        Path(path.decode(errors="surrogateescape")).write_bytes(patches(1).tobytes())
        found = client.inspect(models / "plain", "--raw", path)["patches"][0]["file"]
        assert found == f"{tmp_path}/a" + "\N{REPLACEMENT CHARACTER}" * len(name) + "b.raw"


def test_tensorflow_talks_only_where_it_is_asked_to(client: Client, models: Path, tmp_path: Path) -> None:
    files = write_raw(tmp_path, patches(1))
    arguments: list[Argument] = ["--model", models / "plain", "--raw", *files]
    for level, silent in ((None, True), ("3", True), ("0", False)):
        environment = {} if level is None else {"TF_CPP_MIN_LOG_LEVEL": level}
        done = client.run(*arguments, environment=environment)
        assert (done.returncode, done.stderr == "") == (0, silent)


@pytest.mark.parametrize(("said", "fast"), [({}, True), ({"TF_ENABLE_ONEDNN_OPTS": "0"}, False)])
def test_it_takes_the_faster_kernels_unless_the_environment_says_no(
    client: Client, models: Path, tmp_path: Path, said: dict[str, str], fast: bool
) -> None:
    (tmp_path / "a.png").write_bytes(encode_png(patches(1)[0]))
    environment = {"TF_CPP_MIN_LOG_LEVEL": "0", **said}
    done = client.run("--model", models / "plain", tmp_path / "a.png", environment=environment)
    assert done.returncode == 0
    assert ("oneDNN custom operations are on" in done.stderr) == fast
