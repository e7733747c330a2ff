"""The acceptance report in a real browser: hostile names stay text, nothing is fetched, nothing overflows."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import cv2
import numpy as np
import pytest

from drae_acceptance.acceptance import accept
from drae_acceptance.acceptance_tables import acceptance_tables
from drae_acceptance.calibration import calibrate
from drae_acceptance.gallery import FOLDER, INDEX, GalleryPatch, gallery_bytes, read_gallery
from drae_acceptance.inspectors import Inspected
from drae_acceptance.judging import judge
from drae_acceptance.knapp import comparison, knapp
from drae_acceptance.knapp_tables import knapp_tables
from drae_acceptance.options import AcceptanceOptions, CalibrationOptions, ConfirmRule, Criteria
from drae_acceptance.plot_tables import DetectionPoint, RocCurve
from drae_acceptance.report import Plot, ReportContent, render
from drae_acceptance.report_gallery import choose_entries, count_shown
from drae_acceptance.report_plots import draw_detection, draw_histograms, draw_operating_curve, draw_roc
from drae_acceptance.score_table import ABSENT, Acquired
from drae_data.files import sha256_hex
from tests.small_scores import SmallStrip, small_set

HOSTILE = '<script>console.error("x")</script>"\'&<img src=x onerror=alert(1)>'
GONE = "K9 never acquired"
RULE = ConfirmRule(2, 7, 10)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SIZES = {"desktop": 1280, "narrow": 360}


def write_pictures(folder: Path, strip: str) -> str:
    """Writes a gallery; returns the SHA-256 of its index."""
    digests = []
    (folder / FOLDER).mkdir(parents=True)
    for name, shape in (("vial", (480, 128)), ("reconstruction", (64, 64)), ("heatmap", (64, 64, 4))):
        picture = np.full(shape, 128, np.uint8)
        cv2.imwrite(str(folder / FOLDER / f"{name}.png"), picture)
        digests.append(sha256_hex((folder / FOLDER / f"{name}.png").read_bytes()))
    patch = GalleryPatch(
        key=f"{strip}/r0/f00/v0/R0", strip=strip, run=0, image="f00", vial=0, region="R0", score=0.6, label="defective",
        defect="burn", frames=((f"{strip}/run_00/frame_00.png", "f" * 64),), patch_sha256="e" * 64, picture="vial.png",
        box=(0, 120, 128, 120), reconstruction="reconstruction.png", heatmap="heatmap.png",
        pictures_sha256=(digests[0], digests[1], digests[2]),
    )  # fmt: skip
    (folder / FOLDER / INDEX).write_bytes(gallery_bytes([patch]))
    return sha256_hex(gallery_bytes([patch]))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole report of a kit whose strips have hostile names."""
    folder = tmp_path_factory.mktemp("page")
    kit = small_set([
        SmallStrip(HOSTILE, "defective", [{(0, "R0"): 0.6, (0, "R1"): 0.1}] * 2, {(0, "R0"): "burn <b>"}, 12.0),
        SmallStrip("good " * 30, "good", [{(0, "R0"): 0.1, (0, "R1"): 0.2}] * 2),
    ])  # fmt: skip
    absent = Acquired(GONE, GONE, -1, "defective", "crack", 3.0, ABSENT, f"{HOSTILE} was never seen")
    kit = replace(kit, acquisitions=(*kit.acquisitions, absent))
    goals = dict.fromkeys(("patch", "strip", "run"), "accuracy")
    calibrated = calibrate(kit, CalibrationOptions("paper", goals, 0.1, 0.9, 2, 1, RULE))
    verdicts = judge(kit, calibrated, RULE)
    options = AcceptanceOptions(RULE, 0.95, 200, 1, Criteria(0.9, 0.8, None))
    human = {one.strip: (9, 10) if one.label == "defective" else (1, 10) for one in verdicts.runs}
    compared = knapp(verdicts.runs, Inspected(human, ("I",), ()))
    acceptance = accept(kit, calibrated, verdicts, options, comparison(compared), None)
    pictures = read_gallery(folder, write_pictures(folder, HOSTILE))
    limits = {one.strip: calibrated.thresholds.limits("run") for one in verdicts.runs}
    curve = np.linspace(0, 1, 11)
    plots = [
        Plot("Scores", draw_histograms({"R0": (curve[1:5], curve[6:])}, {"run": {"R0": 0.5}}), "caption"),
        Plot("ROC", draw_roc([RocCurve(HOSTILE, curve, curve**0.5, 0.66)]), "caption"),
        Plot(
            "Detection",
            draw_detection([DetectionPoint(HOSTILE, 12.0, 2, 2), DetectionPoint("burn", float("nan"), 0, 2)], 0.7),
            "caption",
        ),
        Plot("Curve", draw_operating_curve(curve, curve**2, "7 of 10"), "caption"),
    ]
    content = ReportContent(
        name=HOSTILE, acceptance=acceptance, tables=(
            *acceptance_tables(acceptance, calibrated.thresholds, RULE, 10), *knapp_tables(compared, "paper")),
        plots=plots, gallery=choose_entries(verdicts.runs, pictures, limits, folder, 5, "../frames"),
        gallery_all=count_shown(verdicts.runs), sources=(("model", "m" * 64),), parameters=((HOSTILE, HOSTILE),),
    )  # fmt: skip
    place = folder / "report.html"
    place.write_text(render(content), encoding="utf-8")
    assert render(content) == render(replace(content))
    return place


def test_names_from_outside_are_text(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text
    assert "<img src=x" not in text
    assert "&lt;script&gt;" in text
    # Above the figures, and with criteria, tables 1 to 3, detection, discrimination and both of Knapp.
    assert text.count("Optimistic: the judged strips chose") == 9
    assert re.search(r"<title>Acceptance of .*: (incomplete|does not support acceptance), optimistic</title>", text)


def test_an_invalid_strip_is_named_with_its_reason(page: Path) -> None:
    gallery = page.read_text(encoding="utf-8").split("<h2>Strips judged wrongly")[1]
    assert re.search(rf'<h3>{GONE} <span class="kind">invalid</span></h3>', gallery)
    assert "was never seen" in gallery


def test_knapp_and_its_containers_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    # The strip that was never acquired is one of two in the reject zone: RZE of the machine (1 + 0) / 2.
    assert re.search(r"RZE, reject zone efficiency</th><td>0\.5000<small>sum of p 1\.0000 over 2 containers", text)
    assert re.search(rf'<th scope="row">{GONE}</th><td>defective</td><td>reject</td><td>9<small>p 0\.9000', text)


def test_nothing_is_fetched(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    sources = re.findall(r"""(?:src|href)\s*=\s*["']([^"']*)""", text)
    assert sources
    # Pictures are in the page. Links lead to frames beside it, and only where somebody follows them.
    links = re.findall(r"""<a href="([^"]*)">""", text)
    assert links == [f"./../frames/{quote(HOSTILE)}/run_00/frame_00.png"]
    assert all(source.startswith(("data:image/png;base64,", "#")) for source in sources if source not in links)
    assert "url(http" not in text


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
def test_it_fits_and_says_nothing_in_the_console(page: Path, tmp_path: Path, size: str) -> None:
    if CHROMIUM is None:
        pytest.skip("needs package: chromium")
    # A page around the report, as wide as the window, whose script measures it; the report itself has no scripts.
    around = page.with_name(f"around_{size}.html")
    around.write_text(
        f'<!doctype html><body style="margin:0"><iframe id="f" src="{page.name}" style="border:0;width:{SIZES[size]}px;'
        'height:900px"></iframe><script>f.onload = () => {const r = f.contentDocument.documentElement;'
        "document.title = r.scrollWidth + ' ' + r.clientWidth}</script>",
        encoding="utf-8",
    )
    shot = tmp_path / "shot.png"
    common = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
              "--allow-file-access-from-files", f"--user-data-dir={tmp_path / 'profile'}"]  # fmt: skip
    seen = subprocess.run(
        [*common, "--virtual-time-budget=5000", "--dump-dom", around.as_uri()], capture_output=True, text=True,
        timeout=120, check=True,
    )  # fmt: skip
    measured = re.search(r"<title>(\d+) (\d+)</title>", seen.stdout)
    assert measured is not None, seen.stdout[:300]
    assert int(measured[1]) <= int(measured[2])
    assert "CONSOLE" not in seen.stderr
    subprocess.run(
        [*common, f"--window-size={max(SIZES[size], 500)},900", f"--screenshot={shot}", page.as_uri()],
        capture_output=True, timeout=120, check=True,
    )  # fmt: skip
    picture = cv2.imread(str(shot))
    assert picture is not None
    # Something is drawn: the banner's colours beside white.
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 20
