"""The pictures of a rejected strip: each vial with rejected patches, and their heatmaps."""

from collections import defaultdict
from pathlib import Path

from drae_data.local_files import LocalFiles
from drae_data.options import DatasetOptions
from drae_line.inspection import Inspection
from drae_line.pictures_index import INDEX, Heatmap, VialPicture, index_bytes
from drae_line.slot_verdict import LoggedVerdict
from drae_model.gallery_pictures import heat_overlay, png_bytes, stacked_boxes, vial_picture


def write_pictures(folder: Path, logged: LoggedVerdict, inspection: Inspection, options: DatasetOptions) -> int:
    """Writes the pictures of a strip that the model rejected; no others are drawn.

    Args:
        folder: of this verdict's pictures; made where it is absent.
        logged: the verdict.
        inspection: that it came of.
        options: how its patches were cut.

    Returns:
        How many heatmaps were drawn; 0 and no folder for a strip that was accepted or not inspected.
    """
    product, examined, slot = inspection.product, inspection.examined, inspection.slot
    rejected = set(slot.rejected)
    if product is None or examined is None or not rejected:
        return 0
    files = LocalFiles(str(folder))
    vials: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for row, place in enumerate(product.places):
        vials[place.image, place.vial].append(row)
    over = [row for row, place in enumerate(product.places) if (place.image, place.vial, place.region) in rejected]
    heat = dict(zip(over, inspection.judge.heatmaps(examined, over), strict=True))
    pictures = []
    for (image, vial), rows in vials.items():
        if not heat.keys() & set(rows):
            continue
        boxes = {product.places[row].region: product.places[row].box for row in rows}
        if len(options.views) > 1:
            boxes = stacked_boxes(options.layouts.regions, options.patch.size)
        pixels = {product.places[row].region: product.patches[row, ..., 0] for row in rows}
        picture, placed = vial_picture(pixels, boxes, options.patch)
        name = f"v{vial}_{image}.png"
        files.write(name, [png_bytes(picture)])
        maps = []
        for row in rows:
            if row not in heat:
                continue
            region = product.places[row].region
            # Numbered: a region's name may hold what a file's may not.
            file = f"v{vial}_{image}_{options.layouts.regions.index(region)}.png"
            files.write(file, [png_bytes(heat_overlay(heat[row]))])
            score = float(examined.scores[row])
            maps.append(Heatmap(region, file, placed[region], score, inspection.judge.limits[region]))
        pictures.append(VialPicture(vial, image, name, (picture.shape[1], picture.shape[0]), tuple(maps)))
    files.write(INDEX, [index_bytes(pictures, logged.sequence, slot.acquisition)])
    return len(heat)
