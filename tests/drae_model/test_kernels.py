"""Which kernels TensorFlow takes: the fast ones on every processor, unless somebody says otherwise."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


# Where there is AVX-512 VNNI TensorFlow would take them anyway; what it is told shows everywhere.
@pytest.mark.parametrize(
    "first", ["pipelines.quiet_tensorflow", "drae_model.scoring", "drae_line.inspection", "benchmarks.network"]
)
@pytest.mark.parametrize(("said", "fast"), [("", True), ("0", False), ("1", True)])
def test_onednn_is_on_unless_the_environment_says_no(first: str, said: str, fast: bool) -> None:
    code = (
        f"import {first}, os; from tensorflow.python.util import _pywrap_util_port as port; "
        "print(os.environ['TF_ENABLE_ONEDNN_OPTS'], port.IsMklEnabled())"
    )
    environment = {name: value for name, value in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"}
    environment |= {"TF_ENABLE_ONEDNN_OPTS": said} if said else {}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [said or "1", str(fast)]
