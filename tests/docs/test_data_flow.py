"""The drawn data flow is drawn from the source beside it, has every stage, and names modules that are there."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
SOURCE, DRAWING = ROOT / "docs/data_flow.dot", ROOT / "docs/data_flow.svg"
SVG = "{http://www.w3.org/2000/svg}"
# A line of a node that names modules: `listing, labels`, `drae_line: incoming, inspection`, `drae_data/quality`.
PACKAGES = ("drae_data", "drae_model", "drae_acceptance", "drae_line")


def drawn(svg: str) -> Counter[tuple[str, str, tuple[str, ...]]]:
    """What an SVG of Graphviz shows, wherever it lies: kind, name and texts of each node, edge and cluster."""
    groups = ElementTree.fromstring(svg).iter(f"{SVG}g")
    return Counter(
        (group.get("class", ""), group.findtext(f"{SVG}title", ""), tuple(text.text or "" for text in texts))
        for group in groups
        if group.get("class") in ("node", "edge", "cluster")
        for texts in [group.findall(f"{SVG}text")]
    )


def redrawn(source: str) -> str:
    """The SVG of this machine's Graphviz, whose coordinates differ from one release to the next."""
    if shutil.which("dot") is None:
        pytest.skip("needs package: graphviz")
    return subprocess.run(["dot", "-Tsvg"], input=source, capture_output=True, text=True, check=True).stdout


def test_the_drawing_is_of_the_source() -> None:
    source = SOURCE.read_text(encoding="utf-8")
    assert drawn(DRAWING.read_text(encoding="utf-8")) == drawn(redrawn(source))


@pytest.mark.parametrize(("old", "new"), [("gate -> train", "train -> gate"), ("names alone", "names and pixels")])
def test_another_source_is_noticed(old: str, new: str) -> None:
    source = SOURCE.read_text(encoding="utf-8")
    assert source.count(old) == 1
    assert drawn(DRAWING.read_text(encoding="utf-8")) != drawn(redrawn(source.replace(old, new)))


def test_every_stage_is_drawn() -> None:
    stages = YAML(typ="safe", pure=True).load(ROOT / "dvc.yaml")["stages"]
    names = {name for kind, name, _ in drawn(DRAWING.read_text(encoding="utf-8")) if kind != "edge"}
    assert {stage for stage in stages if not {stage, f"cluster_{stage}"} & names} == set()


def test_modules_that_are_named_are_there() -> None:
    named, absent = 0, list[str]()
    for kind, name, texts in drawn(DRAWING.read_text(encoding="utf-8")):
        if kind != "node" or len(texts) < 2 or not re.match(r"[a-z_/]+(: | *,|$)", texts[1]) or "." in texts[1]:
            continue
        package, _, modules = texts[1].rpartition(": ")
        for module in modules.split(", "):
            found = [ROOT / place / f"{module}{end}" for place in ("", *PACKAGES) for end in ("", ".py")]
            found = [path for path in found if path.exists() and (not package or path.parent.name == package)]
            named, absent = named + 1, absent + ([f"{name}: {module}"] if not found else [])
    assert absent == [] and named > 20
