"""A verdict as the page shows it: small on a tile, large when it is opened."""

from typing import Any

from drae_line.operator_page.figures import Brief
from drae_line.operator_page.ratios import finite, ratio
from drae_line.operator_page.reasons import plain_reason
from drae_line.slot_verdict import LoggedVerdict, SlotVerdict


def tile(logged: LoggedVerdict) -> dict[str, Any]:
    """What a tile shows: the verdict, its reason, and the worst patch of each region."""
    slot, brief = logged.slot, Brief.of(logged)
    reason, todo = ("", "") if slot.inspected else plain_reason(slot.reason)
    return {
        "sequence": logged.sequence, "acquisition": slot.acquisition, "given": brief.given, "kind": brief.kind,
        "reason": reason, "todo": todo, "slot_ms": brief.slot_ms, "limit_ms": brief.limit_ms,
        "regions": [worst_patch(slot, region) for region in sorted(slot.thresholds)] if slot.inspected else [],
    }  # fmt: skip


def worst_patch(slot: SlotVerdict, region: str, only_vial: int | None = None) -> dict[str, Any]:
    """The patch with the greatest score of a region, of all vials or of one; without a score where there is none."""
    threshold = slot.thresholds[region]
    patches = [
        (score, image, vial)
        for image, regions in slot.scores.items()
        for vial, score in enumerate(regions.get(region, ()))
        if score is not None and only_vial in (None, vial)
    ]
    found: dict[str, Any] = {"region": region, "threshold": threshold}
    if not patches:
        return {**found, "score": None, "ratio": None, "over": False, "image": "", "vial": -1}
    score, image, vial = max(patches, key=lambda patch: patch[0])
    # Without a ratio: over a threshold of 0 or less.
    return {
        **found, "score": score, "ratio": finite(ratio(score, threshold)), "over": score > threshold, "image": image,
        "vial": vial,
    }  # fmt: skip


def opened(logged: LoggedVerdict) -> dict[str, Any]:
    """All that is shown of a strip that is opened: beside what its tile shows, a grid of regions by vials."""
    slot = logged.slot
    vials = max((len(row) for regions in slot.scores.values() for row in regions.values()), default=0)
    return {
        **tile(logged), "detail": slot.detail, "folder": slot.folder, "vials": vials, "images": list(slot.scores),
        "grid": [[worst_patch(slot, region, vial) for vial in range(vials)] for region in sorted(slot.thresholds)]
        if vials else [],
        "rejected": len(slot.rejected),
        "deciding": slot.deciding.patch if slot.deciding is not None else "",
        "milliseconds": dict(slot.milliseconds), "model_digest": slot.model_digest,
        "thresholds_digest": slot.thresholds_digest, "frames_sha256": dict(slot.frames_sha256),
    }  # fmt: skip
