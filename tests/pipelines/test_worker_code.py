"""What a worker on another machine needs: every step's function unpickles where only the wheel is; Dataflow's job."""

import hashlib
import json
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import apache_beam as beam
import pytest

from pipelines.runner import beam_options
from tests.pipelines.test_engines import GIVEN
from tests.pipelines.worker_graphs import GRAPHS, ROOT, Construct

pytestmark = pytest.mark.beam

# Runs where nothing of the repository is on the path: unpickles every function of a graph and says where they are from.
UNPICKLE = """
import sys
sys.path.insert(0, sys.argv[1])
from apache_beam import Pipeline
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_runner_api_pb2 as api
from apache_beam.runners.trivial_runner import TrivialRunner
from apache_beam.transforms.core import ParDo
graph = api.Pipeline.FromString(open(sys.argv[2], "rb").read())
pipeline = Pipeline.from_runner_api(graph, TrivialRunner(), PipelineOptions([]))
functions = []
class Visitor:
    def visit_value(self, value, node): pass
    def visit_transform(self, node):
        if isinstance(node.transform, ParDo):
            functions.append(node.full_label + ": " + type(node.transform.fn).__module__)
    def enter_composite_transform(self, node): pass
    def leave_composite_transform(self, node): pass
pipeline.visit(Visitor())
import pipelines
print(pipelines.__file__)
print(len([one for one in sys.modules if one == "tests" or one.startswith("tests.")]))
print(*functions, sep="\\n")
"""
# Of each graph the steps of this project, and the module that the worker takes them from.
STEPS = {
    "build": {"Build shards/Read plan": "apache_beam", "Build shards/Build shard": "pipelines.build_shards"},
    "synthesize": {"Write acquisitions": "pipelines.synthesize_strips"},
    "score": {
        "Score shards/Left to score": "apache_beam", "Score shards/Score shard/BeamML_RunInference": "apache_beam.ml",
        "Score shards/Keep scores": "pipelines.score_shards",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the installed wheel, as `make wheel` builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    source = folder / "source"
    source.mkdir()
    # From a copy of what git knows and of what is new: setuptools writes into the tree that it builds from.
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "pipelines", "drae_*", "pyproject.toml",
         "LICENSE"],
        cwd=ROOT, capture_output=True, check=True,
    ).stdout  # fmt: skip
    for name in (os.fsdecode(one) for one in listed.split(b"\0") if one):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    for command in (
        ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(source)],
        ["install", "--quiet", "--no-deps", "--no-index", "--find-links", str(folder), "--target",
         str(folder / "site"), "drae-line-dataset"],
    ):  # fmt: skip
        subprocess.run([*pip, *command], check=True, cwd=folder)
    return folder / "site"


def graph(construct: Construct) -> bytes:
    pipeline = beam.Pipeline(options=beam_options([]))
    construct(pipeline)
    content: bytes = pipeline.to_runner_api().SerializeToString(deterministic=True)
    return content


@pytest.mark.parametrize("name", GRAPHS)
def test_every_function_unpickles_where_only_the_wheel_is(name: str, installed: Path, tmp_path: Path) -> None:
    (tmp_path / "graph").write_bytes(graph(GRAPHS[name]))
    # -I: neither the current folder nor PYTHONPATH, as on a worker.
    done = subprocess.run(
        [sys.executable, "-I", "-c", UNPICKLE, str(installed), "graph"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    home, tests, *functions = done.stdout.splitlines()
    assert Path(home) == installed / "pipelines/__init__.py"
    assert tests == "0"
    found = dict(line.split(": ", 1) for line in functions)
    for step, module in STEPS[name].items():
        assert found[step].startswith(module), (step, found[step])


def test_the_wheel_has_every_file_of_the_packages(installed: Path) -> None:
    """Sub-packages, templates and pages too."""
    found = {path.relative_to(installed).as_posix() for path in installed.rglob("*") if path.is_file()}
    packages = [path.parent for path in ROOT.glob("*/__init__.py") if path.parent.name not in ("benchmarks", "tests")]
    expected = {
        path.relative_to(ROOT).as_posix()
        for package in packages
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".md"
    }
    assert {name for name in expected - found if "." in name.rpartition("/")[2]} == set()
    for name in expected & found:
        assert (
            hashlib.sha256((ROOT / name).read_bytes()).digest()
            == hashlib.sha256((installed / name).read_bytes()).digest()
        ), name


@pytest.mark.parametrize("name", GRAPHS)
def test_the_main_module_never_travels(name: str) -> None:
    """`python -m pipelines.build` is `__main__`: a worker has another one."""
    assert b"__main__" not in graph(GRAPHS[name])
    for engine, flags in GIVEN.items():
        assert beam_options(list(flags), engine).get_all_options()["save_main_session"] is False


def test_dataflow_takes_every_job_without_an_account() -> None:
    """Beam's own client makes the jobs, checks their options and what it would stage; nothing is sent."""
    environment = {**os.environ, "STORAGE_EMULATOR_HOST": "http://127.0.0.1:9", "NO_GCE_CHECK": "true"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.pipelines.dataflow_jobs"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    jobs = json.loads(done.stdout)
    assert set(jobs) == set(GRAPHS)
    for name, job in jobs.items():
        assert set(STEPS[name]) <= set(job.pop("labels"))
        # The image holds code and Beam: of this machine only the list of its packages is staged, for messages.
        assert job == {
            "environments": ["beam:env:docker:v1 registry/worker:1"],
            "staged": ["submission_environment_dependencies.txt"],
            "staging": "gs://bucket/tmp/trial",
        }


def test_the_image_has_the_beam_and_the_python_of_the_lock() -> None:
    text = (ROOT / "Dockerfile").read_text()
    version = re.search(r"^apache-beam==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert version is not None
    assert f"ARG BEAM_VERSION={version[1]}\n" in text
    python = sysconfig.get_python_version()
    assert f"FROM apache/beam_python{python}_sdk:${{BEAM_VERSION}}\n" in text


def test_the_dockerfile_passes_its_lint() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    bad = subprocess.run([hadolint, "-"], input="FROM x\nRUN cd /a\n", capture_output=True, text=True)
    assert bad.returncode == 1
