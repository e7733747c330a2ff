"""What the C++ client refuses: a line of text on standard error, nothing on standard output, the right exit status."""

import json
import os
import shutil
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from drae_data.png import encode_png
from drae_model.model_card import saved_model_digest
from tests.native.client import REGIONS, SIDE, Argument, Client, patches

# The first of them builds the client.
pytestmark = pytest.mark.slow

PATCH = patches(1)[0]
PNG = encode_png(PATCH)


def png(bits: int, colour_type: int, *, row: int = SIDE, extra: bytes = b"") -> bytes:
    """A PNG of zeros, written by hand: `row` bytes a row; `extra` chunks lie before the pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", SIDE, SIDE, bits, colour_type, 0, 0, 0)
    pixels = zlib.compress(bytes((row + 1) * SIDE))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def transparent() -> bytes:
    """Grey of 8 bit, of which the value 0 is transparent."""
    return png(8, 0, extra=struct.pack(">I", 2) + b"tRNS" + b"\0\0" + struct.pack(">I", zlib.crc32(b"tRNS\0\0")))


def encoded(image: Any, kind: str) -> bytes:
    return cv2.imencode(kind, image)[1].tobytes()


WIDE = np.zeros((SIDE, 2 * SIDE), np.uint8)
COLOUR = np.zeros((SIDE, SIDE, 3), np.uint8)
DEEP = np.zeros((SIDE, SIDE), np.uint16)
PIXELS = PATCH.tobytes()
IMAGES = {
    "wide.png": (encoded(WIDE, ".png"), "expected a patch of 32 x 32, got 64 x 32"),
    "high.pgm": (encoded(WIDE.T, ".pgm"), "expected a patch of 32 x 32, got 32 x 64"),
    "huge.png": (PNG[:16] + struct.pack(">II", 2**31 - 1, 2**31 - 1) + PNG[24:], "got 2147483647 x 2147483647"),
    "deep.png": (encoded(DEEP, ".png"), "expected 8 bit grey, got 16 bit"),
    "shallow.png": (png(4, 0, row=SIDE // 2), "expected 8 bit grey, got 4 bit"),
    "colour.png": (encoded(COLOUR, ".png"), "expected 8 bit grey, got a colour image"),
    "alpha.png": (encoded(np.zeros((SIDE, SIDE, 4), np.uint8), ".png"), "got a colour image with transparency"),
    "grey_alpha.png": (png(8, 4, row=2 * SIDE), "expected 8 bit grey, got grey with transparency"),
    "transparent.png": (transparent(), "expected 8 bit grey, got grey with transparency"),
    "palette.png": (png(8, 3), "expected 8 bit grey, got an image with a palette"),
    "type_1.png": (png(8, 1), "expected a PNG image, got a damaged one"),
    "cut.png": (PNG[: len(PNG) // 2], "expected a PNG image, got a damaged one"),
    "header.png": (PNG[:20], "expected a PNG image, got a damaged one"),
    "flipped.png": (PNG[:60] + bytes([PNG[60] ^ 1]) + PNG[61:], "expected a PNG image, got a damaged one"),
    "photo.jpg": (encoded(PATCH, ".jpg"), "expected a PNG or PGM image, got something else"),
    "empty.png": (b"", "expected a PNG or PGM image, got an empty file"),
    "text.png": (b"P\n", "expected a PNG or PGM image, got something else"),
    "deep.pgm": (encoded(DEEP, ".pgm"), "expected 8 bit grey, got 16 bit"),
    "colour.ppm": (encoded(COLOUR, ".ppm"), "expected 8 bit grey, got a colour image (PPM)"),
    "ascii.pgm": (b"P2\n32 32\n255\n" + b"0 " * 1024, "expected a binary PGM image (P5), got P2"),
    "dark.pgm": (b"P5\n32 32\n100\n" + PIXELS, "expected 8 bit grey up to 255, got grey up to 100"),
    "short.pgm": (b"P5\n32 32\n255\n" + PIXELS[1:], "expected 32 x 32 bytes of pixels, got 1023"),
    "row.pgm": (b"P5\n32 32\n255\n" + PIXELS[32:], "expected 32 x 32 bytes of pixels, got 992"),
    "long.pgm": (b"P5\n32 32\n255\n" + PIXELS + b"\0", "expected 32 x 32 bytes of pixels, got 1025"),
    "overflow.pgm": (b"P5\n4294967296 4294967296\n255\n", "expected 4294967296 x 4294967296 bytes of pixels, got 0"),
    "none.pgm": (b"P5\n0 0\n255\n", "expected 0 x 0 bytes of pixels, got 0"),
    "number.pgm": (b"P5\n32 x32\n255\n" + PIXELS, "expected a PGM image with its height, got a damaged header"),
    "large.pgm": (b"P5\n32 " + b"9" * 30 + b"\n255\n", "expected a PGM image with its height, got a damaged header"),
    "ends.pgm": (b"P5\n32 32\n255", "expected a PGM image with pixels, got a damaged header"),
    "comment.pgm": (b"P5\n#32 32", "expected a PGM image with its width, got a damaged header"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(IMAGES))
def test_an_image_that_is_no_patch_is_named(client: Client, models: Path, tmp_path: Path, name: str) -> None:
    content, words = IMAGES[name]
    (tmp_path / name).write_bytes(content)
    (tmp_path / "good.png").write_bytes(PNG)

    line = client.refusal("--model", models / "plain", tmp_path / "good.png", tmp_path / name)

    assert line.startswith(f"{tmp_path / name}: ")
    assert words in line


def test_the_images_are_what_their_names_say(tmp_path: Path) -> None:
    """Else they were refused for another reason than the one that is tried."""
    for name, mode in (
        ("deep.png", "I;16"), ("colour.png", "RGB"), ("alpha.png", "RGBA"), ("grey_alpha.png", "LA"),
        ("transparent.png", "L"), ("palette.png", "P"), ("shallow.png", "L"), ("colour.ppm", "RGB"),
    ):  # fmt: skip
        (tmp_path / name).write_bytes(IMAGES[name][0])
        with Image.open(tmp_path / name) as image:
            assert (image.mode, image.size) == (mode, (SIDE, SIDE)), name
            assert ("transparency" in image.info) == (name == "transparent.png")


def test_a_file_that_cannot_be_read_is_named(client: Client, models: Path, tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "locked.png").write_bytes(PNG)
    (tmp_path / "locked.png").chmod(0)
    cases = {"absent.png": "No such file", "folder.png": "a folder", "pipe.png": "not a plain file"}
    # Who may read everything is not refused.
    if not os.access(tmp_path / "locked.png", os.R_OK):
        cases["locked.png"] = "Permission denied"
    for name, words in cases.items():
        line = client.refusal("--model", models / "plain", tmp_path / name)
        assert line.startswith(f"{tmp_path / name}: expected an image, got: ")
        assert words in line
    line = client.refusal("--model", models / "plain", tmp_path / "line\nfeed.png")
    assert "line?feed.png: expected an image" in line
    (tmp_path / "list").write_bytes(b"good.png\0.raw\n")
    line = client.refusal("--model", models / "plain", "--list", tmp_path / "list")
    assert line == f"{tmp_path / 'list'}:1: expected a region, a tab and a file, got a zero byte"


@pytest.mark.parametrize("size", [0, 1, SIDE * SIDE - 1, SIDE * SIDE + 1])
def test_a_raw_file_of_another_length_is_named(client: Client, models: Path, tmp_path: Path, size: int) -> None:
    (tmp_path / "a.raw").write_bytes(bytes(size))
    line = client.refusal("--model", models / "plain", "--raw", tmp_path / "a.raw")
    assert line == f"{tmp_path / 'a.raw'}: expected a multiple of 32 x 32 = 1024 bytes, got {size}"


def test_each_patch_needs_a_region_where_the_model_takes_them(client: Client, models: Path, tmp_path: Path) -> None:
    files = []
    for number in range(3):
        files.append(tmp_path / f"{number}.png")
        files[-1].write_bytes(PNG)
    first = str(files[0])
    model: list[Argument] = ["--model", models / "regions"]
    names = ", ".join(REGIONS)

    assert client.refusal(*model, *files).startswith(f"{first}: expected its region, one of {names}, for this model")
    # A region holds for what follows only.
    assert client.refusal(*model, first, "--region", "R0", *files[1:]).startswith(f"{first}: expected its region")
    line = client.refusal(*model, "--region", "R0,R7", *files[:2])
    assert line == f"--region R0,R7: expected patches of the regions that the model was trained on, {names}, got R7"
    assert client.refusal(*model, "--region", "R0,", *files[:2]).endswith("got an empty name")
    line = client.refusal(*model, "--region", "R0,R1", *files)
    assert line == "--region R0,R1: expected a multiple of 2 patches, one for each region in turn, got 3"

    (tmp_path / "list").write_text(f"R0\t{first}\n\n{first}\n")
    line = client.refusal(*model, "--list", tmp_path / "list")
    assert line.startswith(f"{tmp_path / 'list'}:3: expected its region")
    line = client.refusal(*model, "--list", "-", stdin=f"r0\t{first}\n")
    assert line.startswith("standard input:1: expected patches of the regions")


def test_a_region_is_refused_where_the_model_takes_none(client: Client, models: Path, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    model: list[Argument] = ["--model", models / "plain"]
    line = client.refusal(*model, "--region", "R0", tmp_path / "a.png")
    assert line == "--region R0: expected no region, for this model takes none, got R0"
    line = client.refusal(*model, "--list", "-", stdin=f"R0\t{tmp_path / 'a.png'}\n")
    assert line.startswith("standard input:1: expected no region")


def test_a_list_without_patches_is_refused(client: Client, models: Path, tmp_path: Path) -> None:
    model: list[Argument] = ["--model", models / "plain"]
    assert client.refusal(*model, "--list=-", stdin="\n") == "standard input: expected a list of patches, got none"
    assert "expected a list of patches, got: No such file" in client.refusal(*model, "--list", tmp_path / "absent")


def test_heatmaps_need_a_folder(client: Client, models: Path, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    line = client.refusal("--model", models / "plain", "--heatmaps", tmp_path / "a.png", tmp_path / "a.png")
    assert line.startswith(f"{tmp_path / 'a.png'}: expected a folder for heatmaps, got")


def test_a_full_disk_is_no_success(client: Client, models: Path, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    if not Path("/dev/full").exists():
        pytest.skip("needs data: /dev/full")
    done = client.run(
        "-c", '"$0" --model "$1" "$2" > /dev/full', client.folder / "drae_inspect", models / "plain",
        tmp_path / "a.png", program="/bin/sh",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "error: standard output: cannot be written\n")


def copy_model(models: Path, target: Path, name: str = "plain") -> Path:
    return Path(shutil.copytree(models / name, target / "model"))


def remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def name_saved_model(model: Path) -> None:
    """Has the card name the SavedModel that is there."""
    change_card(model, saved_model_sha256=saved_model_digest(model / "saved_model"))


def change_card(model: Path, **values: Any) -> None:
    card = json.loads((model / "model.json").read_text()) | values
    (model / "model.json").write_text(json.dumps({key: value for key, value in card.items() if value is not None}))


def test_a_model_folder_that_is_not_whole_is_named(client: Client, models: Path, tmp_path: Path) -> None:
    patch = tmp_path / "a.png"
    patch.write_bytes(PNG)

    def line(model: Path) -> str:
        return client.refusal("--model", model, patch)

    assert line(tmp_path / "absent").endswith("with model.json and saved_model, got no such folder")
    assert line(patch).endswith("got a file")
    assert line(models / "plain" / "saved_model").endswith("got the SavedModel itself; name the folder above it")
    for name, words in (
        ("model.json", "model.json: expected the card of a trained model, got: No such file"),
        ("drae.keras", "drae.keras: expected a trained model, whose digest names it in logs, got: No such file"),
        ("saved_model", "saved_model: expected the SavedModel of a trained model, got no such folder"),
        ("saved_model/saved_model.pb", "saved_model: expected the SavedModel that model.json names at saved_model_sha"),
        ("saved_model/variables", "saved_model: expected the SavedModel that model.json names at saved_model_sha"),
    ):
        model = copy_model(models, tmp_path)
        remove(model / name)
        assert words in line(model)
        shutil.rmtree(model)


def test_a_saved_model_that_the_card_names_and_that_is_broken_is_named(
    client: Client, models: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    for name, words in (
        ("saved_model.pb", "saved_model: expected a SavedModel that TensorFlow loads, got: Could not find"),
        ("variables", "saved_model: the model failed: Could not find variable"),
    ):
        model = copy_model(models, tmp_path)
        remove(model / "saved_model" / name)
        name_saved_model(model)
        assert words in client.refusal("--model", model, tmp_path / "a.png")
        shutil.rmtree(model)


def test_half_of_another_release_is_refused(client: Client, models: Path, tmp_path: Path) -> None:
    """It would run under the digest of a model that it is not."""
    (tmp_path / "a.png").write_bytes(PNG)
    index = next((models / "plain/saved_model").rglob("*.index")).relative_to(models / "plain")
    for change in (
        lambda model: (model / index).write_bytes((models / "regions" / index).read_bytes()),
        lambda model: (model / index).rename(model / "saved_model/variables/other.index"),
        lambda model: (model / "saved_model/assets/more").write_bytes(b""),
        lambda model: change_card(model, saved_model_sha256="0" * 64),
    ):
        model = copy_model(models, tmp_path)
        (model / "saved_model/assets").mkdir(exist_ok=True)
        assert client.scores(model, tmp_path / "a.png")
        change(model)
        line = client.refusal("--model", model, tmp_path / "a.png")
        card = json.loads((model / "model.json").read_text())
        assert f"at saved_model_sha256, {card['saved_model_sha256']}, got " in line
        assert line.endswith("copy the whole model folder again")
        shutil.rmtree(model)
    model = copy_model(models, tmp_path)
    change_card(model, saved_model_sha256=None)
    assert "with a text at saved_model_sha256, got none" in client.refusal("--model", model, tmp_path / "a.png")


def test_a_card_that_does_not_fit_is_named(client: Client, models: Path, tmp_path: Path) -> None:
    patch = tmp_path / "a.png"
    patch.write_bytes(PNG)
    for text, words in (
        ("nonsense", "expected the card of a trained model, got no JSON object: "),
        ("[]", "expected the card of a trained model, got no JSON object: "),
        ("{}", "expected the card of a trained model with a list of texts at regions, got none"),
        ('{"regions": [1]}', "with a list of texts at regions, got something else"),
        ('{"regions": ["R0"]}', "expected the card of a trained model with a number at patch_size, got none"),
        ('{"regions": ["R0"], "patch_size": 32.5}', "expected a whole number of pixels at patch_size"),
        ('{"regions": ["R0"], "patch_size": 0}', "expected a whole number of pixels at patch_size"),
        ('{"regions": ["R0"], "patch_size": 1e300}', "expected a whole number of pixels at patch_size"),
        ('{"regions": ["R0", "R0"], "patch_size": 32}', "expected each name once at regions"),
        ('{"regions": ["R0"], "patch_size": 64}', "expected uint8 [n, 64, 64, 1], got uint8 [n, 32, 32, 1]"),
    ):  # fmt: skip
        model = copy_model(models, tmp_path)
        (model / "model.json").write_text(text)
        if text.endswith("}"):
            name_saved_model(model)
        assert words in client.refusal("--model", model, patch)
        shutil.rmtree(model)
    model = copy_model(models, tmp_path, "regions")
    change_card(model, regions=[])
    assert "expected the names of regions in model.json" in client.refusal("--model", model, patch)


def save_signatures(model: Path, name: str, kind: str) -> None:
    """Replaces the SavedModel by one whose signature is wrong in one way."""
    import tensorflow as tf

    changes: dict[str, dict[str, Any]] = {
        "patches of float": {"patches": tf.TensorSpec((None, SIDE, SIDE, 1), tf.float32)},
        "patches of three channels": {"patches": tf.TensorSpec((None, SIDE, SIDE, 3), tf.uint8)},
        "patches of one number": {"patches": tf.TensorSpec((2, SIDE, SIDE, 1), tf.uint8)},
        "patches of any shape": {"patches": tf.TensorSpec(None, tf.uint8)},
        "regions of int64": {"regions": tf.TensorSpec((None,), tf.int64)},
        "exposure": {"exposure": tf.TensorSpec((None,), tf.float32)},
    }
    takes = {"patches": tf.TensorSpec((None, SIDE, SIDE, 1), tf.uint8)} | changes.get(kind, {})

    def inspect(**inputs: Any) -> dict[str, Any]:
        images = tf.reshape(tf.cast(inputs["patches"], tf.float32), (-1, SIDE, SIDE))
        # Every input must be used, else it is no part of the graph.
        images += tf.add_n([0.0 * tf.reduce_sum(tf.cast(value, tf.float32)) for value in inputs.values()])
        score = tf.reduce_mean(images, (1, 2))
        outputs = {"score": score, "heatmap": images}
        if kind == "score of double":
            outputs["score"] = tf.cast(score, tf.float64)
        if kind == "score of pixels":
            outputs["score"] = images
        if kind == "nan":
            outputs["score"] = tf.where(score > 100, score, np.nan)
        if kind == "no heatmap":
            del outputs["heatmap"]
        return outputs

    module = tf.Module()
    function = tf.function(inspect).get_concrete_function(**takes)
    shutil.rmtree(model / "saved_model")
    tf.saved_model.save(module, str(model / "saved_model"), signatures={name: function})
    name_saved_model(model)


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        (
            "reconstruct",
            "",
            "saved_model: expected the signature inspect, got only reconstruct; export the model again",
        ),
        ("inspect", "patches of float", "input patches: expected uint8 [n, 32, 32, 1], got float32 [n, 32, 32, 1]"),
        ("inspect", "patches of three channels", "expected uint8 [n, 32, 32, 1], got uint8 [n, 32, 32, 3]"),
        ("inspect", "patches of one number", "expected uint8 [n, 32, 32, 1], got uint8 [2, 32, 32, 1]"),
        ("inspect", "patches of any shape", "expected uint8 [n, 32, 32, 1], got uint8 of any shape"),
        ("inspect", "regions of int64", "signature inspect, input regions: expected int32 [n], got int64 [n]"),
        ("inspect", "exposure", "input exposure: expected patches and regions only, got float32 [n]; this client"),
        ("inspect", "score of double", "signature inspect, output score: expected float32 [n], got float64 [n]"),
        ("inspect", "score of pixels", "output score: expected float32 [n], got float32 [n, 32, 32]"),
        ("inspect", "no heatmap", "output heatmap: expected float32 [n, 32, 32], got none; export the model again"),
    ],
)
def test_another_signature_is_named(
    client: Client, models: Path, tmp_path: Path, name: str, kind: str, words: str
) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    model = copy_model(models, tmp_path)
    save_signatures(model, name, kind)
    assert words in client.refusal("--model", model, tmp_path / "a.png")


def test_a_signature_that_fits_is_not_refused(client: Client, models: Path, tmp_path: Path) -> None:
    """The models above are wrong in one way each: this one is not, and its scores are mean pixels."""
    (tmp_path / "a.png").write_bytes(PNG)
    model = copy_model(models, tmp_path)
    save_signatures(model, "inspect", "")
    assert client.scores(model, tmp_path / "a.png") == pytest.approx([PATCH.mean()], rel=1e-5)


def test_a_score_that_is_no_number_is_refused(client: Client, models: Path, tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(bytes([200] * SIDE * SIDE + [50] * SIDE * SIDE))
    model = copy_model(models, tmp_path)
    save_signatures(model, "inspect", "nan")
    line = client.refusal("--model", model, "--raw", tmp_path / "a.raw")
    assert line.startswith("patch 1, counted from 0: expected a finite score, got ")
    assert "nan" in line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "expected --model FOLDER"),
        (["a.png"], "expected --model FOLDER"),
        (["--model", "m"], "expected patches, or --list FILE"),
        (["--model"], "--model: expected a value after it"),
        (["--model="], "--model: expected a value after it"),
        (["--model", "m", "--list", "l", "a.png"], "expected --list, or patches on the command line, got both"),
        (["--model", "m", "--region", "R0"], "--region R0: expected patches after it"),
        (["--model", "m", "--region", "R0", "--region", "R1", "a.png"], "--region R0: expected patches after it"),
        (["--model", "m", "--repeat", "0", "a.png"], "--repeat: expected a whole number of 1 or more, got '0'"),
        (["--model", "m", "--repeat", "1.5", "a.png"], "--repeat: expected a whole number of 1 or more, got '1.5'"),
        (["--model", "m", "--intra-op", "-1", "a.png"], "--intra-op: expected a whole number of 0 or more, got '-1'"),
        (["--model", "m", "--inter-op=99999999999", "a.png"], "--inter-op: expected a whole number of 0 or more"),
        (["--model", "m", "--raw=yes", "a.png"], "--raw: expected no value, got 'yes'"),
        (["--modle", "m", "a.png"], "expected one of the options, got --modle"),
    ],
)
def test_a_command_line_that_says_nothing_has_status_2(client: Client, arguments: list[str], words: str) -> None:
    line = client.refusal(*arguments, status=2)
    assert words in line
    assert line.endswith("; drae_inspect --help says how")


def test_help_teaches(client: Client) -> None:
    done = client.run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for word in ("--model", "--region", "--list", "--raw", "--heatmaps", "--repeat", "--intra-op", "--inter-op"):
        assert f"  {word}" in done.stdout
    assert "Examples:" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100
    version = client.run("--version")
    assert (version.returncode, version.stdout.split()[::2]) == (0, ["drae_inspect", "TensorFlow"])
