"""The seeded list of strips of a set: who they are, how they look, and what is wrong with them."""

from dataclasses import dataclass

import numpy as np

from drae_data.synthetic.options import SynthesizeOptions
from drae_data.synthetic.seeds import named_generator


@dataclass(frozen=True)
class Defect:
    """One defect of one strip.

    Attributes:
        kind: one of options.DEFECT_TYPES.
        size: largest extent, pixels at 1400 x 1100.
        vial: which vial, from 0 at the left.
        region: R0 to R3.
        x: place of its middle, drawing units from the axis of the vial.
        y: place of its middle, drawing units from the top of the frame.
        turn: direction of what has one, radians.
    """

    kind: str
    size: float
    vial: int
    region: str
    x: float
    y: float
    turn: float


@dataclass(frozen=True)
class StripSpec:
    """One strip.

    Attributes:
        set_name: production, calibration or kit.
        name: the strip's name, unique over all sets.
        number: place in its set, from 0.
        thickness: wall thickness relative to the drawing.
        tint: absorption of the resin relative to the mean.
        levels: height of the liquid in each vial, drawing units from the top of the frame.
        shift: place in the gripper, pixels at 1400 x 1100: across, along.
        degrees: turn in the gripper.
        defects: what is wrong with it; empty for a good strip.
    """

    set_name: str
    name: str
    number: int
    thickness: float
    tint: float
    levels: tuple[float, ...]
    shift: tuple[float, float]
    degrees: float
    defects: tuple[Defect, ...]


# Height of the liquid when 10 ml are filled in, drawing units.
NOMINAL_LEVEL = 612.0

# Where each type occurs (the paper's Appendix A): region and ranges of x and y in drawing units; a type
# that stands twice here occurs twice as often. "level" means rows from the strip's own liquid level.
PLACES: tuple[tuple[str, tuple[tuple[str, float, float, float, float], ...]], ...] = (
    ("stuck_particle", (("R1", -76, 76, 462, 526), ("R2", -74, 74, 670, 780))),
    ("particle_with_foam", (("R2", -58, 58, -3, 2),)),
    ("body_deformation_light", (("R3", 84, 92, 850, 905), ("R2", 84, 92, 700, 745))),
    ("body_deformation_heavy", (("R3", 82, 90, 868, 900), ("R2", 82, 90, 690, 735))),
    ("black_spot", (("R1", -80, 80, 462, 530), ("R3", -74, 74, 830, 960), ("R0", -84, 84, 215, 245))),
    ("burn", (("R3", -50, 50, 850, 950), ("R2", -52, 52, 690, 750))),
    ("scratch_light", (("R1", -34, 34, 420, 480),)),
    ("scratch_deep", (("R1", -40, 40, 430, 476),)),
    ("neck_bump", (("R1", 22, 25, 312, 334),)),
    ("laser_cut_imperfection", (("R0", -84, 84, 58, 58),)),
    ("foreign_liquid_behaviour", (("R2", 0, 0, 0, 0),)),
    ("stuck_particle", (("R2", -74, 74, 650, 770), ("R3", -60, 60, 960, 1000))),
)
FROM_LEVEL = frozenset({"particle_with_foam", "foreign_liquid_behaviour"})
ON_EITHER_WALL = frozenset({"body_deformation_light", "body_deformation_heavy", "neck_bump"})


def _make_defect(
    options: SynthesizeOptions, set_name: str, index: int, rounds: int, levels: tuple[float, ...]
) -> Defect:
    """Draw the defect of the index-th defective strip of a set; sizes of a type spread over its range."""
    random = named_generator(options.seed, set_name, index, "defect")
    kind, places = PLACES[index % len(PLACES)]
    lap = index // len(PLACES)
    region, x_low, x_high, y_low, y_high = places[lap % len(places)]
    low, high = options.defect_sizes[kind]
    # Even steps on a logarithmic scale, jittered: the first lap is hard to see, the last is plain.
    share = (lap + random.uniform(0.15, 0.85)) / rounds
    size = round(float(low * (high / low) ** share), 1)
    vial = int(random.integers(options.frame.vials))
    x, y = random.uniform(x_low, x_high), random.uniform(y_low, y_high)
    if kind in ON_EITHER_WALL and random.random() < 0.5:
        x = -x
    if kind in FROM_LEVEL:
        y += levels[vial]
    turn = random.uniform(-0.6, 0.6) + (np.pi / 2 if kind.startswith("scratch") else 0.0)
    return Defect(kind, size, vial, region, round(x, 1), round(y, 1), round(float(turn), 3))


def list_strips(options: SynthesizeOptions, set_name: str) -> tuple[StripSpec, ...]:
    """List the strips of a set: the good ones first, then the defective ones.

    Args:
        options: of the line; `set_name` must be among its sets.
        set_name: production, calibration or kit.

    Returns:
        The strips in the order of their names: P0001..., C0001..., K0001... No strip is in two sets,
        since its random numbers carry the name of its set.
    """
    one, vary = options.sets[set_name], options.variation
    strips = []
    for number in range(one.good + one.defective):
        name = f"{set_name[0].upper()}{number + 1:04d}"
        random = named_generator(options.seed, set_name, name, "look")
        fill = random.uniform(-0.6, 0.6)
        levels = tuple(
            round(float(NOMINAL_LEVEL + vary.level_pixels * (fill + part)), 2)
            for part in random.uniform(-0.4, 0.4, options.frame.vials)
        )
        thickness = 1 + vary.thickness * float(np.clip(random.normal(), -2, 2))
        tint = 1 + vary.tint * float(np.clip(random.normal(), -2, 2))
        shift = tuple(float(v) for v in random.uniform(-vary.pose_pixels, vary.pose_pixels, 2))
        degrees = float(random.uniform(-vary.pose_degrees, vary.pose_degrees))
        defects: tuple[Defect, ...] = ()
        if number >= one.good:
            rounds = -(-one.defective // len(PLACES))
            defects = (_make_defect(options, set_name, number - one.good, rounds, levels),)
        strips.append(
            StripSpec(set_name, name, number, thickness, tint, levels, (shift[0], shift[1]), degrees, defects)
        )
    return tuple(strips)
