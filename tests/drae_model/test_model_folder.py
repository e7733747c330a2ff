"""The folder of a model: every way of running it gives the same scores; what is broken is named."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
from skimage.metrics import structural_similarity
from tensorflow.core.protobuf import saved_model_pb2

from drae_model import model_folder
from drae_model.errors import ModelError
from drae_model.loss_options import ScoreOptions
from drae_model.model_card import check_saved_model, read_card, saved_model_digest
from drae_model.model_folder import Inspector, load_inspector, write_model
from drae_model.networks import build_autoencoder
from tests.small_line import tree_bytes
from tests.small_training import LINEAR, NETWORK

ROOT = Path(__file__).resolve().parents[2]
SCORE = ScoreOptions("window_max", 99.0, 3)
CARD = {
    "patch_size": 32, "regions": ["R1", "R0"],
    "score": {"options": {"aggregate": "window_max", "percentile": 99.0, "window": 3}},
}  # fmt: skip
REGIONS = np.array([1, 0, 0, 1, 1], np.int32)
PATCHES = np.random.default_rng(5).integers(0, 256, (5, 32, 32, 1), dtype=np.uint8)


@pytest.fixture(scope="module")
def inspector() -> Inspector:
    return Inspector(build_autoencoder(LINEAR, 2, 7, "float32"), SCORE, 32, ["R1", "R0"])


@pytest.fixture(scope="module")
def folder(inspector: Inspector, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model")
    write_model(path, inspector, CARD)
    return path


def test_scores_are_those_of_scikit_image_on_averaged_pixels(inspector: Inspector) -> None:
    images = PATCHES.reshape(5, 16, 2, 16, 2).mean(axis=(2, 4)).astype(np.float32) / 255
    rebuilt = inspector.reconstruct(PATCHES, REGIONS)["reconstruction"].numpy()[..., 0]
    found = inspector.inspect(PATCHES, REGIONS)

    for number in range(5):
        _, similarity = structural_similarity(
            images[number], rebuilt[number], gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
            data_range=1.0, full=True,
        )  # fmt: skip
        lost = 1 - similarity[5:-5, 5:-5]
        windows = [lost[y : y + 3, x : x + 3].mean() for y in range(4) for x in range(4)]
        assert found["score"].numpy()[number] == pytest.approx(max(windows), abs=2e-4)
        difference = np.abs(images[number] - rebuilt[number])
        scaled = (difference - difference.min()) / (difference.max() - difference.min())
        large = tf.image.resize(scaled[..., None], (32, 32)).numpy()[..., 0]
        np.testing.assert_allclose(found["heatmap"].numpy()[number], large, atol=1e-4)


def test_file_and_saved_model_give_the_models_own_values(inspector: Inspector, folder: Path) -> None:
    expected = inspector.inspect(PATCHES, REGIONS)
    rebuilt = inspector.reconstruct(PATCHES, REGIONS)["reconstruction"].numpy()

    again = load_inspector(folder)
    saved = tf.saved_model.load(str(folder / "saved_model"))
    inputs = {"patches": tf.constant(PATCHES), "regions": tf.constant(REGIONS)}

    for found in (again.inspect(PATCHES, REGIONS), saved.signatures["inspect"](**inputs)):
        np.testing.assert_allclose(found["score"], expected["score"], rtol=0, atol=1e-6)
        np.testing.assert_allclose(found["heatmap"], expected["heatmap"], rtol=0, atol=1e-5)
    found = saved.signatures["reconstruct"](**inputs)["reconstruction"]
    np.testing.assert_allclose(found, rebuilt, rtol=0, atol=1e-6)
    assert (again.patch_size, again.input_size, again.score, again.regions) == (32, 16, SCORE, ("R1", "R0"))


def test_a_patch_is_judged_as_one_of_its_region(inspector: Inspector) -> None:
    scores = [inspector.inspect(PATCHES, np.full(5, region, np.int32))["score"].numpy() for region in (0, 1)]
    assert not np.any(np.isclose(*scores))
    mixed = inspector.inspect(PATCHES, REGIONS)["score"].numpy()
    np.testing.assert_allclose(mixed, np.where(REGIONS == 0, *scores), atol=1e-6)
    np.testing.assert_array_equal(inspector.region_numbers(["R0", "R1", "R1", "R0", "R0"]), REGIONS)


def test_a_region_that_the_model_does_not_know_is_refused(inspector: Inspector, folder: Path) -> None:
    saved = tf.saved_model.load(str(folder / "saved_model"))
    patches = tf.constant(PATCHES[:2])
    for number in (-1, 2):
        regions = tf.constant([0, number], tf.int32)
        for inspect in (inspector.inspect, saved.signatures["inspect"]):
            with pytest.raises(tf.errors.InvalidArgumentError, match=r"expected numbers .* regions, 0 R1, 1 R0, got"):
                inspect(patches=patches, regions=regions)
    # One number would do for all patches, were it not refused.
    for count in (1, 3):
        for inspect in (inspector.inspect, saved.signatures["inspect"]):
            with pytest.raises(tf.errors.InvalidArgumentError, match="regions: expected one for each patch"):
                inspect(patches=patches, regions=tf.zeros(count, tf.int32))
    with pytest.raises(ModelError, match="trained on, R1, R0, got R7"):
        inspector.region_numbers(["R0", "R7"])
    with pytest.raises(ModelError, match="expected regions, int32"):
        inspector.inspect(patches)


def test_a_model_with_one_subspace_or_none_needs_no_regions(tmp_path: Path) -> None:
    for number, network in enumerate((LINEAR, NETWORK)):
        model = Inspector(build_autoencoder(network, 1, 7, "float32"), SCORE, 32, ["R1", "R0"])
        expected = model.inspect(PATCHES)["score"]
        np.testing.assert_array_equal(model.inspect(PATCHES, REGIONS)["score"], expected)
        (tmp_path / str(number)).mkdir()
        write_model(tmp_path / str(number), model, CARD)
        inspect = tf.saved_model.load(str(tmp_path / str(number) / "saved_model")).signatures["inspect"]
        assert set(inspect.structured_input_signature[1]) == {"patches"}
        np.testing.assert_allclose(inspect(patches=tf.constant(PATCHES))["score"], expected, rtol=0, atol=1e-6)


def test_other_processes_write_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    """The graph too: a place in memory, a random number, a time, or what the process traced before would differ."""
    code = (
        "import pathlib, sys; from drae_model.model_folder import *; read, made = map(pathlib.Path, sys.argv[1:]); "
        "[path.mkdir() for path in (made, made / 'first', made / 'second')]; "
        "[write_model(made / name, load_inspector(read), read_card(read)) for name in ('first', 'second')]"
    )
    for name in ("one", "other"):
        subprocess.run([sys.executable, "-c", code, str(folder), str(tmp_path / name)], cwd=ROOT, check=True)
    expected = tree_bytes(folder)
    assert len(expected) == 5
    for name in ("one/first", "one/second", "other/first"):
        found = tree_bytes(tmp_path / name)
        assert [path for path in expected.keys() | found.keys() if expected.get(path) != found.get(path)] == [], name


def test_a_saved_model_says_what_tensorflow_wrote_but_for_counters(
    inspector: Inspector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_folder, "_take_counters_out", lambda _: None)
    write_model(tmp_path, inspector, CARD)
    written = tmp_path / "saved_model/saved_model.pb"
    theirs = saved_model_pb2.SavedModel.FromString(written.read_bytes())
    monkeypatch.undo()
    model_folder._take_counters_out(written)
    ours = saved_model_pb2.SavedModel.FromString(written.read_bytes())

    def lines(model: Any) -> Counter[str]:
        model.meta_graphs[0].graph_def.library.function.sort(key=lambda one: one.signature.name)
        return Counter(re.sub(r'_\d+"$', '"', line) for line in str(model).splitlines())

    gone, new = lines(theirs) - lines(ours), lines(ours) - lines(theirs)
    assert gone
    assert {line.strip() for line in new} <= {"}"}
    weights = [line for line in gone if re.fullmatch(r' *s: "\d+"', line)]
    others = {re.sub(r"\d", "", line.strip()) for line in gone if line not in weights}
    assert others <= {"attr {", 'key: "_user_specified_name"', "value {", "}"}, others


def test_the_card_names_the_saved_model_by_what_sha256sum_prints(folder: Path, tmp_path: Path) -> None:
    """By the command in docs/native.md: so an auditor, the C++ client and Python agree."""
    command = re.search(r"^    (find .*)# saved_model_sha256$", (ROOT / "docs/native.md").read_text(), re.MULTILINE)
    assert command is not None
    named = json.loads((folder / "model.json").read_text())["saved_model_sha256"]
    linked = Path(shutil.copytree(folder, tmp_path / "linked"))
    for path in [path for path in (linked / "saved_model").rglob("*") if path.is_file()]:
        # As DVC may leave it.
        path.unlink()
        path.symlink_to(folder / path.relative_to(linked))
    for place in (folder, linked):
        said = subprocess.run(command[1], shell=True, cwd=place / "saved_model", capture_output=True, check=True)
        assert said.stdout.decode().split()[0] == named
        check_saved_model(place)

    def damage(name: str, content: bytes) -> None:
        copy = Path(shutil.copytree(folder, tmp_path / "model"))
        (copy / "saved_model" / name).write_bytes(content)
        with pytest.raises(ModelError, match=rf"saved_model: expected .* {named}, got [0-9a-f]{{64}}; copy the whole"):
            check_saved_model(copy)
        shutil.rmtree(copy)

    damage("saved_model.pb", b"")
    damage("another", b"")
    damage("variables/variables.index", b"")
    damage(os.fsdecode(b"Pr\xfc f"), b"")


def test_a_saved_model_that_cannot_be_checked_is_named(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "model"))
    shutil.rmtree(copy / "saved_model")
    with pytest.raises(ModelError, match=r"saved_model: expected to read the SavedModel, got: No such file"):
        check_saved_model(copy)
    (copy / "model.json").write_text("{}")
    with pytest.raises(ModelError, match=r"model.json: expected SHA-256 .* an earlier version; train it again"):
        check_saved_model(copy)


def test_functions_of_one_name_are_numbered_in_the_order_in_which_they_were_traced() -> None:
    names = ["f_10_2", "g_7", "f_9_3", "f_10_1", "h"]
    new = {"f_9_3": "f", "f_10_1": "f_1", "f_10_2": "f_2", "g_7": "g", "h": "h"}
    assert model_folder._without_counters(names) == new
    assert model_folder._without_counters(["f_2", "f_1"]) == {"f_1": "f", "f_2": "f_1"}


def test_raw_patches_and_images_that_were_read_have_the_same_scores_bit_for_bit(inspector: Inspector) -> None:
    """In a graph a division by 255 would become a product, other in the last bit for half of the grey values."""
    patches = np.random.default_rng(5).integers(0, 256, (5, 32, 32, 1), np.uint8)
    images = patches.astype(np.float32) / np.float32(255)
    raw, read = (
        tf.function(function, input_signature=inspector.specs(None, dtype), autograph=False)
        for function, dtype in ((inspector.examine, tf.uint8), (inspector.score_images, tf.float32))
    )
    np.testing.assert_array_equal(raw(patches, REGIONS)["score"].numpy(), read(images, REGIONS).numpy())


def test_a_process_that_imports_nothing_else_loads_it(folder: Path) -> None:
    load = "load_inspector(pathlib.Path(sys.argv[1]))"
    code = f"import sys, pathlib; from drae_model.model_folder import *; print({load}.input_size)"
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.stdout.strip() == "16", done.stderr[-2000:]


def test_the_signatures_take_raw_patches_of_any_number(folder: Path) -> None:
    saved = tf.saved_model.load(str(folder / "saved_model"))
    inspect = saved.signatures["inspect"]

    # Keras gives the first of them the name that servers ask for by default, too.
    assert set(saved.signatures) == {"inspect", "reconstruct"}
    assert inspect.structured_input_signature[1] == {
        "patches": tf.TensorSpec((None, 32, 32, 1), tf.uint8, name="patches"),
        "regions": tf.TensorSpec((None,), tf.int32, name="regions"),
    }
    one = inspect(patches=tf.constant(PATCHES[:1]), regions=tf.constant(REGIONS[:1]))
    assert (one["score"].shape, one["heatmap"].shape) == ((1,), (1, 32, 32))
    assert one["score"].dtype == one["heatmap"].dtype == tf.float32


def test_the_same_model_gives_the_same_keras_file_at_any_time(
    inspector: Inspector, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tomorrow(*_: object) -> time.struct_time:
        return time.gmtime(time.time() + 86_400)

    monkeypatch.setattr(time, "localtime", tomorrow)
    write_model(tmp_path, inspector, CARD)

    for name in ("drae.keras", "model.json"):
        assert (folder / name).read_bytes() == (tmp_path / name).read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["drae.keras", "model.json", "saved_model"]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("model.json", None, "model.json: expected the card"),
        ("model.json", "[]", "expected a JSON object, got list"),
        ("model.json", "{}", "expected a trained model, got: 'score'"),
        ("drae.keras", None, "expected a trained model, got"),
        ("drae.keras", "nonsense", "expected a trained model, got"),
    ],
)
def test_a_broken_folder_is_named(folder: Path, tmp_path: Path, name: str, text: str | None, words: str) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "model"))
    (copy / name).unlink()
    if text is not None:
        (copy / name).write_text(text)

    with pytest.raises(ModelError, match=words) as caught:
        load_inspector(copy)
    assert str(copy) in str(caught.value)


def test_a_card_of_other_regions_is_named(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "model"))
    (copy / "model.json").write_text(json.dumps({**CARD, "regions": ["R0", "R1", "R2"]}))
    with pytest.raises(ModelError, match="a subspace for each of the card's regions, R0, R1, R2, got 2"):
        load_inspector(copy)


def test_the_card_is_read_back(folder: Path) -> None:
    named = saved_model_digest(folder / "saved_model")
    assert read_card(folder) == json.loads(json.dumps(CARD)) | {"saved_model_sha256": named}
    assert keras.__version__
