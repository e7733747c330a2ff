"""The library inside a program of one's own: verdicts by thresholds, and the page that shows how."""

import json
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from drae_acceptance.options import LEVELS
from drae_acceptance.threshold_file import thresholds_bytes
from drae_acceptance.threshold_set import Binding, Calibrated, RegionThreshold, ThresholdSet
from drae_model.model_card import model_digest
from tests.native.client import REGIONS, ROOT, Client, expected, need_tools, patches
from tests.small_calibration import options

# The first of them builds the client.
pytestmark = pytest.mark.slow

VIALS = 5
COUNT = VIALS * len(REGIONS)


def write_thresholds(file: Path, digest: str, limits: dict[str, float]) -> None:
    """By the project's own writer; the other levels reject everything."""
    texts = {field.name: "x" for field in fields(Binding)} | {"images": (), "model_digest": digest}
    binding = Binding(**{field.name: texts[field.name] for field in fields(Binding)})  # type: ignore[arg-type]
    levels = {
        level: {
            name: RegionThreshold(value if level == "strip" else -1.0, "searched", 1, 1)
            for name, value in limits.items()
        }
        for level in LEVELS
    }
    file.write_bytes(thresholds_bytes(Calibrated("disjoint", binding, ("S1",), ThresholdSet(levels), ()), options()))


def greatest(scores: npt.NDArray[np.float32]) -> dict[str, float]:
    """By region the greatest score: with it as threshold everything is accepted, with any less something is not."""
    return {name: float(scores[number :: len(REGIONS)].max()) for number, name in enumerate(REGIONS)}


@pytest.mark.parametrize("name", ["regions", "plain"])
def test_a_strip_is_rejected_where_a_score_is_greater(client: Client, models: Path, tmp_path: Path, name: str) -> None:
    pixels = patches(COUNT)
    (tmp_path / "strip.raw").write_bytes(pixels.tobytes())
    lines = ""
    for number, patch in enumerate(pixels):
        (tmp_path / f"{number}.raw").write_bytes(patch.tobytes())
        region = f"{REGIONS[number % len(REGIONS)]}\t" if name == "regions" else ""
        lines += f"{region}{tmp_path / f'{number}.raw'}\n"
    # The client's own scores, for the border lies within a float32.
    scores = client.scores(models / name, "--raw", "--list", "-", stdin=lines)
    told = REGIONS * VIALS if name == "regions" else []
    np.testing.assert_allclose(scores, expected(models / name, pixels, told)["score"], rtol=0, atol=1e-6)
    limits = greatest(scores.astype(np.float32))

    def verdict() -> str:
        files = [tmp_path / "thresholds.json", tmp_path / "strip.raw", tmp_path / "strip.raw"]
        done = client.run(models / name, *files, program="example_embed")
        assert done.returncode == 0, done.stderr
        verdicts = {line.split()[0] for line in done.stdout.splitlines()}
        assert len(done.stdout.splitlines()) == 2
        assert len(verdicts) == 1
        return verdicts.pop()

    digest = model_digest(models / name)
    write_thresholds(tmp_path / "thresholds.json", digest, limits)
    assert verdict() == "accept"
    for region in REGIONS:
        less = limits | {region: float(np.nextafter(np.float32(limits[region]), np.float32(-1)))}
        write_thresholds(tmp_path / "thresholds.json", digest, less)
        assert verdict() == "reject"


def test_thresholds_that_do_not_belong_are_refused(client: Client, models: Path, tmp_path: Path) -> None:
    (tmp_path / "strip.raw").write_bytes(patches(COUNT).tobytes())
    file = tmp_path / "thresholds.json"

    def words() -> str:
        # TensorFlow talks to a program of one's own.
        done = client.run(models / "regions", file, tmp_path / "strip.raw", program="example_embed")
        assert (done.returncode, done.stdout) == (1, "")
        return done.stderr.splitlines()[-1]

    limits = dict.fromkeys(REGIONS, 0.5)
    digest = model_digest(models / "regions")
    assert words() == f"error: {file}: expected thresholds, got: No such file or directory"
    write_thresholds(file, "0" * 64, limits)
    assert f"expected thresholds of the model {digest}, got those of {'0' * 64}" in words()
    write_thresholds(file, digest, dict.fromkeys(REGIONS[1:], 0.5))
    assert "expected thresholds with a number at levels.strip.R1.value, got none" in words()
    values = json.loads(file.read_text())
    file.write_text(json.dumps(values | {"format_version": values["format_version"] + 1}))
    assert "expected thresholds of format_version" in words()
    write_thresholds(file, digest, limits)


def test_a_strip_that_cannot_be_inspected_is_rejected_and_the_next_judged(
    client: Client, models: Path, tmp_path: Path
) -> None:
    write_thresholds(tmp_path / "thresholds.json", model_digest(models / "regions"), dict.fromkeys(REGIONS, 2.0))
    (tmp_path / "whole.raw").write_bytes(patches(COUNT).tobytes())
    (tmp_path / "short.raw").write_bytes(patches(COUNT - 1).tobytes())
    files = [tmp_path / name for name in ("thresholds.json", "short.raw", "absent.raw", "whole.raw")]
    done = client.run(models / "regions", *files, program="example_embed")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["reject", "reject", "accept"]
    assert all("not inspected: not the patches of one strip" in line for line in lines[:2])


CALLS = """
#include <cstdio>
#include <functional>
#include <thread>

#include "drae_client/inspector.h"

void refused(const char* name, const std::function<void()>& call) {
  try {
    call();
    std::printf("%s: not refused\\n", name);
  } catch (const drae::Error& error) {
    std::printf("%s: %s\\n", name, error.what());
  }
}

int main(int, char** words) {
  drae::Inspector inspector(words[1]);
  const std::size_t bytes = inspector.patch_size() * inspector.patch_size();
  std::vector<std::uint8_t> pixels(9 * bytes, 40);
  const std::vector<std::int32_t> regions{0, 1, 2, 0};
  refused("none", [&] { inspector.score(pixels.data(), 0, {}); });
  refused("few regions", [&] { inspector.score(pixels.data(), 4, {0}); });
  refused("no regions", [&] { inspector.score(pixels.data(), 4); });
  refused("unknown region", [&] { inspector.inspect(pixels.data(), 1, {3}); });
  refused("negative region", [&] { inspector.inspect(pixels.data(), 1, {-1}); });
  refused("negative threads", [&] { drae::Inspector other(words[1], {-1, 0}); });
  refused("batch of none", [&] { inspector.fix_batch(0); });
  inspector.fix_batch(4);
  refused("another batch", [&] { inspector.score(pixels.data(), 5, {0, 1, 2, 0, 1}); });

  // Memory that begins anywhere, an inspector that moved, threads side by side: the same scores.
  const std::vector<float> scores = inspector.score(pixels.data(), 4, regions);
  drae::Inspector moved = std::move(inspector);
  bool same = scores == moved.score(pixels.data() + 1, 4, regions);
  const drae::Examined examined = moved.inspect(pixels.data(), 4, regions);
  same = same && examined.scores.size() == 4 && examined.heatmaps.size() == 4 * bytes;
  std::vector<std::vector<float>> found(4);
  std::vector<std::thread> threads;
  for (auto& one : found) {
    threads.emplace_back([&] { one = moved.score(pixels.data(), 4, regions); });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  for (const auto& one : found) {
    for (std::size_t i = 0; i < 4; ++i) {
      same = same && one.size() == 4 && one[i] - scores[i] < 1e-6F && scores[i] - one[i] < 1e-6F;
    }
  }
  std::printf("same: %d\\n", same);
}
"""

CONSUMER = """
cmake_minimum_required(VERSION 3.20)
project(machine LANGUAGES CXX)
find_package(drae_client REQUIRED)
add_executable(machine machine.cc)
target_link_libraries(machine PRIVATE drae::drae_client)
add_executable(page page.cc)
target_link_libraries(page PRIVATE drae::drae_client)
"""


def page_example() -> str:
    """The program on the page about embedding."""
    blocks = re.findall(r"```cpp\n(.*?)```", (ROOT / "docs" / "native.md").read_text(), re.DOTALL)
    assert len(blocks) == 1
    return str(blocks[0])


def test_an_installed_library_serves_another_project(client: Client, models: Path, tmp_path: Path) -> None:
    need_tools()

    def cmake(*arguments: str | Path) -> None:
        done = subprocess.run(["cmake", *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]

    source, place = tmp_path / "source", tmp_path / "place"
    source.mkdir()
    (source / "CMakeLists.txt").write_text(CONSUMER)
    (source / "machine.cc").write_text(CALLS)
    (source / "page.cc").write_text(page_example())
    cmake("--install", client.folder, "--prefix", place)
    cmake(
        "-S", source, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={place}", f"-DPython_EXECUTABLE={sys.executable}",
        "-DCMAKE_CXX_COMPILER=g++",
    )  # fmt: skip
    cmake("--build", tmp_path / "build")

    # The program that was installed finds TensorFlow where it was built with it.
    installed = Client(place / "bin")
    (tmp_path / "a.raw").write_bytes(patches(1).tobytes())
    assert len(installed.scores(models / "plain", "--raw", tmp_path / "a.raw")) == 1

    done = Client(tmp_path / "build").run(models / "regions", program="machine")
    assert done.stdout.splitlines() == [
        "none: expected one patch or more, got 0",
        "few regions: regions: the model takes one for each of 4 patches, got 1",
        "no regions: regions: the model takes one for each of 4 patches, got 0",
        "unknown region: regions: expected numbers from 0, of R1, R0, neck, left, got 3",
        "negative region: regions: expected numbers from 0, of R1, R0, neck, left, got -1",
        "negative threads: threads: expected 0, which leaves the number to TensorFlow, or more, got -1 and 0",
        "batch of none: expected a batch of one patch or more, got 0",
        "another batch: expected the fixed batch of 4, got 5",
        "same: 1",
    ]
