"""The pictures of a scored set: the most telling patches, and what the exported model makes of them."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from drae_acceptance.gallery import FOLDER, INDEX, GalleryPatch, read_gallery
from drae_acceptance.score_files import read_score_set
from drae_data.files import sha256_hex
from drae_model.gallery_pictures import grey_picture, heat_overlay


def entries_of(scored: Path) -> tuple[GalleryPatch, ...]:
    folder = scored / "scores/kit"
    return read_gallery(folder, sha256_hex((folder / FOLDER / INDEX).read_bytes()))


@pytest.mark.slow
def test_the_greatest_score_of_each_strip_and_region_and_of_each_defect_is_shown(scored: Path) -> None:
    patches = read_score_set(scored / "scores/kit").patches
    rows = range(len(patches))
    wanted = set()
    for strip in set(patches.strip.tolist()):
        for region in ("R0", "R1"):
            of_region = [row for row in rows if (patches.strip[row], patches.region[row]) == (strip, region)]
            wanted.add(max(of_region, key=lambda row: (patches.score[row], -row)))
            for vial in (0, 1):
                marked = [row for row in of_region if (patches.vial[row], patches.label[row]) == (vial, "defective")]
                if marked:
                    wanted.add(max(marked, key=lambda row: (patches.score[row], -row)))
    assert [entry.key for entry in entries_of(scored)] == [patches.key_at(row) for row in sorted(wanted)]


@pytest.mark.slow
def test_pictures_are_those_of_the_exported_model(scored: Path) -> None:
    import tensorflow as tf

    from drae_model.patch_dataset import patch_batches
    from drae_model.read_options import ReadOptions

    folder, entries = scored / "scores/kit" / FOLDER, entries_of(scored)
    model = tf.saved_model.load(str(scored / "model/saved_model"))
    pixels: dict[bytes, Any] = {}
    for batch in patch_batches(scored / "datasets/kit/1.0.0", ReadOptions("test", 16, False, 1, None)):
        pixels |= dict(zip(batch["key"].numpy(), np.round(batch["image"].numpy() * 255).astype(np.uint8), strict=True))
    assert len(entries) >= 10
    for entry in entries:
        region = tf.constant([("R0", "R1").index(entry.region)])
        inputs = {"patches": tf.constant(pixels[entry.key.encode()][None]), "regions": region}
        found = model.signatures["reconstruct"](**inputs)["reconstruction"].numpy()
        rebuilt = grey_picture(found[0, ..., 0])
        heat = heat_overlay(model.signatures["inspect"](**inputs)["heatmap"].numpy()[0])
        for name, expected in ((entry.reconstruction, rebuilt), (entry.heatmap, heat)):
            picture = cv2.imread(str(folder / name), cv2.IMREAD_UNCHANGED)
            assert picture is not None
            # Batches of other sizes round otherwise.
            assert np.abs(picture.astype(int) - expected).max() <= 1
