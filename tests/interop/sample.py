"""The real sample as every reader must see it: what its patches are by hand, and one digest over all of them."""

import hashlib
import io
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image
from ruamel.yaml import YAML

from drae_data.rank_images import Pixels
from drae_data.strip_layout import StripLayout
from pipelines.build import main as build
from pipelines.params import load_params

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "tests/data/bottle_strips"
PARAMS = ROOT / "examples/bottle_strips/params.yaml"
STRIPS = ("acq000", "acq010")
SIZE = 256


@cache
def layout() -> StripLayout:
    return load_params(PARAMS).dataset_options("bottle_strips").layouts.layouts[""]


def patches_of_a_strip() -> int:
    return 18 * 3 * len(layout().regions)


def build_sample(folder: Path, encoding: str) -> Path:
    """Built by the command that a user types; split by strip, so that its two strips have two sides."""
    values = YAML(typ="safe", pure=True).load(PARAMS)
    values["patch"]["encoding"] = encoding
    values["build"]["bottle_strips"]["split"] = {"by": "strip", "validation_fraction": 0.1, "seed": 1}
    YAML(typ="safe", pure=True).dump(values, folder / "params.yaml")
    out = folder / "bottle_strips" / "1.0.0"
    sample = ["--root", str(SAMPLE), "--tables", str(SAMPLE)]
    arguments = ["--set", "bottle_strips", "--params", str(folder / "params.yaml"), *sample, "--out", str(out)]
    assert build(arguments) == 0
    return out


@cache
def images_by_hand(strip: str) -> dict[str, Any]:
    """All images of the strip's only acquisition, by their names: frames, and the ends of the sorted stack."""
    frames: dict[str, Any] = {
        f"f{index:02d}": cv2.imread(str(SAMPLE / strip / f"frame_{index:02d}.png"), cv2.IMREAD_GRAYSCALE)
        for index in range(16)
    }
    stack = np.sort(np.stack([*frames.values()]), axis=0)
    return {**frames, "min": stack[0], "max": stack[-1]}


@cache
def patch_by_hand(key: str) -> Any:
    """The image sliced at the box, resized by one call of OpenCV (all boxes grow: cubic).

    OpenCV on both sides, since the patches must be equal to the bit here: the question is whether each record holds the
    pixels of its key. That OpenCV's cubic is the bicubic kernel, tests/drae_data/test_patches.py shows without it.
    """
    cv2.ipp.setUseIPP(False)  # As the build has it, see drae_data/opencv.py.
    strip, _, image, vial, region = key.split("/")
    left, top, width, height = (int(value) for value in layout().boxes[region][int(vial[1:])])
    assert max(width, height) < SIZE
    pixels = images_by_hand(strip)[image][top : top + height, left : left + width]
    return cv2.resize(pixels, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)


def patches_by_hand() -> Iterator[tuple[str, Any]]:
    """Key and pixels of every patch that the sample has."""
    for strip in STRIPS:
        for image in images_by_hand(strip):
            for region, boxes in layout().boxes.items():
                for vial in range(len(boxes)):
                    key = f"{strip}/r0/{image}/v{vial}/{region}"
                    yield key, patch_by_hand(key)


def digest_of(patches: Iterable[tuple[str, Any]]) -> str:
    """One digest over all patches, whatever their order: SHA-256 over key and pixels, sorted by key."""
    found: dict[str, bytes] = {}
    for key, pixels in patches:
        assert key not in found
        array = np.asarray(pixels)
        assert array.dtype == np.uint8
        found[key] = array.reshape(SIZE, SIZE).tobytes()
    assert len(found) == len(STRIPS) * patches_of_a_strip()
    digest = hashlib.sha256()
    for key in sorted(found):
        digest.update(key.encode() + b"\0" + found[key])
    return digest.hexdigest()


@cache
def expected_digest() -> str:
    return digest_of(patches_by_hand())


def decoded(encoded: bytes) -> Pixels:
    """An image by its bytes alone, raw or PNG; Pillow, which no code of the builder uses for patches."""
    if len(encoded) == SIZE * SIZE:
        return np.frombuffer(encoded, np.uint8).reshape(SIZE, SIZE)
    with Image.open(io.BytesIO(encoded)) as image:
        assert image.mode == "L"
        return np.asarray(image)
