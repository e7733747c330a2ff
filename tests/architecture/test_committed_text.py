"""No committed file tells where somebody's machine keeps things or where a download came from."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Built from parts, so that this file passes its own test.
_FOLDERS = "|".join(["work", "root", "home", "Users", "tmp/bash" + "_jobs", "opt/wheels"])
MACHINE_PATH = re.compile(r"(?<![\w.:~*})/-])/(?:" + _FOLDERS + ")/")
_HOSTS = [
    ("pypi", "org"),
    ("pythonhosted", "org"),
    ("npmjs", "org"),
    ("crates", "io"),
    ("golang", "org/dl"),
    ("maven", "apache", "org"),
    ("maven", "org"),
    ("debian", "org"),
]
REGISTRY = re.compile("|".join(r"\b" + r"\.".join(map(re.escape, parts)) for parts in _HOSTS))
DOWNLOAD = re.compile(r"https?://\S+\.(?:whl|tar\.gz|tgz|zip|deb|jar|exe)\b")
RULES = [
    ("a path of one machine", MACHINE_PATH),
    ("a package registry's host", REGISTRY),
    ("a download address", DOWNLOAD),
]


def forbidden(text: str) -> list[str]:
    """Names each rule that the text breaks, with the place."""
    return [
        f"line {text.count(chr(10), 0, match.start()) + 1}: {what}: {match.group()}"
        for what, pattern in RULES
        for match in pattern.finditer(text)
    ]


def committed_files() -> list[Path]:
    """Lists what git tracks, and what it would take with `git add .`."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return sorted({path for name in listing.split("\0") if name and (path := ROOT / name).is_file()})


def test_committed_text_files_name_no_machine_and_no_registry() -> None:
    files = committed_files()
    assert ROOT / "pyproject.toml" in files
    found = []
    for path in files:
        content = path.read_bytes()
        if b"\0" in content[:8192]:
            continue  # an image or another binary file
        text = content.decode("utf-8", errors="replace")
        found += [f"{path.relative_to(ROOT)}, {problem}" for problem in forbidden(text)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "see /ro" + "ot/.cache",
        "cd '/wo" + "rk/main'",
        "--data=/ho" + "me/someone/frames",
        "https://files.python" + "hosted.org/packages/x",
        "--index-" + "url https://py" + "pi.org/simple",
        "http://example.com/tool" + ".tar.gz",
    ],
)
def test_a_text_that_tells_is_found(text: str) -> None:
    assert forbidden(text)


@pytest.mark.parametrize(
    "text",
    ["data/work/frames", "https://example.com/work/paper", "~/work/frames", "dependencies go to work"],
)
def test_a_harmless_text_passes(text: str) -> None:
    assert not forbidden(text)
