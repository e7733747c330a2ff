"""Section `train` of the params files: the paper's numbers in its profile, and errors that name the whole key."""

from pathlib import Path
from typing import Any

import pytest

from drae_data.errors import DraeError, OptionError
from drae_model.loss_options import LossOptions, ScoreOptions
from drae_model.perturbation_options import AugmentationOptions, PerturbationOptions
from pipelines import params_train
from pipelines.params import ParamsError, load_params
from pipelines.params_section import Section
from tests.small_params import load_values, read_values, set_value

ROOT = Path(__file__).resolve().parents[2]


def plain() -> dict[str, Any]:
    return read_values(ROOT / "params.yaml")


def changed(place: str, value: object) -> dict[str, Any]:
    """The demo profile with one value changed."""
    values = plain()
    set_value(values, place, value)
    return values


@pytest.mark.parametrize(("name", "trained_set"), [("params.yaml", "training"), ("params.paper.yaml", "production")])
def test_both_profiles_train_patches_that_their_build_makes(name: str, trained_set: str) -> None:
    params = load_params(ROOT / name)
    options = params.training_options()
    assert params.patch.size % options.network.input_size == 0
    assert params.train_params().set == trained_set
    trained = params.dataset_options(trained_set, {"reference.png": b""})
    assert trained.split.by != "none"
    assert trained.split.validation_fraction > 0


def test_the_paper_profile_has_the_papers_network() -> None:
    """Section 7.2: 4 stages of 3 blocks from 256 x 256 down to 16 x 16 x 1024, dense bottleneck of 64, ResNet V2."""
    network = load_params(ROOT / "params.paper.yaml").training_options().network
    assert network.input_size == 256
    assert network.widths == (128, 256, 512, 1024)
    assert network.discriminator_widths == (128, 256, 512, 1024)
    assert network.input_size // 2 ** len(network.widths) == 16
    assert network.blocks == 3
    assert network.bottleneck == 64
    assert network.activation == "pre"
    assert network.normalization.kind == "batch"
    assert network.linear_path is None


def test_the_paper_profile_has_the_papers_noise_and_augmentation() -> None:
    """Sections 6.2 and 7.3, and DRAEM's noise (arXiv:2108.07610): 2^0 to 2^6 cells, threshold 0.5, beta 0.5 to 1.

    Rotation within pi/8 = 180 / 8 = 22.5 degrees, a vertical flip, and no horizontal one, which is an anomaly.
    """
    options = load_params(ROOT / "params.paper.yaml").training_options()
    assert options.perturbation == PerturbationOptions(0.75, (0, 6), 0.5, (0.5, 1.0), "field")
    assert options.augmentation == AugmentationOptions(
        22.5, 0.0, options.augmentation.border, vertical_flip=True, horizontal_flip=False
    )


def test_the_paper_profile_has_the_papers_loss_weights() -> None:
    """Equation 8: w1 = 1, w2 = 50, wa = 2, wb = 1, w3 = 1, w4 = 3; the score is equation 9, a mean."""
    options = load_params(ROOT / "params.paper.yaml").training_options()
    weights = {"adversarial": 1.0, "contextual": 50.0, "huber": 2.0, "ssim": 1.0, "encoder": 1.0, "noise": 3.0}
    assert {key: getattr(options.losses, key) for key in weights} == weights
    assert isinstance(options.losses, LossOptions)
    assert options.score == ScoreOptions("mean", options.score.percentile, options.score.window)


def test_the_paper_profile_has_the_papers_schedule() -> None:
    """Section 7.3: 1.5e-4, a restart each 2,533,680 steps at a third, batches of 32, 10 epochs (section 7).

    90 % of 2,815,200 patches are 2,533,680: a restart each so many patches would be one an epoch.
    """
    options = load_params(ROOT / "params.paper.yaml").training_options()
    rate = options.learning_rate
    assert (rate.start, rate.restart_steps) == (1.5e-4, 2_533_680)
    assert rate.restart_factor == pytest.approx(1 / 3, rel=1e-12)
    assert (options.batch_size, options.epochs) == (32, 10)
    # Every patch once: no cut of an epoch or of its validation.
    assert options.steps_per_epoch is None
    assert options.validation_patches is None


def test_values_arrive_where_they_belong(tmp_path: Path) -> None:
    values = changed("train.seed", 41)
    values["train"]["learning_rate"]["restart_steps"] = "epoch"
    values["train"]["network"]["linear_path"] = None
    values["train"]["network"]["widths"] = [16, 32]
    values["train"]["shuffle"] = {"buffer": 7, "mixed_shards": 3}
    values["train"]["q"] = 1
    options = load_values(tmp_path, values).training_options()
    assert (options.seed, options.shuffle.seed) == (41, 41)
    assert (options.shuffle.buffer, options.shuffle.mixed_shards) == (7, 3)
    assert options.learning_rate.restart_steps is None  # An epoch, however long that is.
    assert options.network.linear_path is None
    assert options.network.widths == (16, 32)
    assert options.perturbation.q == 1


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        # Of the params file's form.
        ("train.netwrok", {}, r"train\.netwrok: unknown key .*did you mean 'network'"),
        ("train.network.width", [8], r"train\.network\.width: unknown key .*allowed here: .*did you mean 'widths'"),
        ("train.network.linear_path.component", 3, r"train\.network\.linear_path\.component: unknown key"),
        ("train.network.widths", [8, "16"], r"train\.network\.widths\.1: expected a valid integer, got '16' \(str\)"),
        ("train.network.widths", 8, r"train\.network\.widths: expected a valid list, got 8"),
        ("train.network.widths", [8, 0], r"train\.network\.widths\.1: expected greater than or equal to 1, got 0"),
        ("train.network.merge", "sum", r"train\.network\.merge: expected 'add' or 'concat', got 'sum'"),
        ("train.network.normalization.kind", "layer", r"train\.network\.normalization\.kind: expected 'batch', 'gr"),
        ("train.perturbation.octaves", [0], r"train\.perturbation\.octaves: expected a list of at least 2 items"),
        ("train.losses.noise", "3", r"train\.losses\.noise: expected a valid number, got '3' \(str\)"),
        ("train.learning_rate.start", float("nan"), r"train\.learning_rate\.start: expected a finite number"),
        ("train.batch_size", 1.5, r"train\.batch_size: expected a valid integer, got 1\.5 \(float\)"),
        ("train.epochs", 0, r"train\.epochs: expected greater than or equal to 1, got 0"),
        ("train.xla", "yes", r"train\.xla: expected a valid boolean, got 'yes' \(str\)"),
        ("train.folder", "", r"train\.folder: expected a text of at least 1 character"),
        ("train.set", "kitt",
         r"train\.set: expected one of \['calibration', 'kit', 'production', 'training'\], got 'kitt'"),
        # Of the options themselves.
        ("train.q", 1.2, r"train\.q: expected 0\.0 to 1\.0, got 1\.2"),
        ("train.seed", -1, r"train\.seed: expected .* 0.* got -1"),
        ("train.network.widths", [], r"train\.network\.widths: expected at least one stage, got \[\]"),
        ("train.network.widths", [4] * 8, r"train\.network\.widths: expected at most as many stages as input_size 128"),
        ("train.network.discriminator_widths", [], r"train\.network\.discriminator_widths: expected at least one"),
        ("train.network.input_size", 8, r"train\.network\.input_size: expected a whole number, 16 or more, got 8"),
        ("train.network.normalization", {"kind": "group", "momentum": 0.9, "groups": 3},
         r"train\.network\.widths: expected multiples of normalization\.groups, 3, got 8"),
        ("train.network.normalization.momentum", 2, r"train\.network\.normalization\.momentum: expected 0\.0 to 1\.0"),
        ("train.network.linear_path.fit_patches", 3, r"train\.network\.linear_path\.fit_patches: expected a whole num"),
        ("train.perturbation.octaves", [4, 2], r"train\.perturbation\.octaves: expected two whole numbers in order"),
        ("train.perturbation.beta", [0.5, 1.5], r"train\.perturbation\.beta: expected two numbers in order, 0 to 1"),
        ("train.augmentation.rotation_degrees", 200, r"train\.augmentation\.rotation_degrees: expected 0\.0 to 180"),
        ("train.losses.huber_delta", 0, r"train\.losses\.huber_delta: expected a number, 1e-06 or more, got 0"),
        ("train.learning_rate.start", 0, r"train\.learning_rate\.start: expected a number, 1e-12 or more, got 0"),
        ("train.score", {"aggregate": "window_max", "percentile": 99, "window": 119},
         r"train\.score\.window: expected at most input_size - 10 = 118, got 119"),
        ("train.devices", 3, r"train\.batch_size: expected a multiple of devices, 3, got 16"),
        ("train.guard.latent_floor", -1, r"train\.guard\.latent_floor: expected a number, 0\.0 or more, got -1"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_by_its_whole_key(tmp_path: Path, place: str, value: object, said: str) -> None:
    with pytest.raises(DraeError, match=said) as caught:
        load_values(tmp_path, changed(place, value)).training_options()
    assert isinstance(caught.value, ParamsError | OptionError)
    if isinstance(caught.value, OptionError):
        assert str(caught.value).startswith("train.")


@pytest.mark.parametrize(("section", "key"), [("losses", "noise"), ("network", "lateral")])
def test_a_missing_key_is_named(tmp_path: Path, section: str, key: str) -> None:
    values = plain()
    del values["train"][section][key]
    with pytest.raises(ParamsError, match=rf"train\.{section}\.{key}: missing"):
        load_values(tmp_path, values)


def test_no_value_of_a_training_is_a_default_in_code() -> None:
    sections = [
        value for value in vars(params_train).values() if isinstance(value, type) and issubclass(value, Section)
    ]
    assert {params_train.TrainParams, params_train.NetworkParams} < set(sections)
    given = [
        f"{section.__name__}.{name}"
        for section in sections
        for name, field in section.model_fields.items()
        if not field.is_required()
    ]
    assert given == []


def test_a_params_file_without_the_section_builds_but_does_not_train(tmp_path: Path) -> None:
    values = plain()
    del values["train"]
    params = load_values(tmp_path, values)
    assert params.dataset_options("production", {"reference.png": b""}).version == "1.0.0"
    with pytest.raises(ParamsError, match=r"^train: missing"):
        params.training_options()
