"""Acquisitions: a strip is gripped, turned and photographed; frames are encoded and written.

Nothing here keeps state: any thread may render any acquisition in any order and gets the same bytes.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np

from drae_data.errors import DraeError
from drae_data.opencv import plain_opencv
from drae_data.synthetic.liquid import Lenses, VialLiquid, pour
from drae_data.synthetic.meniscus import Band, Matrix
from drae_data.synthetic.optics import stamp
from drae_data.synthetic.options import Float32, Uint8
from drae_data.synthetic.rendering import Rig, StripAppearance, make_appearance, window_of
from drae_data.synthetic.seeds import named_generator
from drae_data.synthetic.strips import StripSpec

PNG_SETTINGS = (
    # Sensor noise defeats the search for repeats: Huffman codes alone are smaller and faster; the strip's
    # lines run down the frame, so the row above predicts best.
    cv2.IMWRITE_PNG_STRATEGY,
    cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY,
    cv2.IMWRITE_PNG_FILTER,
    cv2.IMWRITE_PNG_FILTER_UP,
)


def pose_matrix(rig: Rig, spec: StripSpec, run: int) -> Matrix:
    """Give the affine map from the strip at rest to its place in the frames of a run: float64 [2, 3]."""
    frame, vary, scale = rig.options.frame, rig.options.variation, rig.geometry.scale
    random = named_generator(rig.options.seed, spec.set_name, spec.name, run, "grip")
    across, along = random.uniform(-vary.regrip_pixels, vary.regrip_pixels, 2)
    turn = np.deg2rad(spec.degrees)
    cos, sin = np.cos(turn), np.sin(turn)
    x, y = frame.width / 2, frame.height / 2
    shift_x, shift_y = (spec.shift[0] + across) * scale, (spec.shift[1] + along) * scale
    return np.array([[cos, sin, x - cos * x - sin * y + shift_x], [-sin, cos, y + sin * x - cos * y + shift_y]])


def _draw_lenses(
    canvas: Float32, rig: Rig, vial: int, lenses: Lenses, bank: tuple[tuple[Float32, ...], ...], matrix: Matrix
) -> None:
    """Stamp bubbles or drops of one vial into a frame, in place."""
    geometry = rig.geometry
    x = geometry.centre_x(vial) + lenses.x * geometry.scale_x
    y = lenses.y * geometry.scale_y
    column = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]
    row = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]
    for i in np.flatnonzero(lenses.strength > 0).tolist():
        place = (
            float(column[i]),
            float(row[i]),
            float(lenses.radius_x[i]) * geometry.scale,
            float(lenses.radius_y[i]) * geometry.scale,
        )
        stamp(canvas, bank, int(lenses.variant[i]), place, float(lenses.strength[i]))


def _light_gain(rig: Rig, spec: StripSpec, run: int, frame: int) -> float:
    """Give the slow drift of the light: two waves over the time of acquisition."""
    phase = named_generator(rig.options.seed, spec.set_name, "drift").uniform(0, 2 * np.pi, 2)
    clock = spec.number + 0.13 * run + 0.004 * frame
    wave = 0.7 * np.sin(0.41 * clock + phase[0]) + 0.3 * np.sin(2.9 * clock + phase[1])
    return float(1 + rig.options.camera.light_drift * wave)


def render_acquisition(
    rig: Rig, appearance: StripAppearance, run: int, frame_indices: Iterable[int]
) -> Iterator[tuple[int, Uint8]]:
    """Render frames of one acquisition.

    Args:
        rig: what all strips share.
        appearance: of the strip.
        run: which acquisition of the strip, from 0.
        frame_indices: which frames, in any order.

    Yields:
        Frame index and frame, uint8 [h, w]. A frame depends on its index only, not on the others asked for.
    """
    plain_opencv()
    spec, options = appearance.spec, rig.options
    size = (options.frame.width, options.frame.height)
    matrix = pose_matrix(rig, spec, run)
    # Cubic keeps the grain as sharp in every pose; the change by liquid is smooth and needs no more than linear.
    edge = cv2.BORDER_REPLICATE
    through = cv2.warpAffine(appearance.transmittance, matrix, size, flags=cv2.INTER_CUBIC, borderMode=edge)
    filled = cv2.warpAffine(appearance.filled, matrix, size, flags=cv2.INTER_LINEAR, borderMode=edge)
    still = np.asarray(through, np.float32) * rig.light
    liquids: list[VialLiquid] = []
    bands: list[Band] = []
    for vial in range(options.frame.vials):
        turn = named_generator(options.seed, spec.set_name, spec.name, run, "turn")
        random = named_generator(options.seed, spec.set_name, spec.name, run, vial, "liquid")
        lasting = named_generator(options.seed, spec.set_name, spec.name, vial, "lasting")
        liquids.append(pour(options.motion, spec, vial, turn, random, lasting))
        bands.append(Band(rig, np.asarray(filled, np.float32), still, liquids[-1].surface, vial, matrix))
    # Shot noise: its variance follows the light that arrives.
    sigma = cv2.sqrt(np.maximum(still, 1.0) / options.camera.light_level) * options.camera.noise_sigma
    for frame in frame_indices:
        grey = still.copy()
        for vial, (liquid, band) in enumerate(zip(liquids, bands, strict=True)):
            band.draw(grey, frame)
            _draw_lenses(grey, rig, vial, liquid.drops_at(frame), rig.stamps.drops, matrix)
            _draw_lenses(grey, rig, vial, liquid.bubbles_at(frame), rig.stamps.bubbles, matrix)
            _draw_lenses(grey, rig, vial, liquid.foam_at(frame), rig.stamps.bubbles, matrix)
        random = named_generator(options.seed, spec.set_name, spec.name, run, frame, "noise")
        noise = cv2.multiply(window_of(rig.noise, size[1], size[0], random), sigma)
        seen = np.asarray(cv2.scaleAdd(grey, _light_gain(rig, spec, run, frame), noise), np.float32)
        # Rounds, and cuts off above 255.
        yield frame, np.asarray(cv2.convertScaleAbs(np.maximum(seen, 0, out=seen)), np.uint8)


def write_acquisition(folder: Path, rig: Rig, appearance: StripAppearance, run: int, frames: Iterable[int]) -> int:
    """Render and write one acquisition: `frame_00.png` and so on; each file is whole or absent.

    Args:
        folder: of the acquisition; made if absent.
        rig: what all strips share.
        appearance: of the strip.
        run: which acquisition of the strip.
        frames: indices of the frames to write.

    Returns:
        Bytes written.

    Raises:
        DraeError: a frame could not be encoded.
    """
    return sum(
        write_frame(folder / f"frame_{frame:02d}.{rig.options.image_format}", pixels)
        for frame, pixels in render_acquisition(rig, appearance, run, frames)
    )


def write_frame(target: Path, pixels: Uint8) -> int:
    """Write one frame; the file is whole or absent.

    Args:
        target: the file; its suffix says the format. Its folder is made if absent.
        pixels: uint8 [h, w].

    Returns:
        Bytes written.

    Raises:
        DraeError: the frame could not be encoded.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    good, data = cv2.imencode(target.suffix, pixels, PNG_SETTINGS if target.suffix == ".png" else ())
    if not good:
        raise DraeError(f"{target}: the frame could not be encoded")
    staged = target.with_name(f".{target.name}.{os.getpid()}.incomplete")
    staged.write_bytes(data.data)
    staged.replace(target)
    return int(data.size)


def write_strip(root: Path, rig: Rig, spec: StripSpec) -> int:
    """Write all acquisitions of one strip: `<root>/<set>/<strip>/run_<RR>/frame_<FF>`.

    This is the piece of work for a pool of threads: the strip is drawn once for all its runs.

    Args:
        root: folder of all sets.
        rig: what all strips share.
        spec: the strip.

    Returns:
        Bytes written.
    """
    one = rig.options.sets[spec.set_name]
    appearance = make_appearance(rig, spec)
    home = root / spec.set_name / spec.name
    return sum(write_acquisition(home / f"run_{run:02d}", rig, appearance, run, one.frames) for run in range(one.runs))
