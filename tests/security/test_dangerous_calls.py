"""Nothing that is shipped calls what runs data as a program, or builds elements of a page from text."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path for folder in (*ROOT.glob("drae_*"), ROOT / "pipelines") for path in folder.rglob("*.py"))
SCRIPTS = sorted(path for folder in ROOT.glob("drae_*") for path in folder.rglob("*.js"))
# What runs what it is given, by the last two parts of its name.
REFUSED = {
    "eval", "exec", "pickle.load", "pickle.loads", "pickle.Unpickler", "marshal.loads", "shelve.open", "dill.loads",
    "cloudpickle.loads", "joblib.load", "os.system", "os.popen", "subprocess.getoutput", "yaml.load", "yaml.full_load",
    "yaml.unsafe_load", "torch.load", "keras.config.enable_unsafe_deserialization", "tarfile.open", "saved_model.load",
    "shutil.unpack_archive", "importlib.reload", "runpy.run_path", "h5py.File",
}  # fmt: skip
# Arguments that make a call of another kind harmful.
REFUSED_ARGUMENTS = {"shell": True, "allow_pickle": True, "safe_mode": False, "verify": False}
# `explain` runs the SavedModel that it was asked about, once its digest is the one that the card names.
ALLOWED = {"pipelines/trace_model.py": ["tf.saved_model.load"]}
PAGE = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setTimeout\(\s*['\"`]")


def refused_calls(source: str) -> Iterator[str]:
    """The calls of a module that are refused."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        if name in REFUSED or ".".join(name.split(".")[-2:]) in REFUSED:
            yield f"line {node.lineno}: {name}"
        for word in node.keywords:
            value = word.value.value if isinstance(word.value, ast.Constant) else None
            if word.arg in REFUSED_ARGUMENTS and value is REFUSED_ARGUMENTS[word.arg]:
                yield f"line {node.lineno}: {name}({word.arg}={value})"
        if name.endswith("YAML") and "typ='safe'" not in map(ast.unparse, node.keywords):
            yield f"line {node.lineno}: {name} that is not safe"
        if name.endswith("np.load") and not any(word.arg == "allow_pickle" for word in node.keywords):
            yield f"line {node.lineno}: {name} that does not say allow_pickle=False"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_module_runs_data(path: Path) -> None:
    found = [call.partition(": ")[2] for call in refused_calls(path.read_text(encoding="utf-8"))]
    assert found == ALLOWED.get(path.relative_to(ROOT).as_posix(), [])


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_script_makes_elements_of_text(path: Path) -> None:
    assert PAGE.findall(path.read_text(encoding="utf-8")) == []


def test_the_page_has_scripts() -> None:
    assert SCRIPTS


@pytest.mark.parametrize(
    "source",
    [
        "pickle.loads(data)", "import os\nos.system('x')", "eval('1')", "numpy.load(f, allow_pickle=True)",
        "np.load(f)", "subprocess.run('x', shell=True)", "keras.models.load_model(p, safe_mode=False)", "YAML()",
        "YAML(typ='unsafe')", "tf.saved_model.load(p)", "yaml.load(text)", "boto3.client('s3', verify=False)",
    ],
)  # fmt: skip
def test_a_call_that_would_is_found(source: str) -> None:
    assert len(list(refused_calls(source))) == 1


@pytest.mark.parametrize("source", ["YAML(typ='safe')", "np.load(f, allow_pickle=False)", "model.eval_step()"])
def test_a_call_that_does_not_passes(source: str) -> None:
    assert list(refused_calls(source)) == []


@pytest.mark.parametrize("text", ["x.innerHTML = name", "eval(name)", "setTimeout('x()', 1)", "document.write(name)"])
def test_a_script_that_would_is_found(text: str) -> None:
    assert PAGE.search(text)
