"""What each rule usually means and what to do about it, with the limits that it takes."""

from dataclasses import dataclass

from drae_data.quality.options import Limits


@dataclass(frozen=True)
class Advice:
    """What to think and do when a rule speaks.

    Attributes:
        limits: (name in `Limits`, its unit) of the limits that the rule takes.
        means: what is usually behind it.
        do: what to do.
    """

    limits: tuple[tuple[str, str], ...]
    means: str
    do: str


ADVICE = {
    "frozen_camera": Advice(
        (("motion", "grey levels"),),
        "The camera was not triggered, or its computer wrote one buffer again and again.",
        "Check the trigger and acquire the strip again; until then take its folder away or label it excluded.",
    ),
    "repeated_frame": Advice(
        (("motion", "grey levels"),),
        "A trigger was lost and the frame before was stored again, or a file was copied over another.",
        "Acquire the strip again. Where it happens often, look for lost triggers at the camera.",
    ),
    "misfiled_run": Advice(
        (("misfiled_ratio", "times"), ("misfiled_reach", "usual distances")),
        "The run was stored under another strip's name; its label is that of the wrong strip.",
        "Compare the pictures above, then move the folder to the strip that it shows, and build again.",
    ),
    "duplicated_strip": Advice(
        (("duplicate_distance", "share of bits"), ("duplicate_grey", "grey levels")),
        "A strip's pictures were copied under a second name, or encoded again, or made a little brighter or noisier.",
        "Keep one of both names; the other's folders go, or are labelled excluded.",
    ),
    "split_leak": Advice(
        (("duplicate_distance", "share of bits"), ("duplicate_grey", "grey levels")),
        "The model would be validated on what it was trained on, and its scores would be too good.",
        "Remove the second name of the strip and build again; a version that leaks must not judge a model.",
    ),
    "exposure_outlier": Advice(
        (("exposure", "grey levels"),),
        "The exposure time or the light was other than for the rest, or another product lay there.",
        "Look at the light and the exposure of that time; acquire again what the line will not see like this.",
    ),
    "light_drift": Advice(
        (("light_drift", "grey levels"), ("window", "strips")),
        "The lamp grows old or dirty, or light from outside changes over the day.",
        "Set the light up again; thresholds that were chosen before the drift may no longer hold after it.",
    ),
    "shifted_strip": Advice(
        (("shift", "pixels"),),
        "The strip was gripped elsewhere. Boxes follow it, so that its patches may look as usual.",
        "Look whether the boxes still sit right, with pipelines.preview; mend the gripper where it happens often.",
    ),
    "position_drift": Advice(
        (("position_drift", "pixels"), ("window", "strips")),
        "The gripper or the camera moves slowly out of its place.",
        "Fasten it, and take a new reference where the new place is to stay.",
    ),
    "defocus": Advice(
        (("sharpness", "of the median"),),
        "The lens was touched, or something lies on it; of a single region: the strip stood at an angle.",
        "Focus again and acquire the strip again: small defects vanish from pictures that are not sharp.",
    ),
    "saturation": Advice(
        (("saturated", "of the pixels"),),
        "The exposure is too long or too short for this region, or something hides it.",
        "Change exposure or light; a region that is always so, such as a bare panel, needs a higher limit.",
    ),
    "camera_changed": Advice(
        (),
        "Somebody changed exposure or gain, or put in another camera.",
        "Nothing where that was meant; otherwise set it back. Look whether brightness and focus changed with it.",
    ),
    "split_shift": Advice(
        (("split_deviations", "standard deviations"),),
        "The sides were drawn from different days, batches or cameras, or one side has few strips.",
        "Compare the outlines above; draw the split with another seed, or give it more strips.",
    ),
}  # fmt: skip


def limit_text(rule: str, limits: Limits) -> str:
    """The limits of a rule, with their names in the params file."""
    found = [f"{name} {getattr(limits, name):g} {unit}" for name, unit in ADVICE[rule].limits]
    return "; ".join(found) or "any change"
