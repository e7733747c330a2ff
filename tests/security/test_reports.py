"""Pages, cards and tables for people: names from outside are text in them, whatever program opens them."""

import ast
import csv
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from markdown_it import MarkdownIt

from drae_acceptance.plot_tables import DetectionPoint, RocCurve, detection_table, histogram_table, roc_table
from drae_data.strip_layout import StripLayout
from drae_data.strip_layouts import StripLayouts
from pipelines import inspect_data
from tests.small_line import HEIGHT, LAYOUT, WIDTH, build_dataset, small_options, write_line
from tests.small_params import LINE

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = sorted([*ROOT.glob("drae_*"), ROOT / "pipelines"])
# Names that folders, regions and labels may have: a slash is in none of them.
ELEMENT = '<img src=x onerror="alert(1)">'
LINK = "[x](javascript:alert(1)) `|` ![y](x) <u>"


class Elements(HTMLParser):
    """The elements of a page that act, and the attributes that could."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        acting = [name for name, value in attrs if name.startswith("on") or (value or "").startswith("javascript:")]
        if acting or tag in ("script", "iframe", "object", "embed", "form", "base", "u") or ("src", "x") in attrs:
            self.found.append(f"{tag} {attrs}")


def acting_elements(page: str) -> list[str]:
    parser = Elements()
    parser.feed(page)
    return parser.found


def test_an_element_that_acts_is_found() -> None:
    page = f'<p>{ELEMENT}</p><script>1</script><a href="javascript:1">x</a><img src="data:image/png;base64,AA">'
    assert len(acting_elements(page)) == 3


@pytest.fixture(scope="module")
def inspected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the stage `inspect_data` writes of a version with hostile names of strips and regions."""
    folder = tmp_path_factory.mktemp("inspected")
    root = write_line(folder / "frames", ("A", "B", ELEMENT, LINK), runs=1)
    boxes = {ELEMENT: LAYOUT.boxes["R0"], LINK: LAYOUT.boxes["R1"]}
    layouts = StripLayouts.single(StripLayout("pixels", (HEIGHT, WIDTH), boxes, allow_overlap=False))
    build_dataset(root, folder / "version", small_options(layouts=layouts))
    section = re.search(r"^inspect_data:.*?(?=^\S)", (ROOT / "params.yaml").read_text(), re.MULTILINE | re.DOTALL)
    assert section is not None
    (folder / "params.yaml").write_text(LINE + section[0])
    arguments = ["--set", "small", "--params", str(folder / "params.yaml"), "--dataset", str(folder / "version")]
    # The gate may be shut: the report is written all the same.
    inspect_data.main([*arguments, "--out", str(folder / "reports")])
    return folder / "reports"


def test_a_dataset_report_shows_names_as_text(inspected: Path) -> None:
    page = (inspected / inspect_data.REPORT).read_text(encoding="utf-8")
    assert "&lt;img src=x onerror=" in page
    assert acting_elements(page) == []
    assert "default-src 'none'" in page


def test_a_dataset_card_shows_names_as_text(inspected: Path) -> None:
    """Markdown takes HTML as it stands, and links."""
    card = (inspected / inspect_data.CARD).read_text(encoding="utf-8")
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(card)
    assert "&lt;img src=x onerror=" in page
    assert acting_elements(page) == []
    assert len(acting_elements(MarkdownIt("commonmark").render(f"{ELEMENT} {LINK}"))) >= 2, "it would act"


def cells(table: str) -> list[str]:
    return [cell for row in csv.reader(io.StringIO(table, newline="")) for cell in row]


@pytest.mark.parametrize("name", ["=1+1", "=HYPERLINK(A1)", "+cmd|x!A1", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_of_a_table_is_a_formula(name: str) -> None:
    """Types of defects and regions are named by tables of labels and params; a spreadsheet runs what looks like one."""
    curve = np.linspace(0, 1, 3)
    tables = (
        detection_table([DetectionPoint(name, 12.0, 1, 2)], "paper"),
        roc_table([RocCurve(name, curve, curve, 0.5)], "paper"),
        histogram_table({name: (curve, curve)}, {"run": {name: -0.5}}, "paper"),
    )
    for table in tables:
        assert any(cell.startswith((f"'{name[0]}", repr(name[0])[1:-1])) for cell in cells(table))
        assert not [cell for cell in cells(table) if cell[0:1] in "=+@\t\r" and cell]
        # A number below 0 is no formula.
        assert all(float(cell) for cell in cells(table) if cell.startswith("-"))
    assert "-0.5" in cells(tables[2])


def environments(source: str) -> list[bool]:
    """Of each Jinja environment in a module, whether it escapes."""
    return [
        any(word.arg == "autoescape" and ast.unparse(word.value) == "True" for word in node.keywords)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ("Environment", "Template")
    ]  # fmt: skip


def test_every_template_escapes() -> None:
    assert environments("Environment(loader=x)") == [False] == environments("jinja2.Template('x')")
    found = [one for folder in PACKAGES for path in folder.rglob("*.py") for one in environments(path.read_text())]
    assert found
    assert all(found)
    templates = [path for folder in PACKAGES for path in folder.rglob("*.html")]
    assert len(templates) > 1
    for path in templates:
        text = path.read_text()
        assert not re.search(r"\|\s*safe\b|autoescape\s+false", text), path
        # Within quotes a name cannot end its attribute; escaping is enough there and only there.
        assert not re.search(r"=\{\{", text), path
