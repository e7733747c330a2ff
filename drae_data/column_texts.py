"""What every table and every column means, in words: for `croissant.json` and for docs/formats.md.

A column inside a list of structures stands by its path: `frames.sha256`.
"""

TABLE_TEXTS = {
    "patches": "The patch index, a part per shard: row n is record n of the shard whose name the part bears.",
    "acquisitions": "One row per built acquisition, in the order of keys.",
    "quarantine": "One row per acquisition or name that was not built because something is wrong with it.",
    "left_out": "One row per acquisition that was not built though nothing is wrong with it.",
    "labels": "Every label that the build was given, resolved to what it holds for.",
    "findings": "What is odd about the labels; nothing here stopped the build.",
    "plan": "Split and shard of every acquisition; a later version that extends this one goes on from these rows.",
    "statistics": "Means over the patches of one split, region and kind of image, each patch counted once.",
    "violations": "What the quality rules found, the most severe first; a report has it, no version.",
}
_KEY = {
    "strip": "the strip's name; never holds a slash",
    "run": "which time the strip was acquired, 0 up; 0 where the line does not count runs",
    "batch": "the lot; empty where the line has none",
    "recipe": "the product's settings; empty where the line has none",
    "station": "the camera station; empty where the line has none",
}
_NAMED = {
    **_KEY,
    "strip": "the strip's name; empty where the name gives no key",
    "run": "as in acquisitions; -1 where the name gives no key",
}
_PLACE = {
    "vial": "the vial that the file shows, 0 up; -1 where it shows the whole strip",
    "region": "the region that the file shows; empty where it shows all of them",
}
_FILE = {
    "frame": "the frame's index, 0 up; -1 for a file that is no frame",
    **_PLACE,
    "file": "path inside the acquisition's folder, with forward slashes",
    "bytes": "size of the file in bytes, 0 up",
    "sha256": "SHA-256 of the file, 64 lower-case hexadecimal digits",
}
_SPLIT = {"split": "train, validation or test"}
# Of one patch; with other words before them also of the means of many.
_MEASURED = {
    "sharpness": "variance of the Laplacian over the 4 neighbours, in squared grey values, 0 up",
    "saturated": "share of pixels at 255, 0 to 1",
    "black": "share of pixels at 0, 0 to 1",
}


def _inside(name: str, texts: dict[str, str]) -> dict[str, str]:
    return {f"{name}.{column}": text for column, text in texts.items()}


COLUMN_TEXTS: dict[str, dict[str, str]] = {
    "patches": {
        "key": "the patch's key",
        **_KEY,
        "image": "f00, f01, ... for a frame, min or max for a rank image",
        "vial": "the vial's number, 0 up",
        "region": "the region's name",
        **_SPLIT,
        "index": "number of the record in the shard, 0 up",
        "offset": "byte offset of the record's data in the shard, 12 bytes after the record's start",
        "length": "bytes of the record's data, without length and checksums",
        "sha256": "SHA-256 of the record's feature image, 64 lower-case hexadecimal digits",
        "mean": "mean grey value, 0 to 255",
        "std": "population standard deviation of the grey values, 0 to 127.5",
        "minimum": "smallest grey value",
        "maximum": "largest grey value",
        **_MEASURED,
        "motion": "mean absolute difference from the frame that was read before, over the patch's box at the frame's "
        "own size, in grey values, 0 to 255; of a rank image the mean over the frames; -1 where none was read before",
    },
    "acquisitions": {
        **_KEY,
        "folder": "where it lies below the root of the frames; where acquisitions are files, their common folder",
        "label": "good, defective, excluded or unknown",
        "views": "sizes of its frames: one for all, or one for each vial and region where frames come already cut",
        **_inside(
            "views",
            {
                **_PLACE,
                "height": "rows of the frames in pixels, 1 up",
                "width": "columns of the frames in pixels, 1 up",
            },
        ),
        "shift_x": "pixels that the strip lies to the right of where the reference has it; 0 without alignment",
        "shift_y": "pixels that it lies lower; 0 without alignment",
        "acquired_at": "when, in UTC; null where not known",
        "exposure": "exposure time as the camera's text; empty where there is none",
        "gain": "gain as the camera's text; empty where there is none",
        "serial": "serial number of the camera as its text; empty where there is none",
        "notes": "codes of what was done to its frames or is missing beside them, sorted",
        "patches": "how many patches of it the dataset holds, 1 up",
        "splits": "where they are, sorted",
        "shards": "file names of the shards that hold them, sorted",
        "ignored_files": "files in its folder that are no frames, 0 up",
        "frames": "the frame files that were read, in the order of reading",
        **_inside("frames", _FILE),
        "sidecar": "the file beside the frames that was read: none or one",
        **_inside("sidecar", _FILE),
        "frame_statistics": "of each frame file that was read, over the boxes in it, in the order of reading",
        **_inside(
            "frame_statistics",
            {
                "frame": "the frame's index, 0 up",
                **_PLACE,
                "mean": "mean grey value in the boxes, 0 to 255",
                "motion": "mean absolute difference from the frame that was read before, in grey values, 0 to 255; "
                "-1 where none was read before",
            },
        ),
        "signature": "perceptual hashes of the boxes in the last of the set's images, 16 lower-case hexadecimal digits "
        "each, one behind the other in the order of boxes",
    },
    "quarantine": {
        "folder": "where it lies below the root of the frames; a file where acquisitions are files",
        **_NAMED,
        "reason": "a reason code of the quarantine",
        "file": "the offending file in the folder; empty where it is the folder itself",
        "detail": "what was expected and what came",
    },
    "left_out": {
        "folder": "where it lies below the root of the frames; a file where acquisitions are files",
        **_NAMED,
        "reason": "a reason code of what is left out",
        "file": "where acquisitions are files, the first of them; otherwise empty",
        "detail": "why, in words",
    },
    "labels": {
        **_KEY,
        "run": "as in acquisitions; -1 where the label holds for all runs",
        "station": "as in acquisitions; empty also where the label holds for all stations",
        "vial": "the vial's number, 0 up; -1 where the label holds for the whole strip",
        "region": "the region's name; empty where the label holds for all regions",
        "label": "good, defective, excluded or unknown",
        "code": "as it stood in the source of labels",
        "defect": "type of the defect; empty where the source does not name it",
        "size": "of the defect in pixels of the frame; 0 where the source does not say it",
    },
    "findings": {
        "kind": "a code of findings",
        "place": "the strip or acquisition",
        "detail": "what was found, in words",
    },
    "plan": {
        **_KEY,
        **_SPLIT,
        "shard": "file name of its shard; empty where an earlier version held it and this one does not",
        "folder": "where it lies below the root of the frames",
        "validation_patches": "where the split is by patch, how many of its patches are validation; otherwise -1",
    },
    "statistics": {
        **_SPLIT,
        "region": "the region's name",
        "image": "frame, min or max",
        "patches": "how many, 1 up",
        "mean": "mean of the patches' means, 0 to 255",
        "mean_std": "population standard deviation of the patches' means",
        "std": "mean of the patches' standard deviations",
        **{column: f"mean over the patches: {text}" for column, text in _MEASURED.items()},
        "motion": "mean over the patches that have a motion, in grey values; -1 where none has",
    },
    "violations": {
        "severity": "error, warning or note",
        "rule": "the rule's name",
        "place": "key of an acquisition, name of a strip, or split and region",
        "measured": "what was measured, to six digits, in the unit of the limit",
        "limit": "what the rule allows, to six digits",
        "detail": "what was seen and where to look, in words",
    },
}
