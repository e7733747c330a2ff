"""The liquid of one acquisition: where surface, bubbles and drops are in each frame.

Every motion is a formula of the frame's index, so frame 7 is the same whether or not frames 0 to 6 were
rendered. Lengths are pixels at 1400 x 1100 from the axis of a vial and from the top of the frame.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drae_data.synthetic import geometry as drawing
from drae_data.synthetic.options import MotionOptions
from drae_data.synthetic.strips import Defect, StripSpec

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Surface:
    """The swinging surface of the liquid in one vial during one run.

    Attributes:
        level: its mean height.
        slosh: rise at the wall when the swing is widest.
        period: frames per swing.
        phase: radians at frame 0.
        decay: frames after which the swing has fallen to 1/e.
        layer: thickness of a foreign layer afloat on the liquid, 0 where there is none.
    """

    level: float
    slosh: float
    period: float
    phase: float
    decay: float
    layer: float

    def swing(self, frame: float, lead: float = 0.0) -> float:
        """Give the swing at a frame, -1 to 1; `lead` shifts the phase, radians."""
        angle = 2 * np.pi * frame / self.period + self.phase + lead
        return float(np.cos(angle) * np.exp(-frame / self.decay))

    def height(self, frame: float, x: npt.ArrayLike) -> Float64:
        """Give the rows of the surface at columns x: tilted, and bobbing in its second mode."""
        side = np.asarray(x, np.float64) / drawing.BODY_HALF
        bob = 0.42 * self.slosh * self.swing(frame, 1.3) * (1 - 1.5 * side**2)
        return np.asarray(self.level + self.slosh * self.swing(frame) * side + bob, np.float64)

    def opening(self, frame: float) -> float:
        """Give half the apparent depth of the surface, which the camera sees from its edge."""
        return 2.6 + 0.55 * self.slosh * abs(self.swing(frame, 0.8))


@dataclass(frozen=True)
class Lenses:
    """Bubbles or drops at one frame, each array float64 [n].

    Attributes:
        x: across.
        y: along.
        radius_x: across.
        radius_y: along.
        strength: 0 invisible, 1 as drawn.
        variant: int64 [n], which drawing.
    """

    x: Float64
    y: Float64
    radius_x: Float64
    radius_y: Float64
    strength: Float64
    variant: npt.NDArray[np.int64]


@dataclass(frozen=True)
class VialLiquid:
    """The liquid of one vial during one run; the arrays hold one value for each bubble or drop.

    Attributes:
        surface: of the liquid.
        bubbles: float64 [n, 7]: x, y, radius, drift across, speed upward, phase, frame at which it bursts.
        drops: float64 [n, 6]: x, y, radius, speed downward, stretch, phase.
        foam: float64 [n, 4]: x, y from the mean level, radius, phase; bubbles that stay, a defect.
    """

    surface: Surface
    bubbles: Float64
    drops: Float64
    foam: Float64

    def bubbles_at(self, frame: int) -> Lenses:
        """Place the bubbles: they rise to the surface, ride on it, drift between the walls and burst."""
        x0, y0, radius, drift, speed, phase, burst = self.bubbles.T
        room = drawing.BODY_HALF - drawing.WALL - 1 - radius
        span = 4 * room
        # The swing carries what floats; what rises from below hardly feels it.
        sway = 5.0 * self.surface.swing(frame, -0.9) * np.where(speed > 0, 0.25, 1.0)
        # Reflection at the walls is a triangular wave.
        fold = np.mod(x0 + drift * frame + sway + room, span)
        x = np.where(fold < 2 * room, fold, span - fold) - room
        rising = y0 - speed * (frame + 0.4 * np.sin(phase + 0.9 * frame))
        top = self.surface.height(frame, x) + 0.55 * radius + 1.8 * np.sin(phase + 1.1 * frame)
        y = np.maximum(rising, top)
        strength = np.where(frame < burst, 1.0, 0.0)
        squash = np.where(y > top + 2, 0.93, 1.0)
        return Lenses(x, y, radius, radius * squash, strength, np.arange(x.size))

    def drops_at(self, frame: int) -> Lenses:
        """Place the drops on the wall above the liquid: they run down in jerks and join the liquid."""
        x0, y0, radius, speed, stretch, phase = self.drops.T
        y = y0 + speed * (frame + 0.55 * np.sin(phase + 0.8 * frame))
        room = np.maximum(drawing.inner_half_width(y) - radius - 1.0, 0.0)
        x = np.clip(x0 + 0.8 * np.sin(phase + 0.5 * frame), -room, room)
        pulse = 1 + 0.07 * np.sin(phase + 1.3 * frame)
        free = y + radius * stretch < self.surface.height(frame, x) - 10.0
        return Lenses(x, y, radius * pulse, radius * stretch / pulse, free.astype(float), np.arange(x.size))

    def foam_at(self, frame: int) -> Lenses:
        """Place the foam of a contamination: it quivers but does not leave."""
        x, y, radius, phase = self.foam.T
        return Lenses(
            x + 0.6 * np.sin(phase + 0.9 * frame),
            y + self.surface.level + 0.6 * np.cos(phase + 1.1 * frame),
            radius,
            radius * 0.94,
            np.full(x.size, 0.85),
            np.arange(x.size),
        )


def _bubbles(motion: MotionOptions, level: float, random: np.random.Generator) -> Float64:
    """Draw a vial's bubbles: most lie around the meniscus, some come up from below."""
    count = int(random.poisson(motion.bubbles))
    radius = np.clip(random.lognormal(1.35, 0.48, count), 2.0, 12.0)
    deep = random.random(count) < 0.3
    x = random.uniform(-92, 92, count)
    y = np.where(deep, level + random.uniform(25, 330, count), level)
    drift = random.choice([-1.0, 1.0], count) * (0.9 + radius * 0.16) * random.uniform(0.8, 1.6, count)
    speed = np.where(deep, (1.2 + 0.5 * radius) * random.uniform(0.8, 1.5, count), 0.0)
    burst = np.where(random.random(count) < 0.25, random.uniform(3, 16, count), 1e9)
    drift *= np.where(deep, 0.2, 1.0)
    return np.stack([x, y, radius, drift, speed, random.uniform(0, 6.28, count), burst], 1)


def _drops(motion: MotionOptions, level: float, random: np.random.Generator) -> Float64:
    """Draw a vial's drops above the liquid, and with some luck one that is caught in the neck."""
    count = int(random.poisson(motion.drops))
    radius = np.clip(random.lognormal(1.35, 0.5, count), 2.0, 11.0)
    x = np.sin(random.uniform(-1.45, 1.45, count)) * 92
    y = random.uniform(395, level - 30, count)
    speed = (0.5 + 0.19 * radius) * random.uniform(0.8, 1.9, count)
    rows = np.stack([x, y, radius, speed, random.uniform(1.0, 1.5, count), random.uniform(0, 6.28, count)], 1)
    if random.random() < motion.neck_liquid:
        caught = [
            random.uniform(-3, 3),
            random.uniform(308, 320),
            random.uniform(9, 12),
            random.uniform(1.6, 2.4),
            random.uniform(0.8, 1.3),
            random.uniform(0, 6.28),
        ]
        rows = np.vstack([rows, caught])
    return rows


def _foam(defect: Defect, level: float, random: np.random.Generator) -> Float64:
    """Draw the foam that a contamination holds together: float64 [n, 4]."""
    if defect.kind == "particle_with_foam":
        count = 10 + int(defect.size * 1.6)
        reach = 2.0 * defect.size
        around = random.uniform(0, 2 * np.pi, count)
        out = reach * np.sqrt(random.uniform(0.06, 1, count))
        x = defect.x + 1.25 * out * np.cos(around)
        y = defect.y - level + 0.55 * out * np.sin(around) - 3
        radius = random.uniform(2.2, 3.0 + 0.16 * defect.size, count)
    else:
        count = 16 + int(defect.size)
        x = random.uniform(-88, 88, count)
        radius = random.uniform(2.0, 5.0, count)
        y = defect.size + random.normal(0, 3.0, count) - radius
    limit = drawing.BODY_HALF - drawing.WALL - radius
    return np.stack([np.clip(x, -limit, limit), y, radius, random.uniform(0, 6.28, count)], 1)


def pour(
    motion: MotionOptions,
    spec: StripSpec,
    vial: int,
    turn: np.random.Generator,
    random: np.random.Generator,
    lasting: np.random.Generator,
) -> VialLiquid:
    """Make the liquid of one vial for one run.

    Args:
        motion: how much moves.
        spec: the strip.
        vial: which vial.
        turn: numbers of this strip and run, a fresh generator: the half turn that all vials made together.
        random: numbers of this strip, run and vial.
        lasting: numbers of this strip and vial, the same in every run: foam that a defect holds.

    Returns:
        The liquid, to be asked for any frame.
    """
    level = spec.levels[vial]
    slosh = motion.slosh_pixels * turn.uniform(0.7, 1.0) * random.uniform(0.85, 1.0)
    period = turn.uniform(5.5, 7.0) * random.uniform(0.97, 1.03)
    phase = turn.uniform(0, 2 * np.pi) + random.uniform(-0.5, 0.5)
    decay = random.uniform(11.0, 18.0)
    foam, layer = np.zeros((0, 4)), 0.0
    bubbles, drops = _bubbles(motion, level, random), _drops(motion, level, random)
    for defect in spec.defects:
        if defect.vial == vial and defect.kind in ("particle_with_foam", "foreign_liquid_behaviour"):
            foam = np.vstack([foam, _foam(defect, level, lasting)])
            if defect.kind == "foreign_liquid_behaviour":
                # A foreign, tougher liquid floats on the excipient and damps its swing.
                layer, slosh = defect.size, slosh * 0.35
    return VialLiquid(Surface(level, slosh, period, phase, decay, layer), bubbles, drops, foam)
