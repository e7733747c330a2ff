"""Kill -9 at random moments, of the build and of `dvc repro`: the rerun gives the same bytes, no reader sees a half.

`make test-kill KILLS=50` kills each of the two so often; `SEED=2` chooses other moments. Every kill starts from one of
four states: no version; a committed version that is replaced, because a frame changed; a first build or a replacement
that was cut off half-way. A reader looks at the version folder all the while, what a kill left is verified whole, and
the rerun must end with the files of a run that nobody disturbed.
"""

import os
import random
from collections.abc import Callable

import pytest

from pipelines.console import say
from tests.campaigns.campaign import ALONE, AT_ONCE, GROUP, Campaign
from tests.campaigns.scene import Scene, make_scene
from tests.campaigns.small_project import BUILD, REPRO

KILLS = int(os.environ.get("KILLS", "50"))
SEED = int(os.environ.get("SEED", "1"))
pytestmark = pytest.mark.campaign


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return make_scene(tmp_path_factory.mktemp("kill"))


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Progress is seen while the campaign runs, for many minutes."""

    def write(text: str) -> None:
        with capsys.disabled():
            say(text)

    return write


def test_a_killed_build_run_again_gives_the_same_version(scene: Scene, show: Callable[[str], None]) -> None:
    campaign = Campaign(scene, BUILD, show)
    campaign.measure()
    shares = [("shards", 6), ("end", 2), ("start", 1), ("swap", 1)]
    campaign.run(KILLS, shares, [GROUP], random.Random(f"build {SEED}"))
    assert not campaign.faults, "\n".join(campaign.faults)


def test_a_killed_dvc_repro_run_again_gives_the_same_version(scene: Scene, show: Callable[[str], None]) -> None:
    campaign = Campaign(scene, REPRO, show)
    campaign.measure()
    shares = [("shards", 5), ("start", 2), ("end", 2), ("swap", 1)]
    campaign.run(KILLS, shares, [GROUP, ALONE, GROUP, AT_ONCE], random.Random(f"repro {SEED}"))
    assert not campaign.faults, "\n".join(campaign.faults)
