"""The installation takes the very files that the lock names, and pip refuses any other."""

import base64
import hashlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def requirements(text: str) -> dict[str, str]:
    """The packages of a requirements file, each with what stands behind it."""
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip() and not line.startswith("#")]
    return {line.split()[0]: line for line in lines}


def without_hash(text: str) -> list[str]:
    """Packages that have no hash, or no exact version."""
    return [name for name, line in requirements(text).items() if not HASH.search(line) or "==" not in name]


def test_every_package_of_the_lock_has_a_version_and_hashes() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert len(requirements(text)) > 100
    assert without_hash(text) == []
    # Nothing in it leads pip to another place.
    assert not re.search(r"^\s*(-[a-z]|--(?!hash=)|\S+\s*@)", text, re.MULTILINE)


def test_every_package_that_is_asked_for_is_in_the_lock() -> None:
    asked = re.findall(r"^([A-Za-z0-9][A-Za-z0-9._-]*)", (ROOT / "requirements.in").read_text(), re.MULTILINE)
    locked = {plain(re.split(r"[=\[]", name)[0]) for name in requirements((ROOT / "requirements.lock").read_text())}
    assert len(asked) > 10
    assert {plain(name) for name in asked} <= locked


def plain(name: str) -> str:
    """A package's name as registries compare names."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize(
    "text", ["a==1\n", "a==1 \\\n    --hash=md5:" + "0" * 32 + "\n", "a>=1 --hash=sha256:" + "0" * 64 + "\n"]
)
def test_a_package_without_a_hash_is_found(text: str) -> None:
    assert without_hash(text) == [text.split()[0]]


def installing_commands(text: str) -> list[str]:
    """The commands of a Makefile or Dockerfile that install packages, their variables filled in."""
    text = text.replace("\\\n", " ")
    for name, value in re.findall(r'\b(pip)="([^"]*)"', text):
        text = text.replace(f'{name}="{value}"', "").replace(f"$${name}", value)
    parts = [part.strip() for line in text.splitlines() for part in re.split(r"[;&]+", line)]
    return [part for part in parts if re.search(r"\bpip3?\b.* install ", part + " ")]


@pytest.mark.parametrize("name", ["Makefile", "Dockerfile"])
def test_every_installation_asks_for_hashes(name: str) -> None:
    commands = installing_commands((ROOT / name).read_text())
    assert commands
    for command in commands:
        # The project's own wheel, which was just built beside it, brings no packages.
        assert "--require-hashes" in command or "--no-deps" in command, command


def test_an_installation_without_hashes_is_found() -> None:
    commands = installing_commands('x:\n\tpip="python -m pip install -q"; \\\n\t$$pip -r a.lock; pip install b\n')
    assert commands == ["python -m pip install -q -r a.lock", "pip install b"]


def tiny_wheel(folder: Path) -> Path:
    """A wheel of one empty module."""
    files = {
        "tiny_thing.py": b"",
        "tiny_thing-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1.0\n",
        "tiny_thing-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = []
    place = folder / "tiny_thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(place, "w") as wheel:
        for name, content in files.items():
            wheel.writestr(name, content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            lines.append(f"{name},sha256={digest},{len(content)}")
        wheel.writestr("tiny_thing-1.0.dist-info/RECORD", "\n".join([*lines, "tiny_thing-1.0.dist-info/RECORD,,"]))
    return place


def install(folder: Path, wheel: Path, requirement: str) -> subprocess.CompletedProcess[str]:
    """Installs from a folder, as `make env` does from a registry; nothing is asked elsewhere."""
    (folder / "requirements.lock").write_text(requirement + "\n")
    return subprocess.run(
        [
            sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--isolated", "install",
            "--quiet", "--require-hashes", "--no-index", "--find-links", str(wheel.parent),
            "--target", str(folder / "site"), "--no-cache-dir", "-r", str(folder / "requirements.lock"),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_pip_refuses_a_file_that_is_not_the_locks(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    wheel = tiny_wheel(tmp_path / "wheels")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    for requirement, said in (
        (f"tiny-thing==1.0 --hash=sha256:{'0' * 64}", "DO NOT MATCH THE HASHES"),
        ("tiny-thing==1.0", "all requirements must have hashes|Hashes are required"),
    ):
        refused = install(tmp_path, wheel, requirement)
        assert refused.returncode != 0
        assert re.search(said, refused.stderr, re.IGNORECASE), refused.stderr
        assert not (tmp_path / "site").exists()
    taken = install(tmp_path, wheel, f"tiny-thing==1.0 --hash=sha256:{digest}")
    assert taken.returncode == 0, taken.stderr
    assert (tmp_path / "site/tiny_thing.py").is_file()
