"""Configuring without the right TensorFlow, and the parts of the client that are tried without a model."""

import hashlib
import json
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.native.client import NATIVE, ROOT, configure, need_tools


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python without any package."""
    need_tools()
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=True)
    return folder


def refusal(tmp_path: Path, python: Path | str, *options: str) -> str:
    """CMake's words, its line breaks undone."""
    done = configure(NATIVE, tmp_path / "build", f"-DPython_EXECUTABLE={python}", *options)
    assert done.returncode != 0
    return " ".join(done.stderr.split())


def test_a_python_without_tensorflow_is_named(bare_python: Path, tmp_path: Path) -> None:
    words = refusal(tmp_path, bare_python / "bin" / "python")
    assert f"{bare_python}/bin/python has no TensorFlow. Install it there (make env does for .venv)" in words


def test_a_tensorflow_of_another_version_is_named(bare_python: Path, tmp_path: Path) -> None:
    need_tools()
    words = refusal(tmp_path, sys.executable, "-DDRAE_TENSORFLOW_SERIES=2.2")
    assert re.search(r"expected TensorFlow 2\.2, got 2\.\d\d\.\d+\. Install 2\.2, or try this one: ", words)


def test_a_wheel_without_libraries_is_named(bare_python: Path, tmp_path: Path) -> None:
    packages = bare_python / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    metadata = "Metadata-Version: 2.1\nName: tensorflow-cpu\nVersion: 2.21.0\n"
    for folder, name, text in (
        ("tensorflow", "__init__.py", "raise SystemExit('imported')"),
        ("tensorflow_cpu-2.21.0.dist-info", "METADATA", metadata),
        ("tensorflow_cpu-2.21.0.dist-info", "RECORD", "tensorflow/__init__.py,,\n"),
        ("tensorflow/include/tensorflow/c", "c_api.h", ""),
    ):
        (packages / folder).mkdir(parents=True, exist_ok=True)
        (packages / folder / name).write_text(text)
    words = refusal(tmp_path, bare_python / "bin" / "python")
    assert "expected libtensorflow_cc.so.2 in the wheel of TensorFlow 2.21.0, got no such file" in words
    (packages / "tensorflow_cpu-2.21.0.dist-info" / "RECORD").unlink()
    assert "expected the TensorFlow of one wheel, got none or several" in refusal(tmp_path, bare_python / "bin/python")


def test_the_accepted_series_is_that_of_the_lock() -> None:
    text = (NATIVE / "cmake" / "TensorflowWheel.cmake").read_text()
    series = re.search(r"set\(DRAE_TENSORFLOW_SERIES (\S+) CACHE", text)
    locked = re.search(r"^tensorflow==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert series
    assert locked
    assert locked[1].startswith(series[1] + ".")


PARTS = """
#include <cstdio>
#include <string>

#include "json_text.h"
#include "sha256.h"
#include "timing.h"

int main() {
  const std::string text(300, 'x');
  for (std::size_t size = 0; size < 200; ++size) {
    drae::Sha256 digest;
    digest.add(std::string_view(text).substr(0, size / 3));
    digest.add(std::string_view(text).substr(0, size - size / 3));
    std::printf("%s\\n", digest.hex().c_str());
  }
  for (const int count : {1, 2, 3, 100, 101, 200}) {
    std::vector<double> values;
    for (int value = 1; value <= count; ++value) {
      values.push_back(value);
    }
    std::printf("%s %s\\n", drae::json_number(drae::median(values)).c_str(),
                drae::json_number(drae::percentile(values, 0.99)).c_str());
  }
  std::string bytes;
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      bytes = {static_cast<char>(first), static_cast<char>(second), '\\x80', '\\xbf'};
      std::printf("%s\\n", drae::json_string(bytes).c_str());
    }
  }
}
"""


def test_digests_percentiles_and_texts(tmp_path: Path) -> None:
    """Against hashlib, a count by hand, and Python's decoder, which replaces as Unicode advises, byte by byte."""
    need_tools()
    (tmp_path / "parts.cc").write_text(PARTS)
    parts = ["client/sha256.cc", "inspect/json_text.cc", "inspect/timing.cc"]
    subprocess.run(
        ["g++", "-std=c++17", "-I", NATIVE / "src/client", "-I", NATIVE / "src/inspect", tmp_path / "parts.cc",
         *(NATIVE / "src" / part for part in parts), "-o", tmp_path / "parts"],
        check=True,
    )  # fmt: skip
    lines = subprocess.run([tmp_path / "parts"], capture_output=True, check=True).stdout.split(b"\n")

    digests = [line.decode() for line in lines[:200]]
    assert digests == [hashlib.sha256(b"x" * size).hexdigest() for size in range(200)]
    figures = [[float(number) for number in line.split()] for line in lines[200:206]]
    # Nearest rank: at least 99 of 100 values are not greater than the 99th.
    assert figures == [[1, 1], [1.5, 2], [2, 3], [50.5, 99], [51, 100], [100.5, 198]]
    for number, line in enumerate(lines[206:-1]):
        text = bytes([number >> 8, number & 255, 0x80, 0xBF])
        found = json.loads(line.decode())
        well_formed = text.decode(errors="replace")
        assert found.replace("\N{REPLACEMENT CHARACTER}", "") == well_formed.replace("\N{REPLACEMENT CHARACTER}", "")
        assert ("\N{REPLACEMENT CHARACTER}" in found) == ("\N{REPLACEMENT CHARACTER}" in well_formed)
    assert len(lines) == 206 + 65_536 + 1
