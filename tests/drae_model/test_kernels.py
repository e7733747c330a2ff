"""Which kernels TensorFlow takes: the fast ones on every processor, unless somebody says otherwise."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def said_by(code: str, onednn: str = "") -> list[str]:
    """What a fresh process prints, whose environment says nothing of kernels, or what is given."""
    environment = {name: value for name, value in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"}
    environment |= {"TF_ENABLE_ONEDNN_OPTS": onednn} if onednn else {}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize("package", ["drae_model", "drae_line", "benchmarks"])
def test_every_package_that_runs_tensorflow_tells_it_before_it_is_imported(package: str) -> None:
    code = f"import os, sys, {package}; print(os.environ['TF_ENABLE_ONEDNN_OPTS'], 'tensorflow' in sys.modules)"
    assert said_by(code) == ["1", "False"]


@pytest.mark.parametrize(("said", "fast"), [("", True), ("0", False)])
def test_commands_take_them_unless_the_environment_says_no(said: str, fast: bool) -> None:
    """Where there is AVX-512 VNNI TensorFlow takes them anyway; what it is told shows everywhere."""
    code = (
        "import pipelines.quiet_tensorflow, os; from tensorflow.python.util import _pywrap_util_port as port; "
        "print(os.environ['TF_ENABLE_ONEDNN_OPTS'], port.IsMklEnabled())"
    )
    assert said_by(code, said) == [said or "1", str(fast)]
