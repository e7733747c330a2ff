"""The options with which the tests run the synthetic line: the demo's, in frames of any size."""

from drae_data.synthetic.options import (
    CameraOptions,
    FrameOptions,
    MotionOptions,
    SetOptions,
    SynthesizeOptions,
    VariationOptions,
)

SIZES = {
    "stuck_particle": (5.0, 20.0),
    "particle_with_foam": (6.0, 16.0),
    "body_deformation_light": (36.0, 62.0),
    "body_deformation_heavy": (56.0, 92.0),
    "black_spot": (4.0, 14.0),
    "burn": (20.0, 64.0),
    "scratch_light": (26.0, 72.0),
    "scratch_deep": (34.0, 84.0),
    "neck_bump": (9.0, 20.0),
    "laser_cut_imperfection": (10.0, 30.0),
    "foreign_liquid_behaviour": (14.0, 40.0),
}


def make_options(
    height: int = 275,
    width: int = 350,
    vials: int = 5,
    image_format: str = "png",
    drift: float = 0.015,
    regrip: float = 0.6,
    noise: float = 1.5,
    sizes: dict[str, tuple[float, float]] = SIZES,
    kit_frames: tuple[int, ...] = (0, 7, 15),
) -> SynthesizeOptions:
    return SynthesizeOptions(
        seed=20241,
        image_format=image_format,
        lot="LOT 2407",
        frame=FrameOptions(height, width, vials),
        camera=CameraOptions(236, 0.09, drift, noise, 0.8),
        variation=VariationOptions(0.05, 0.06, 14, 3.0, 0.12, regrip),
        motion=MotionOptions(16, 9, 13, 11, 0.5),
        defect_sizes=sizes,
        sets={
            "production": SetOptions(40, 0, 2, tuple(range(16))),
            "calibration": SetOptions(20, 24, 10, (0, 7, 15)),
            "kit": SetOptions(20, 24, 10, kit_frames),
        },
    )
