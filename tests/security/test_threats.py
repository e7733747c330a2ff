"""The page of threats and the tests agree: what it names is there, and what is in this folder it names."""

import re
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/security.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def functions_of(path: Path) -> set[str]:
    """The test functions of a file."""
    return set(re.findall(r"^(?:async )?def (test_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE))


def absent(named: Iterable[tuple[str, str]]) -> list[str]:
    """Those of the named tests that are not there."""
    return [
        f"{file}::{name}"
        for file, name in named
        if not (ROOT / file).is_file() or name not in functions_of(ROOT / file)
    ]


def test_every_test_that_the_page_names_is_there() -> None:
    named = NAMED.findall(PAGE.read_text(encoding="utf-8"))
    assert len(named) > 80
    assert absent(named) == []


def test_every_attack_names_a_test() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    attacks, inside = [], False
    for line in lines:
        inside = line.startswith("| attack |") or (inside and line.startswith("|"))
        if inside and not line.startswith(("| attack |", "| --- ")):
            attacks.append(line)
    assert len(attacks) > 40
    assert [line for line in attacks if not NAMED.search(line.rpartition(" | ")[2])] == []


def test_every_test_of_this_folder_is_on_the_page() -> None:
    named = set(NAMED.findall(PAGE.read_text(encoding="utf-8")))
    files = sorted(Path(__file__).parent.glob("test_*.py"))
    here = {(path.relative_to(ROOT).as_posix(), name) for path in files for name in functions_of(path)}
    own = Path(__file__).relative_to(ROOT).as_posix()
    assert sorted(here - named - {(own, name) for name in functions_of(Path(__file__))}) == []


def test_a_test_that_is_not_there_is_found() -> None:
    own = Path(__file__).relative_to(ROOT).as_posix()
    named = [(own, "test_a_test_that_is_not_there_is_found"), (own, "test_x"), ("tests/security/test_y.py", "test_x")]
    assert absent(named) == [f"{own}::test_x", "tests/security/test_y.py::test_x"]
