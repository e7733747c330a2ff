"""The codes that stand in the tables, and what each means: why something was refused, left out, noted or found odd."""

from drae_data.frames.options import FRAME_REASONS
from drae_data.frames.options import NOTES as FRAME_NOTES

# Reason codes of the quarantine and what each means.
REASONS = {
    **FRAME_REASONS,
    "unmatched_name": "the name does not fit the path template",
    "duplicate_acquisition": "another folder or file claims the same key",
    "missing_frame": "a frame that every acquisition must have is absent",
    "extra_frame": "a frame, vial or region beyond the expected ones",
    "duplicate_frame": "two files claim the same frame",
    "outside_root": "a link leads out of the root",
    "wrong_size": "not the size that the strip layout expects",
    "unequal_sizes": "frames of one acquisition differ in size",
    "no_layout": "strip_layout names no layout for this recipe or station",
    "misaligned": "further from the reference than align.max_shift, or a box shifted out of the frame",
}
# Why an acquisition that is listed, or was in the earlier version, is not in this one, without anything being wrong.
LEFT_OUT = {
    "label": "its label is not among labels.select",
    "not_in_list": "the split list does not name its strip",
    "superseded": "the strip was acquired again in this run; the latest was taken",
    "still_written": "not complete yet: its marker is absent, or it changed less than settle_seconds ago",
    "withdrawn": "in the earlier version, and no longer to be built",
}
# What was done to an acquisition's frames, or is missing beside them, without harm to its patches.
NOTES = {
    **FRAME_NOTES,
    "no_time": "acquired_at could not be read, or its local time came twice or never",
    "no_sidecar": "its sidecar is absent or no JSON",
}
# What is odd about labels; none of them stops a build.
FINDINGS = {
    "conflicting_labels": "two labels for the same place; its label is unknown",
    "partial_labels": "some vials have a label and others none; its label is unknown",
    "unlabelled": "no label; its label is unknown",
    "unknown_code": "a code that labels.codes does not name; its label is unknown",
    "label_without_acquisition": "a label for what is not listed",
    "side_without_acquisition": "a strip in the list of sides that is not listed",
    "ambiguous_label": "a label that fits strips of several batches or recipes; it labels none",
}
