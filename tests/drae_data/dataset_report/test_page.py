"""The dataset report: whole, the same each time, right in its counts, and safe whatever names it is given."""

import json
import re
import shutil
from collections import Counter
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from drae_data.dataset_report.page import report_content
from drae_data.errors import DatasetError
from drae_data.intake import SidecarOptions
from drae_data.labels import LabelOptions
from drae_data.options import SplitOptions, select_images
from drae_data.quality.options import RULES
from drae_data.version_summary import read_version_summary
from tests.small_inspection import inspected, page_of, quality_options, with_rows
from tests.small_line import build_dataset, files_of, small_options, write_line

HOSTILE = (
    "<script>alert(1)<script>",
    '"><img src=x onerror=alert(1)>',
    "a&b {{ 7*7 }} 'q'",
    "javascript:alert(1)",
    "$x^2$",
)
PLAIN = ("A", "B", "C", "D", "E", "F")
# Everything that the page's template and the plots put into it.
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "section", "strong", "p", "nav", "a"),
    *("div", "b", "span", "table", "thead", "tbody", "tr", "th", "td", "small", "article", "figure", "img", "br"),
    *("figcaption", "details", "summary", "code", "ul", "li", "dl", "dt", "dd"),
    *("svg", "g", "path", "defs", "use", "text", "rect", "clippath"),
}


class Page(HTMLParser):
    """What a browser would find in a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.rows: list[list[str]] = []
        self.text: list[str] = []
        self._cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td") and self.rows:
            self.rows[-1].append("")
            self._cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("th", "td"):
            self._cell = False

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self._cell:
            self.rows[-1][-1] += data

    def cells(self) -> dict[str, list[str]]:
        """The rows of all tables by their first cell."""
        return {row[0]: row[1:] for row in self.rows if row}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version of strips with hostile names, two broken ones among them, with labels and a sidecar from outside."""
    folder = tmp_path_factory.mktemp("hostile")
    root = write_line(folder / "frames", (*HOSTILE, *PLAIN), runs=2)
    for number, strip in enumerate(HOSTILE):
        (root / strip / "run_00" / "info.json").write_text(json.dumps({"exposure": f"<b onclick=x>{number}"}))
    (root / "A/run_01/frame_01.png").write_bytes(b"<script>")
    (root / HOSTILE[1] / "run_01/frame_02.png").unlink()
    lines = ["strip,label", *(f'"{strip.replace(chr(34), chr(34) * 2)}",ok' for strip in (*HOSTILE, *PLAIN[:5]))]
    options = small_options(
        max_quarantined=2, sidecar=SidecarOptions("info.json", {"exposure": "exposure"}),
        labels=LabelOptions("labels.csv", {}, (), "", {"ok": "good"}, ("good",)),
    )  # fmt: skip
    build_dataset(root, folder / "out", options, tables={"labels.csv": "\n".join(lines).encode()})
    return folder / "out"


@pytest.fixture(scope="module")
def page(hostile: Path) -> str:
    return page_of(hostile, inspected(hostile))


def test_nothing_from_outside_is_markup(page: str) -> None:
    found = Page(page)
    assert set(found.tags) <= TAGS, set(found.tags) - TAGS
    assert not [place for place in found.attributes if place[1].startswith("on")]
    names = "".join(found.text)
    assert all(strip in names for strip in HOSTILE)
    assert "<b onclick=x>" in names
    assert "49 'q'" not in names


def test_the_page_asks_for_nothing_outside_itself(page: str) -> None:
    found = Page(page)
    links = [value for _, name, value in found.attributes if name in ("src", "href", "xlink:href", "action", "srcset")]
    assert links
    assert all(link.startswith(("data:image/png;base64,", "#")) for link in links)
    inner = {value for _, name, value in found.attributes if name == "id"}
    assert {link[1:] for link in links if link.startswith("#")} <= inner
    assert "@import" not in page
    # Clipping paths are named inside the plots, and two names of XML are no addresses.
    assert set(re.findall(r"url\(([^)]*)\)", page)) <= {f"#{name}" for name in inner}
    assert set(re.findall(r'https?://[^"\s<]+', page)) == {
        "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink",
    }  # fmt: skip
    policy = next(value for tag, name, value in found.attributes if tag == "meta" and "default-src" in value)
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_the_counts_are_those_of_the_tables(hostile: Path, page: str) -> None:
    tables = {name: pq.read_table(hostile / f"{name}.parquet").to_pylist() for name in (
        "acquisitions", "quarantine", "left_out", "findings")}  # fmt: skip
    parts = [row for path in (hostile / "patches").iterdir() for row in pq.read_table(path).to_pylist()]
    cells = Page(page).cells()
    built = len(tables["acquisitions"])
    assert built == 2 * len(HOSTILE) + 2 * 5 - 2
    assert cells["built"][0] == str(built)
    assert cells["listed"][0] == str(built + len(tables["quarantine"]) + len(tables["left_out"]))
    assert cells["listed"][0] == str(2 * (len(HOSTILE) + len(PLAIN)))
    assert len(tables["quarantine"]) == 2
    for row in tables["quarantine"]:
        same = sum(other["reason"] == row["reason"] for other in tables["quarantine"])
        assert cells[f"in quarantine: {row['reason']}"][0] == str(same)
    assert cells["left out: label"][0] == str(len(tables["left_out"])) == "2"
    assert cells["labelled good"][0] == str(built)
    assert cells["finding: unlabelled"][0] == str(len(tables["findings"]))
    for split in ("train", "validation"):
        own = [row for row in parts if row["split"] == split]
        strips = {row["strip"] for row in own}
        runs = {(row["strip"], row["run"]) for row in own}
        assert cells[split] == [str(len(strips)), str(len(runs)), f"{len(own):,}"]
    means = [row for row in Page(page).rows if row[:3] == ["R1", "min", "train"]]
    mine = [row for row in parts if (row["region"], row["image"], row["split"]) == ("R1", "min", "train")]
    assert means[0][3] == f"{len(mine):,}"
    assert means[0][4].startswith(f"{sum(row['mean'] for row in mine) / len(mine):.1f} ")
    provenance = json.loads((hostile / "provenance.json").read_text())
    assert page.count(provenance["digest"]) >= 1
    assert all(shard["sha256"] in page for shard in provenance["shards"])


def test_every_rule_stands_there_with_its_limits(page: str) -> None:
    cells = Page(page).cells()
    severities = quality_options().severities
    rows = {
        rule: [row for name, row in cells.items() if name.startswith(f"{rule}{severities[rule]}, ")] for rule in RULES
    }
    assert all(len(found) == 1 for found in rows.values())
    assert [found[0][0] for found in rows.values()] == list(RULES.values())
    assert rows["exposure_outlier"][0][1] == "exposure 60 grey levels"


def test_two_drawings_are_equal(hostile: Path, page: str) -> None:
    assert page_of(hostile, inspected(hostile)) == page


def test_the_worst_come_first(hostile: Path) -> None:
    found = with_rows(
        inspected(hostile),
        ("error", "defocus", "B/r0"), ("error", "defocus", "C/r1"), ("error", "frozen_camera", "D/r0"),
        ("warning", "exposure_outlier", "E/r0"), ("note", "camera_changed", "E/r1"),
    )  # fmt: skip
    page = page_of(hostile, found)
    # Of each rule the worst before any rule's second one.
    assert re.findall(r"<article>\s*<h3>(\S+) <span class=\"kind (\w+)\"", page)[:5] == [
        ("B/r0", "error"), ("D/r0", "error"), ("C/r1", "error"), ("E/r0", "warning"), ("E/r1", "note"),
    ]  # fmt: skip
    assert "The gate is shut" in page
    assert page.index("The gate is shut") < page.index("seen at B/r0") < page.index('<h2 id="counts">')
    every = [row for row in Page(page).rows if len(row) == 6 and row[5].startswith("seen at")]
    assert [row[0] for row in every] == ["error", "error", "error", "warning", "note"]


def test_without_violations_it_says_so(hostile: Path) -> None:
    page = page_of(hostile, with_rows(inspected(hostile)))
    assert "No rule found anything." in page
    assert "Passed: the gate is open" in page


def test_many_rows_are_cut_and_it_says_where_all_are(hostile: Path) -> None:
    rows = [("error", "defocus", f"X{number}/r0") for number in range(250)]
    page = page_of(hostile, with_rows(inspected(hostile), *rows))
    assert "The worst 200 of 250 rows; violations.parquet" in page
    assert page.count("seen at X") == 200 + 1


def test_a_set_of_one_split_and_one_image(tmp_path: Path) -> None:
    """Like a kit: nothing to compare, no motion where there is one frame alone, no rank images."""
    options = small_options(frames=(0,), images=select_images([0], []), split=SplitOptions("none", Fraction(0), 1))
    build_dataset(write_line(tmp_path / "frames", "AB", frames=1), tmp_path / "out", options)
    files, found = files_of(tmp_path / "out"), inspected(tmp_path / "out")
    content = report_content(files, found, read_version_summary(files, found.measured))
    assert content.gallery == ()
    assert content.splits == ("test",)
    page = page_of(tmp_path / "out", inspected(tmp_path / "out"))
    assert '<h2 id="distributions">Distributions</h2>' in page
    assert ">none</text>" in page


def test_a_damaged_version_ends_in_words(hostile: Path, tmp_path: Path) -> None:
    version = Path(shutil.copytree(hostile, tmp_path / "version"))
    found = inspected(version)
    (version / "quarantine.parquet").write_bytes(b"nothing")
    with pytest.raises(DatasetError, match=r"quarantine.parquet: expected SHA-256 .* got .*pipelines.verify"):
        page_of(version, found)
