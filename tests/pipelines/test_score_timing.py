"""How long judging a product takes: what is timed, and what is said where nothing can be."""

import json
from fractions import Fraction
from pathlib import Path

import pytest

from drae_data.options import SplitOptions
from drae_data.path_template import PathTemplate
from pipelines.params import load_params
from pipelines.score_timing import whole_products, write_timing
from pipelines.scoring import Scoring, open_scoring
from tests.acceptance_line import BAD, GOOD, build_version, change
from tests.small_line import write_line


def opened(place: Path) -> Scoring:
    return open_scoring(load_params(place / "params.yaml"), "kit")


@pytest.mark.slow
def test_products_are_gathered_over_shards(place: Path) -> None:
    scoring = opened(place)
    # Shards hold 45 patches at most, three acquisitions of 12.
    assert len(scoring.shards) > 1
    change(place, score__timed_products=7)
    products = whole_products(opened(place))
    assert [len(one) for one in products] == [12] * 7
    for one in products:
        assert len({(row["strip"], row["run"]) for _, row in one}) == 1
        assert len({row["key"] for _, row in one}) == 12


@pytest.mark.slow
def test_the_file_says_what_was_timed(place: Path) -> None:
    scoring = opened(place)
    assert "one product, 12 patches, takes" in write_timing(scoring)
    found = json.loads((place / "logs/timing/kit.json").read_text())
    assert (found["products"], found["patches"]) == (2, 12)
    assert found["model_digest"] == scoring.model.digest
    assert found["dataset_digest"] == scoring.version.claims.digest
    assert 0 < found["mean_seconds"] <= found["max_seconds"]


@pytest.mark.slow
def test_where_nothing_is_timed_an_earlier_file_goes(place: Path) -> None:
    timing = place / "logs/timing/kit.json"
    timing.parent.mkdir(parents=True, exist_ok=True)
    timing.write_text("{}")
    change(place, score__timed_products=0)
    assert write_timing(opened(place)) == "not timed: score.timed_products is 0"
    assert not timing.exists()


@pytest.mark.slow
def test_without_a_whole_product_it_says_so(place: Path) -> None:
    # By patches, half of them: no strip in a run has all its patches in one split.
    build_version(place, "kit", "K", split=SplitOptions("patch", Fraction(1, 2), 3))
    change(place, score__sets__kit__split="validation")
    words = "not timed: no strip in a run has all its patches in the split validation"
    assert write_timing(opened(place)) == words


@pytest.mark.slow
def test_a_product_is_all_that_its_stations_saw(place: Path) -> None:
    for station in ("left", "right"):
        write_line(place / "frames/two" / station, (*GOOD, *BAD))
    (place / "frames/kit").rename(place / "frames/one")
    (place / "frames/two").rename(place / "frames/kit")
    build_version(place, "kit", "K", template=PathTemplate("{station}/{strip}/run_{run}/frame_{frame}.png"))
    change(place, score__timed_products=4)
    products = whole_products(opened(place))
    assert [len(one) for one in products] == [24] * 4
    assert {row["station"] for _, row in products[0]} == {"left", "right"}
