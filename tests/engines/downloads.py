"""Published artefacts of the engines, fetched once into `build/engines`: Flink, Beam's job server for it, Prism.

Each comes by the ordinary client of its registry. What cannot be had raises `UnavailableError` with the client's own
words, without the names of hosts.
"""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.engines.processes import BASE

BEAM_VERSION = "2.77.0"
FLINK_VERSION = "2.0.2"
# A version for which there is a distribution on PyPI and a job server of Beam.
JOB_SERVER = f"org.apache.beam:beam-runners-flink-2.0-job-server:{BEAM_VERSION}"
PRISM = f"github.com/apache/beam/sdks/v2/go/cmd/prism@v{BEAM_VERSION}"
# Names a jar of the job server that lies there already.
JAR_VARIABLE = "BEAM_FLINK_JOB_SERVER_JAR"
_SECONDS = 900.0
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class UnavailableError(Exception):
    """An artefact cannot be had on this machine; the message says which and why."""


def flink_home() -> Path:
    """The folder of a Flink distribution: `lib` and `plugins`.

    It is the source distribution of the package apache-flink-libraries, which carries the published jars; nothing of
    it is built or installed.
    """
    home = BASE / f"flink-{FLINK_VERSION}"
    if (home / "lib").is_dir():
        return home
    _program("java", "Java 17 or 11")
    BASE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BASE) as place:
        folder = Path(place)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet"]
        # With the build tools of this environment pip reads the package's name and version, and fetches nothing else.
        only_source = ["--no-deps", "--no-binary", ":all:", "--no-build-isolation", "--dest", str(folder)]
        _run([*pip, "download", *only_source, f"apache-flink-libraries=={FLINK_VERSION}"], "apache-flink-libraries")
        (archive,) = folder.glob("*.tar.gz")
        with tarfile.open(archive) as opened:
            opened.extractall(folder, filter="data")
        (deps,) = folder.glob("*/deps")
        deps.rename(home)
    return home


def job_server_jar() -> Path:
    """Beam's job server for Flink: the jar that a variable names, or the one that Maven has."""
    if given := os.environ.get(JAR_VARIABLE):
        if not Path(given).is_file():
            raise UnavailableError(f"{JAR_VARIABLE} names no file")
        return Path(given).resolve()
    _program("mvn", "Maven")
    repository = BASE / "maven"
    group, name, version = JOB_SERVER.split(":")
    jar = repository / group.replace(".", "/") / name / version / f"{name}-{version}.jar"
    if not jar.is_file():
        # Asked anew each time (-U): what the registry lacks today it may have tomorrow.
        options = ["--batch-mode", "-U", f"-Dmaven.repo.local={repository}", "-Dtransitive=false"]
        _run(["mvn", *options, "dependency:get", f"-Dartifact={JOB_SERVER}"], JOB_SERVER)
    return jar


def prism_binary() -> Path:
    """Prism, Beam's own portable runner, built by Go from its published module."""
    binary = BASE / "bin/prism"
    if not binary.is_file():
        _program("go", "Go")
        _run(["go", "install", PRISM], "prism", {"GOBIN": str(binary.parent), "GOFLAGS": "-buildvcs=false"})
    return binary


def _program(name: str, what: str) -> None:
    if shutil.which(name) is None:
        raise UnavailableError(f"needs package: {what}")


def _run(command: Sequence[str], what: str, more: Mapping[str, str] | None = None) -> None:
    """Runs a registry's client; raises `UnavailableError` with the first line of its error."""
    try:
        done = subprocess.run(
            command, env={**os.environ, **(more or {})}, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"{what}: not there after {_SECONDS:.0f} s") from error
    if done.returncode:
        raise UnavailableError(first_error(done.stdout + done.stderr) or f"{what}: exit status {done.returncode}")


def first_error(text: str) -> str:
    """The first line of a client's error: what it could not do, without colours, plug-ins, hosts and addresses."""
    lines = [_COLOURS.sub("", line).strip() for line in text.splitlines()]
    errors = [line for line in lines if line.startswith(("[ERROR] ", "ERROR: "))]
    # Go has no word for it.
    errors = errors or [line for line in lines if line and not line.startswith("[INFO]")]
    if not errors:
        return ""
    line = re.sub(r"^\[ERROR\] |^ERROR: ", "", errors[0])
    # Maven says its plug-in's name first, and at the end where it looked.
    line = re.sub(r"^Failed to execute goal \S+ \(\S+\) on project \S+: ", "", line)
    line = re.sub(r" in [\w.-]+ \(\S+\).*$", "", line)
    return re.sub(r"\w+://\S+", "URL", line)
