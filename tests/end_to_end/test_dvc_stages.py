"""Which stages of `dvc.yaml` a change concerns, and which a project of own frames keeps. DVC is asked; nothing runs.

Packages and `dvc.yaml` are the repository's own; what a stage would write is a few bytes under the right name, and DVC
is told to take it for the outcome of a run.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

import pytest
from dvc.repo import Repo
from ruamel.yaml import YAML

from pipelines import evaluate
from pipelines.params import Params, load_params

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
PROFILES = sorted(path.name for path in ROOT.glob("params*.yaml"))
SYNTHESIZED = ("production", "calibration", "kit")
BUILT = ("production", "training", "calibration", "kit")
BY_SET = ("build", "inspect_data", "archive")
JUDGING = ("score", "calibrate", "evaluate", "model_card")
Edit = Callable[[Any, Any], None]


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DVC's own files lie with the test."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))


@contextmanager
def opened(folder: Path) -> Iterator[Repo]:
    """DVC at work in a project: it asks for the current folder too."""
    with chdir(folder), Repo() as repo:
        yield repo


def make(folder: Path, edit: Edit | None = None, profile: str = "params.yaml") -> Path:
    """A project where no stage has run, its `params.yaml` and `dvc.yaml` edited as a user would."""
    for package in [*ROOT.glob("drae_*"), ROOT / "pipelines"]:
        shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(ROOT / ".dvcignore", folder / ".dvcignore")
    yaml = YAML()
    params, stages = yaml.load(ROOT / profile), yaml.load(ROOT / "dvc.yaml")
    if edit:
        edit(params, stages)
    yaml.dump(params, folder / "params.yaml")
    yaml.dump(stages, folder / "dvc.yaml")
    Repo.init(str(folder), no_scm=True).close()
    return folder


def write_outs(folder: Path) -> None:
    """Writes something where each stage would."""
    with opened(folder) as repo:
        outs = [Path(out.fs_path) for stage in repo.index.stages for out in stage.outs]
    for path in outs:
        file = path if path.suffix in (".json", ".parquet") else path / "content"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(path.name)
    inner = ["models/drae/drae.keras", "models/drae/model.json", "models/drae/saved_model/saved_model.pb"]
    inner += [f"scores/{path.name}/scores.json" for path in folder.glob("scores/*")]
    for name in inner:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(name)


def concerned(folder: Path) -> set[str]:
    """The stages that DVC would run for what changed, before anything new comes of them."""
    with opened(folder) as repo:
        return set(repo.status())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("stages")
        patch.setenv("DVC_SITE_CACHE_DIR", str(folder / "site"))
        project = make(folder / "project")
        write_outs(project)
        with opened(project) as repo:
            repo.commit(force=True)
        return project


@pytest.fixture
def project(finished: Path, tmp_path: Path) -> Path:
    """A project whose stages have all run, as far as DVC can tell."""
    folder = tmp_path / "project"
    shutil.copytree(finished, folder)
    assert concerned(folder) == set()
    return folder


def code_of(folder: Path, name: str) -> set[str]:
    with opened(folder) as repo:
        (stage,) = [stage for stage in repo.index.stages if stage.addressing.rpartition(":")[2] == name]
        places = [
            Path(dep.fs_path).relative_to(folder) for dep in stage.deps if Path(dep.fs_path).is_relative_to(folder)
        ]
    return {str(place) for place in places if place.parts[0].startswith(("drae_", "pipelines"))}


def append(path: Path) -> None:
    files = sorted(path.rglob("*.html")) if path.is_dir() else [path]
    for file in files:
        file.write_text(file.read_text() + "\n")


@pytest.mark.parametrize(
    ("place", "value", "stages"),
    [
        ("calibrate.good_quantile", 0.99, {"calibrate", "evaluate"}),
        ("calibrate.goals.run", "balanced_accuracy", {"calibrate", "evaluate"}),
        # The page names the reason; thresholds.json does not.
        ("calibrate.reason", "other light", {"calibrate", "evaluate"}),
        ("acceptance.runs_required", 8, {"calibrate", "evaluate"}),
        ("evaluate.criteria.accuracy", 0.9, {"evaluate", "model_card"}),
        ("evaluate.gallery", 3, {"evaluate"}),
        # How long judging takes is no output.
        ("score.timed_products", 0, set()),
        ("score.unlabelled_parts", "unknown", {"score@calibration", "score@kit"}),
        ("score.sets.kit.trained_strips", "leave_out", {"score@kit"}),
        ("train.q", 0.1, {"train"}),
        # What waits for the gates does not run again while they stay open.
        ("inspect_data.limits.motion", 1, {f"inspect_data@{name}" for name in BUILT}),
    ],
)
def test_a_parameter_concerns_its_stages_alone(project: Path, place: str, value: object, stages: set[str]) -> None:
    yaml = YAML()
    values = yaml.load(project / "params.yaml")
    *sections, key = place.split(".")
    section = values
    for name in sections:
        section = section[name]
    assert section[key] != value
    section[key] = value
    yaml.dump(values, project / "params.yaml")
    assert concerned(project) == stages


def test_a_saved_model_that_was_changed_alone_scores_nothing_again(project: Path) -> None:
    (project / "models/drae/saved_model/saved_model.pb").write_text("changed by hand")
    # Its output is not what it left; that is all.
    assert concerned(project) == {"train"}


@pytest.mark.parametrize("name", ["drae.keras", "model.json"])
def test_another_model_is_scored_again(project: Path, name: str) -> None:
    (project / "models/drae" / name).write_text("another")
    assert concerned(project) == {"train", "score@calibration", "score@kit", "model_card"}


def test_code_of_verdicts_and_report_scores_nothing_again(project: Path) -> None:
    others = ("calibrate", "score@kit", "inspect_data@kit")
    own = code_of(project, "evaluate").difference(*(code_of(project, name) for name in others))
    assert {"drae_acceptance/report.py", "drae_acceptance/templates", "pipelines/evaluate.py"} <= own
    for name in own:
        append(project / name)
    # The card for people reads the verdicts too.
    assert concerned(project) == {"evaluate", "model_card"}


def test_code_of_thresholds_scores_nothing_again(project: Path) -> None:
    own = code_of(project, "calibrate") - code_of(project, "score@kit")
    assert {"drae_acceptance/thresholds.py", "pipelines/calibrate.py"} <= own
    for name in own:
        append(project / name)
    assert concerned(project) == {"calibrate", "evaluate", "model_card"}


def names_of(folder: Path) -> list[str]:
    with opened(folder) as repo:
        repo.index.check_graph()
        return [stage.addressing.rpartition(":")[2] for stage in repo.index.stages]


def absent_inputs(folder: Path) -> list[str]:
    """What a stage reads and neither lies there nor is written by another stage: `dvc repro` ends at it."""
    with opened(folder) as repo:
        outs = [Path(out.fs_path) for stage in repo.index.stages for out in stage.outs]
        deps = [(stage.addressing, Path(dep.fs_path)) for stage in repo.index.stages for dep in stage.deps]
    return [
        f"{name}: {path.relative_to(folder)}"
        for name, path in deps
        if path.name != "params.yaml" and not path.exists() and not any(path.is_relative_to(out) for out in outs)
    ]


def drop(params: Any, stages: Any, names: tuple[str, ...]) -> None:
    """Deletes stages with their plots, and the sections of those that have one."""
    for name in names:
        del stages["stages"][name]
        params.pop(name, None)
        stages["plots"] = [plot for plot in stages["plots"] if f"${{{name}." not in str(plot)]


def trained_alone(params: Any, stages: Any) -> None:
    """Own frames without labels, as the README says: what is synthetic and what judges goes."""
    drop(params, stages, ("synthesize", *JUDGING))
    del params["acceptance"]
    params["build"] = {"line3": params["build"]["training"]}
    params["train"]["set"] = "line3"


def small_kit(params: Any, stages: Any) -> None:
    """Own frames and one labelled set, judged by thresholds of its own other strips."""
    drop(params, stages, ("synthesize",))
    for sets in (params["build"], params["score"]["sets"]):
        del sets["calibration"]
    del params["build"]["training"]
    params["train"]["set"] = "production"
    params["calibrate"].update(set="kit", protocol="folds")


def all_sets(params: Any, stages: Any) -> None:
    """Own frames for every set."""
    drop(params, stages, ("synthesize",))


def own_inputs(params: Params) -> Iterator[str]:
    for chosen in params.build.values():
        yield chosen.root
        assert chosen.tables is not None
        yield chosen.tables


@pytest.mark.parametrize(
    ("edit", "stages"),
    [
        (trained_alone, {"build@line3", "inspect_data@line3", "archive@line3", "train"}),
        (small_kit, {*(f"{stage}@{name}" for stage in BY_SET for name in ("production", "kit")), "train", "score@kit",
                     "calibrate", "evaluate", "model_card"}),
        (all_sets, {*(f"{stage}@{name}" for stage in BY_SET for name in BUILT), "train",
                    "score@calibration", "score@kit", "calibrate", "evaluate", "model_card"}),
    ],
)  # fmt: skip
def test_a_project_of_own_frames_has_all_that_a_bare_repro_needs(tmp_path: Path, edit: Edit, stages: set[str]) -> None:
    folder = make(tmp_path / "project", edit)
    params = load_params(folder / "params.yaml")
    assert set(names_of(folder)) == stages
    assert absent_inputs(folder) != []
    for name in own_inputs(params):
        (folder / name).mkdir(parents=True, exist_ok=True)
    assert absent_inputs(folder) == []
    # Bare `dvc repro` looks at each stage in turn; once their outputs are there it can say so of all of them.
    write_outs(folder)
    with opened(folder) as repo:
        planned = repo.reproduce(dry=True)
    assert {stage.addressing.rpartition(":")[2] for stage in planned} == stages


def test_make_repro_ends_well_where_nothing_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The Makefile's last command is `pipelines.evaluate --page-only`."""
    monkeypatch.chdir(make(tmp_path / "project", trained_alone))
    before = sorted(Path().iterdir())
    assert evaluate.main(["--page-only"]) == 0
    said = capsys.readouterr()
    assert "evaluate: params.yaml has no such section, so that no kit is judged" in said.out + said.err
    assert sorted(Path().iterdir()) == before
    # The stage itself does not pass over what it is there for.
    assert evaluate.main([]) == 1
    assert "evaluate: missing" in capsys.readouterr().err


@pytest.mark.parametrize("profile", PROFILES)
def test_dvc_resolves_every_stage_with_each_profile(tmp_path: Path, profile: str) -> None:
    folder = make(tmp_path / "project", profile=profile)
    # The demo cuts the production set's frames once more.
    built = BUILT if profile == "params.yaml" else SYNTHESIZED
    sets = [
        f"{stage}@{name}"
        for stage, names in (("synthesize", SYNTHESIZED), *((stage, built) for stage in BY_SET))
        for name in names
    ]
    assert names_of(folder) == [*sets, "train", "score@calibration", "score@kit", "calibrate", "evaluate", "model_card"]
    assert absent_inputs(folder) == []
