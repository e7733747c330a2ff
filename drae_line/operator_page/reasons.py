"""Why a strip was not inspected, in plain words, and what to do."""

from drae_data.codes import REASONS
from drae_line.slot_verdict import FAILED, SLOT_OVERRUN, STILL_WRITTEN

_CAMERA = "Check that the camera took all frames, and the camera's computer: cable, trigger, room on its disk."
_ENGINEER = "Call the engineer: camera and inspection do not agree on how frames are made."
_TRIGGER = "Check the trigger and whether strips follow each other too closely."
_POSITION = "Check how the strip lies in the grip, and whether camera or grip have moved."
_NAMES = "Call the engineer: the camera's computer names its files otherwise than expected."

# By reason code: what happened, what to do.
PLAIN = {
    SLOT_OVERRUN: (
        "Judging the strip took longer than its slot.",
        "Once is no harm. If it comes again, look at the slot times and call the engineer: the computer is too slow or "
        "busy with something else.",
    ),
    STILL_WRITTEN: ("Not all frames of the strip came in time.", _CAMERA),
    FAILED: ("The inspection itself failed.", "Call the engineer, and show the detail below."),
    "missing_frame": ("A frame of the strip is missing.", _CAMERA),
    "empty_file": ("A frame is an empty file.", _CAMERA),
    "unreadable": ("A frame is damaged or was cut off.", _CAMERA),
    "extra_frame": ("The strip has more frames than expected.", _TRIGGER),
    "duplicate_frame": ("A frame of the strip came twice.", _TRIGGER),
    "duplicate_acquisition": ("Another folder claims to be the same strip.", _TRIGGER),
    "unequal_sizes": ("The frames of the strip differ in size.", _ENGINEER),
    "wrong_size": ("The frames are not of the size that is expected.", _ENGINEER),
    "too_large": ("A frame is too large.", _ENGINEER),
    "unsupported_format": ("A frame is an image of a kind that is refused.", _ENGINEER),
    "colour": ("A frame is in colour.", _ENGINEER),
    "alpha": ("A frame has transparency.", _ENGINEER),
    "wrong_depth": ("The grey values of a frame have another depth than expected.", _ENGINEER),
    "no_layout": ("There is no strip layout for this recipe or station.", _ENGINEER),
    "misaligned": ("The strip does not lie where it should.", _POSITION),
    "unmatched_name": ("The folder's name is not as expected.", _NAMES),
    "outside_root": ("A frame is a link that leads elsewhere.", _NAMES),
}


def plain_reason(code: str) -> tuple[str, str]:
    """What happened and what to do; for a code of another version its meaning where it has one, else the code."""
    if code in PLAIN:
        return PLAIN[code]
    return f"The strip was not inspected: {REASONS.get(code, code)}.", "Call the engineer, and show the detail below."
