"""`dvc metrics diff` and `dvc plots diff` between two calibrations, with the project's own stages and plots."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.acceptance_line import change
from tests.campaigns.small_project import ROOT
from tests.dvc_commands import dvc, git, ran

STAGES = ["calibrate", "evaluate"]
METRICS = "reports/acceptance/metrics.json"
PLOTS = ("scores by region", "detection by defect and size", "rejected defective over rejected good", "operating curve")


@pytest.fixture
def project(done: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The scored line as a project of DVC whose two last stages ran and are committed."""
    # The code is not in this folder.
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    yaml = YAML()
    values: dict[str, Any] = yaml.load(ROOT / "dvc.yaml")
    stages = {name: values["stages"][name] for name in STAGES}
    for stage in stages.values():
        stage["deps"] = [path for path in stage["deps"] if path.startswith("${")]
    plots = [plot for plot in values["plots"] if "${evaluate.folder}" in str(plot)]
    # DVC wants to find what a stage depends on.
    (done / "frames/kit_tables").mkdir()
    yaml.dump({"stages": stages, "plots": plots}, done / "dvc.yaml")
    git(done, "init", "--quiet")
    dvc(done, "init", "--quiet")
    shutil.copytree(ROOT / ".dvc/plots", done / ".dvc/plots")
    assert ran(dvc(done, "repro")) == STAGES
    git(done, "add", "dvc.lock", "dvc.yaml", "params.yaml", ".dvc")
    git(done, "-c", "user.name=A", "-c", "user.email=a@b", "commit", "--quiet", "--message", "first")
    return done


@pytest.mark.slow
def test_two_calibrations_are_compared(project: Path) -> None:
    before = json.loads((project / METRICS).read_text())
    change(project, calibrate__protocol="paper", calibrate__set="kit")
    assert ran(dvc(project, "repro")) == STAGES
    after = json.loads((project / METRICS).read_text())

    found = json.loads(dvc(project, "metrics", "diff", "--json"))[METRICS]
    assert (found["optimistic"]["old"], found["optimistic"]["new"]) == (False, True)
    changed = {}
    for level in ("vial", "strip", "run"):
        for rate in ("accuracy", "accept_recall", "reject_recall"):
            old, new = (values[level][rate] for values in (before, after))
            if old != new:
                changed[f"{level}.{rate}"] = (old, new)
    assert changed
    assert {name: (found[name]["old"], found[name]["new"]) for name in changed} == changed
    plots = json.loads(dvc(project, "plots", "diff", "--json"))["data"]
    for name in PLOTS:
        assert {revision for plot in plots[name] for revision in plot["revisions"]} == {"HEAD", "workspace"}, name
