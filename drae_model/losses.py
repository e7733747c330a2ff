"""The losses (paper, sections 6.1.3 and 6.2): pure functions of batches, float32 at every precision, each a mean.

X is a patch, X* = P_q(X) the perturbed one that the generator sees, X^ its reconstruction; z and z^ are the latent
vectors of X* and X^.
"""

from typing import Any

from keras import ops

from drae_model.loss_options import LossOptions
from drae_model.ssim import ssim_map

# A tensor of Keras' backend, which has no type of its own.
Tensor = Any


def generator_loss(
    image: Tensor,
    perturbed: Tensor,
    noise: Tensor,
    rebuilt: Tensor,
    latent: Tensor,
    latent_again: Tensor,
    features: Tensor,
    features_rebuilt: Tensor,
    options: LossOptions,
) -> dict[str, Tensor]:
    """The generator's loss and its parts, before their weights.

    L = w1 L_adv + w2 L_con + w3 L_enc + w4 L_nse: equation 5 with equation 7 for the second term, and equation 6 added
    with its weight once.

    Args:
        image: X, float [n, s, s, 1], 0 to 1.
        perturbed: X*, the same.
        noise: N, the same, 0 outside the mask.
        rebuilt: X^, the same.
        latent: z, float [n, units].
        latent_again: z^, the same.
        features: the discriminator's last feature maps of X, float [n, h, w, c].
        features_rebuilt: the same of X^.
        options: the weights.

    Returns:
        `adversarial`, `contextual`, `encoder`, `noise` and `total`: float32 scalars.
    """
    parts = {
        "adversarial": adversarial_loss(features, features_rebuilt),
        "contextual": contextual_loss(image, rebuilt, options),
        "encoder": encoder_loss(latent, latent_again),
        "noise": noise_loss(perturbed, rebuilt, image, noise, options.noise_target),
    }
    total = (
        options.adversarial * parts["adversarial"]
        + options.contextual * parts["contextual"]
        + options.encoder * parts["encoder"]
        + options.noise * parts["noise"]
    )
    return {**parts, "total": total}


def adversarial_loss(features: Tensor, features_rebuilt: Tensor) -> Tensor:
    """L_adv = mean (F(X) - F(X^))^2, equation 2, where F is the discriminator's last convolutional layer.

    Args:
        features: F(X), float [n, ...].
        features_rebuilt: F(X^), the same shape.

    Returns:
        float32 scalar, 0 or more.
    """
    return ops.mean(ops.square(_float32(features) - _float32(features_rebuilt)))


def contextual_loss(image: Tensor, rebuilt: Tensor, options: LossOptions) -> Tensor:
    """L_con = w_a Huber(X, X^) + w_b (1 - SSIM(X, X^)), equation 7; both terms are means over pixels and patches.

    Args:
        image: X, float [n, s, s, 1], 0 to 1, s at least 11.
        rebuilt: X^, the same.
        options: w_a is `huber`, w_b is `ssim`; and the Huber loss's delta.

    Returns:
        float32 scalar, 0 or more.
    """
    dissimilarity = 1.0 - ops.mean(ssim_map(image, rebuilt))
    return options.huber * huber_loss(image, rebuilt, options.huber_delta) + options.ssim * dissimilarity


def huber_loss(image: Tensor, rebuilt: Tensor, delta: float) -> Tensor:
    """Mean of d^2 / 2 where d <= delta, of delta (d - delta / 2) elsewhere, d = |X - X^|.

    Huber 1964, Robust Estimation of a Location Parameter, DOI 10.1214/aoms/1177703732.

    Args:
        image: X, float [n, s, s, 1], 0 to 1.
        rebuilt: X^, the same.
        delta: see `LossOptions.huber_delta`.

    Returns:
        float32 scalar, 0 or more.
    """
    difference = ops.abs(_float32(image) - _float32(rebuilt))
    # One expression without a choice: beyond delta the square stays at delta and the rest is a line.
    square = ops.minimum(difference, delta)
    return ops.mean(0.5 * square * square + delta * (difference - square))


def encoder_loss(latent: Tensor, latent_again: Tensor) -> Tensor:
    """L_enc = mean |z - z^|, equation 4.

    Args:
        latent: z, float [n, units].
        latent_again: z^, the same.

    Returns:
        float32 scalar, 0 or more.
    """
    return ops.mean(ops.abs(_float32(latent) - _float32(latent_again)))


def noise_loss(perturbed: Tensor, rebuilt: Tensor, image: Tensor, noise: Tensor, target: str) -> Tensor:
    """L_nse = mean ||X* - X^| - T|, equation 6 without w4.

    Literally T = N. The noise is blended with the patch, so |X* - X| is not N, and that loss is not 0 at X^ = X. With
    T = |X* - X| it is.

    Args:
        perturbed: X*, float [n, s, s, 1], 0 to 1.
        rebuilt: X^, the same.
        image: X, the same.
        noise: N, the same, 0 outside the mask.
        target: T: `blend`, |X* - X|, or `literal`, N.

    Returns:
        float32 scalar, 0 or more.
    """
    perturbed = _float32(perturbed)
    aim = ops.abs(perturbed - _float32(image)) if target == "blend" else _float32(noise)
    return ops.mean(ops.abs(ops.abs(perturbed - _float32(rebuilt)) - aim))


def discriminator_loss(logit_real: Tensor, logit_fake: Tensor) -> Tensor:
    """Mean of the binary cross entropies of patches, label 1, and of reconstructions, label 0.

    L = (mean -log p(X) + mean -log (1 - p(X^))) / 2, p = sigmoid(logit). Two logits of 0 give log 2.

    Args:
        logit_real: of patches, float [n, 1]; any size of number is safe.
        logit_fake: of reconstructions, the same.

    Returns:
        float32 scalar, 0 or more.
    """
    # -log sigmoid(l) = softplus(-l), which neither overflows nor loses small values.
    real, fake = ops.softplus(-_float32(logit_real)), ops.softplus(_float32(logit_fake))
    return 0.5 * (ops.mean(real) + ops.mean(fake))


def _float32(values: Tensor) -> Tensor:
    return ops.cast(values, "float32")
