"""DVC's stage `train`: repro trains what changed, and metrics, plots and experiments show what came of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.campaigns.small_project import FRAMES, SET, make_project
from tests.dvc_commands import dvc, git, ran

pytestmark = [pytest.mark.slow, pytest.mark.beam]
STRIPS = 10  # A tenth of them, one, is for validation.
SCORE = "reports/train/plots/metrics/validation/score.tsv"


def change(folder: Path, edit: Any) -> None:
    yaml = YAML()
    values = yaml.load(folder / "params.yaml")
    edit(values)
    yaml.dump(values, folder / "params.yaml")


def shrink(values: Any) -> None:
    """A training of four steps. One list in two places would be an anchor, which `-S` of DVC cannot write."""
    values["build"][SET].update(frames=[*FRAMES], images={"frames": [*FRAMES], "rank": ["min", "max"]})
    train = values["train"]
    train["network"].update(
        input_size=16, widths=[4, 8], discriminator_widths=[4, 8], bottleneck=6, linear_path=None,
        normalization={"kind": "none", "momentum": 0.9, "groups": 1},
    )  # fmt: skip
    train["score"] = {"aggregate": "mean", "percentile": 99, "window": 3}
    train["guard"] = {"discriminator_floor": 0.0, "latent_floor": 0.0}
    train.update(q=0.75, batch_size=4, epochs=2, steps_per_epoch=2, validation_patches=8, checkpoint_steps=1, panels=2)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A committed project whose model was trained once, by `dvc repro train` from the frames on."""
    folder = make_project(tmp_path_factory.mktemp("dvc") / "project", STRIPS)
    change(folder, shrink)
    (folder / ".git/info/exclude").write_text("/.dvc/site/\n")
    git(folder, "config", "user.name", "test")
    git(folder, "config", "user.email", "test@example.invalid")
    # DVCLive asks for the newest commit, and so there must be one.
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "begun")
    assert ran(dvc(folder, "repro", "train")) == [f"build@{SET}", f"inspect_data@{SET}", "train"]
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "trained")
    return folder


def test_metrics_are_those_of_the_model(project: Path) -> None:
    shown = json.loads(dvc(project, "metrics", "show", "--json"))
    metrics = shown[""]["data"]["reports/train/metrics.json"]["data"]
    card = json.loads((project / "models/drae/model.json").read_text())
    assert metrics["best_score"] == card["metrics"]["validation_score"]
    assert metrics["validation"]["score"] == card["metrics"]["history"][-1]["val_score"]


def test_plots_show_a_point_per_epoch_and_the_panels(project: Path) -> None:
    plots = json.loads(dvc(project, "plots", "show", "--json"))["data"]
    assert {"validation score", "generator loss", "discriminator loss"} <= set(plots)
    (curve,) = plots["validation score"]
    points = curve["content"]["data"]["values"]
    file = [line.split("\t") for line in (project / SCORE).read_text().splitlines()]
    assert [[point["step"], point["score"]] for point in points] == file[1:]
    assert len(points) == 2
    assert {"panels/1.png", "panels/2.png"} <= {name.split("images/")[-1] for name in plots}


def test_nothing_is_trained_again_where_nothing_changed(project: Path) -> None:
    assert ran(dvc(project, "repro", "train")) == []
    # What is committed stays as it is, dvc.lock too.
    assert git(project, "status", "--porcelain", "--untracked-files=no") == ""


def test_a_parameter_of_the_training_plans_the_training_alone(project: Path) -> None:
    change(project, lambda values: values["train"].update(q=0.5))
    assert ran(dvc(project, "repro", "--dry", "train")) == ["train"]
    change(project, lambda values: values["train"].update(q=0.75))
    # Another limit asks the version anew; its gate stays what it was, and nothing is trained for it.
    change(project, lambda values: values["inspect_data"]["limits"].update(exposure=14))
    assert ran(dvc(project, "repro", "train")) == [f"inspect_data@{SET}"]
    change(project, lambda values: values["inspect_data"]["limits"].update(exposure=15))
    assert ran(dvc(project, "repro", "train")) == []
    assert ran(dvc(project, "repro", "--dry", "train")) == []


def test_what_neither_data_nor_model_depends_on_plans_nothing(project: Path) -> None:
    module = project / "pipelines/picture_perturbation.py"
    before = module.read_text()
    module.write_text(before + "# a picture's module\n")
    assert ran(dvc(project, "repro", "--dry", "train")) == []
    module.write_text(before)


def test_an_experiment_trains_and_is_listed_beside_what_was_committed(project: Path) -> None:
    output = dvc(project, "exp", "run", "--name", "half", "-S", "train.q=0.5", "train")
    assert ran(output) == ["train"]

    _, committed = json.loads(dvc(project, "exp", "show", "--json"))
    (experiment,) = committed["experiments"]
    (half,) = experiment["revs"]
    assert experiment["name"] == half["name"] == "half"
    for data, q in ((committed["data"], 0.75), (half["data"], 0.5)):
        assert data["params"]["params.yaml"]["data"]["train"]["q"] == q
    scores = [
        data["metrics"]["reports/train/metrics.json"]["data"]["best_score"]
        for data in (committed["data"], half["data"])
    ]
    assert scores[0] != scores[1]

    plots = json.loads(dvc(project, "plots", "diff", "--json", "HEAD", "half"))["data"]
    (curve,) = plots["validation score"]
    assert sorted(curve["revisions"]) == ["HEAD", "half"]
    assert len(curve["content"]["data"]["values"]) == 4
    # The workspace holds the experiment now: its model, and its parameter.
    assert json.loads((project / "models/drae/model.json").read_text())["train"]["perturbation"]["q"] == 0.5
    assert ran(dvc(project, "repro", "train")) == []
