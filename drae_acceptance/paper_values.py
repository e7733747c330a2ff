"""What the paper reports: tables 1 to 3 of Ferrari et al. 2024, DOI 10.2139/ssrn.4858664, section 7.4.

Its "true positive ratio" is about good products: accept recall here; its "true negative ratio" is reject recall. Its
rates are no fractions of its counts (120 good, 141 defective strips), so that they are shown, and never a target.
"""

from collections.abc import Mapping
from types import MappingProxyType

REGIONS = ("R0", "R1", "R2", "R3")

# Table 1: all patches, by region; vials in the column `Vial`.
TABLE_1: Mapping[str, Mapping[str, float]] = MappingProxyType({
    "threshold": {"R0": 0.015589, "R1": 0.038017, "R2": 0.046568, "R3": 0.029593},
    "accuracy": {"R0": 0.9919, "R1": 0.9926, "R2": 0.9957, "R3": 0.9991, "Vial": 0.9870},
    "accept_recall": {"R0": 0.9966, "R1": 0.9985, "R2": 0.9986, "R3": 0.9994, "Vial": 0.9942},
    "reject_recall": {"R0": 0.9093, "R1": 0.9044, "R2": 0.9779, "R3": 0.9973, "Vial": 0.9581},
    # Of a patch, in milliseconds.
    "mean_time": {"R0": 0.1689, "R1": 0.1689, "R2": 0.1689, "R3": 0.1689},
})  # fmt: skip
# Tables 2 and 3: strips in a run, and strips over their runs.
TABLE_2: Mapping[str, float] = MappingProxyType({
    "R0": 0.016156, "R1": 0.038584, "R2": 0.046635, "R3": 0.029660, "accuracy": 0.9593, "accept_recall": 0.9694,
    "reject_recall": 0.9467,
    # Read as seconds per product: 60 x 0.1689 ms would be 10.1 ms.
    "mean_time": 0.4873,
})  # fmt: skip
TABLE_3: Mapping[str, float] = MappingProxyType({
    "R0": 0.013222, "R1": 0.034650, "R2": 0.046201, "R3": 0.029226, "accuracy": 0.9641, "accept_recall": 0.9676,
    "reject_recall": 0.9599,
})  # fmt: skip
