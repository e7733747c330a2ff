"""How long judging takes: measured beside the scores, outside every digest and every output of DVC."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

# Below the folder that a pipeline runs in; a file for each set.
TIMINGS = Path("logs/timing")


@dataclass(frozen=True)
class Timing:
    """Inference times, one product at a time: all patches of a strip in one run.

    Attributes:
        model_digest: of the model that was timed.
        dataset_digest: of the version whose products were judged.
        device: processor in words.
        products: how many were timed.
        patches: of a product; 60 in the paper.
        mean_seconds: of a product.
        max_seconds: of a product.
    """

    model_digest: str
    dataset_digest: str
    device: str
    products: int
    patches: int
    mean_seconds: float
    max_seconds: float

    @property
    def patch_milliseconds(self) -> float:
        """Mean time of a patch: that of a product divided by its patches (paper, section 7.4)."""
        return 1000 * self.mean_seconds / self.patches


def timing_bytes(timing: Timing) -> bytes:
    """The timing file."""
    return (json.dumps(asdict(timing), indent=2, sort_keys=True) + "\n").encode()


def timing_place(name: str) -> Path:
    """The timing file of a set."""
    return TIMINGS / f"{name}.json"


def read_timing(place: Path, model_digest: str, dataset_digest: str, patches: int) -> Timing | None:
    """Reads a timing file; None, not measured, where it is absent, broken or of something else.

    Args:
        place: of the file.
        model_digest: of the model that judged.
        dataset_digest: of the version that it judged.
        patches: of a product in it.
    """
    try:
        timing = Timing(**json.loads(place.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    wanted = (model_digest, dataset_digest, patches)
    return timing if (timing.model_digest, timing.dataset_digest, timing.patches) == wanted else None
