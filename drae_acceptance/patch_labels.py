"""What the labels of a strip say of each of its patches and vials (DESIGN: unknown is never good).

In a defective strip a patch is defective where a label names its vial and region. A label of a vial without region
leaves that vial's patches unknown, one of a region without vial that region's, one without both all of them: such
labels count for vial or strip only. What no label names is good, as the paper's counts imply, or unknown: an option;
with `unknown` a vial is good only by a label of the whole vial, or of each of its regions.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from drae_data.acquisition import AcquisitionKey
from drae_data.labels import DEFECTIVE, EXCLUDED, GOOD, UNKNOWN, holds
from drae_data.manifest import LabelRow


@dataclass(frozen=True)
class PatchLabel:
    """The label of one patch.

    Attributes:
        label: good, defective, excluded or unknown.
        vial_label: of its vial.
        defect: types of the defects there, joined by commas; empty where it is not defective.
        size: of the largest in pixels; NaN where none is given.
    """

    label: str
    vial_label: str
    defect: str
    size: float


class PatchLabels:
    """Labels by acquisition, vial and region.

    Args:
        rows: of the set's labels table.
        strips: label of each acquisition, as the build found it.
        unlabelled_parts: what a part of a defective strip is that no label names: good or unknown.
        regions: names of the layout's regions; without them a vial is never known by labels of its regions.
    """

    def __init__(
        self, rows: Iterable[LabelRow], strips: Mapping[AcquisitionKey, str],
        unlabelled_parts: Literal["good", "unknown"], regions: Collection[str] = (),
    ) -> None:  # fmt: skip
        self._strips = strips
        self._elsewhere = unlabelled_parts
        self._regions = frozenset(regions)
        self._rows: defaultdict[str, list[LabelRow]] = defaultdict(list)
        for row in sorted(set(rows)):
            self._rows[row.strip].append(row)

    def of(self, key: AcquisitionKey, vial: int, region: str) -> PatchLabel:
        """The label of the patches of an acquisition that show a vial and region."""
        strip = self._strips.get(key, UNKNOWN)
        if strip != DEFECTIVE:
            return PatchLabel(strip, strip, "", float("nan"))
        rows = self._holding(key)
        exact = [row for row in rows if (row.vial, row.region) == (vial, region)]
        marked = [row for row in exact if row.label == DEFECTIVE]
        wider = {row.label for row in rows if row.vial in (-1, vial) and row.region in ("", region)}
        if marked:
            return PatchLabel(DEFECTIVE, DEFECTIVE, _types(marked), _largest(marked))
        return PatchLabel(self._unmarked(wider), self._vial(rows, vial), "", float("nan"))

    def defects(self, key: AcquisitionKey, label: str) -> tuple[str, float]:
        """Types of all defects of an acquisition of that label, joined by commas, and the largest size in pixels."""
        rows = [row for row in self._holding(key) if row.label == DEFECTIVE] if label == DEFECTIVE else []
        return _types(rows), _largest(rows)

    def _unmarked(self, labels: set[str]) -> str:
        """Of a patch that no label names as defective, from the labels of the parts that hold it."""
        if EXCLUDED in labels:
            return EXCLUDED
        if labels & {DEFECTIVE, UNKNOWN}:
            return UNKNOWN
        return GOOD if GOOD in labels else self._elsewhere

    def _vial(self, rows: list[LabelRow], vial: int) -> str:
        """Of a whole vial."""
        of_vial = {row.label for row in rows if row.vial == vial}
        of_strip = {row.label for row in rows if row.vial == -1}
        if DEFECTIVE in of_vial:
            return DEFECTIVE
        if EXCLUDED in of_vial | of_strip:
            return EXCLUDED
        if UNKNOWN in of_vial or of_strip & {DEFECTIVE, UNKNOWN}:
            return UNKNOWN
        good = {row.region for row in rows if row.vial in (-1, vial) and row.label == GOOD}
        whole = "" in good or (self._regions and self._regions <= good)
        return GOOD if whole else self._elsewhere

    def _holding(self, key: AcquisitionKey) -> list[LabelRow]:
        return [row for row in self._rows[key.strip] if holds(row, key)]


def _types(rows: list[LabelRow]) -> str:
    return ",".join(sorted({(row.defect or row.code).replace(",", ";") for row in rows}))


def _largest(rows: list[LabelRow]) -> float:
    return max((row.size for row in rows if row.size > 0), default=float("nan"))
