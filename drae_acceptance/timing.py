"""How long judging takes: measured beside the scores, outside every digest and every output of DVC."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Timing:
    """Inference times, one product at a time: all patches of a strip in one run.

    Attributes:
        model_digest: of the model that was timed.
        device: processor in words.
        products: how many were timed.
        patches: of a product; 60 in the paper.
        mean_seconds: of a product.
        max_seconds: of a product.
    """

    model_digest: str
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


def read_timing(place: Path, model_digest: str) -> Timing | None:
    """The timing file of this model; None, not measured, where it is absent, broken or of another model."""
    try:
        timing = Timing(**json.loads(place.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return timing if timing.model_digest == model_digest else None
