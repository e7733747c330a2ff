"""The weights of the losses (paper, equations 5 to 8) and how a score sums up; checked at birth."""

from dataclasses import dataclass

from drae_model.option_checks import check_between, check_one_of, check_whole

NOISE_TARGETS = ("blend", "literal")
AGGREGATES = ("mean", "percentile", "window_max")


@dataclass(frozen=True)
class LossOptions:
    """Weights, with the paper's names and values in brackets.

    Attributes:
        adversarial: (w1 = 1) of the difference of discriminator features, equation 2.
        contextual: (w2 = 50) of equation 7.
        huber: (wa = 2) of the Huber loss inside the contextual loss.
        ssim: (wb = 1) of 1 - SSIM inside the contextual loss.
        encoder: (w3 = 1) of the difference of the two latent vectors, equation 4.
        noise: (w4 = 3) of equation 6.
        noise_target: what equation 6 compares |X* - X^| with: `blend`, |X* - X|, which is 0 at X^ = X, or `literal`,
            N as it is printed.
        huber_delta: where the Huber loss turns from a square into a line, in grey values from 0 to 1.
    """

    adversarial: float
    contextual: float
    huber: float
    ssim: float
    encoder: float
    noise: float
    noise_target: str
    huber_delta: float

    def __post_init__(self) -> None:
        for key in ("adversarial", "contextual", "huber", "ssim", "encoder", "noise"):
            check_between(f"losses.{key}", getattr(self, key), 0.0)
        check_one_of("losses.noise_target", self.noise_target, NOISE_TARGETS)
        check_between("losses.huber_delta", self.huber_delta, 1e-6)


@dataclass(frozen=True)
class ScoreOptions:
    """How the map of 1 - SSIM of a patch becomes its score.

    Attributes:
        aggregate: `mean`, equation 9; `percentile` of the map; `window_max`, the largest mean of a window in it.
        percentile: 0 to 100; 100 is the map's largest value.
        window: side in pixels of the map.
    """

    aggregate: str
    percentile: float
    window: int

    def __post_init__(self) -> None:
        check_one_of("score.aggregate", self.aggregate, AGGREGATES)
        check_between("score.percentile", self.percentile, 0.0, 100.0)
        check_whole("score.window", self.window, 1)
