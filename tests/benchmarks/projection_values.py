"""Costs and assumptions in round numbers, so that projections are worked out by hand."""

from benchmarks.projection import Assumptions, Costs, PlanPoint

# 10 patches of 2 frames; 1.8 + 0.2 seconds of a core; at 10^6 acquisitions: 2 x 10^6 s, 5 x 10^5 s of recount.
COSTS = Costs(
    patches=10, frames=2, frame_bytes=1e6, shard_bytes=2e5, index_bytes=5e4, steps={"decode": 0.8, "encode": 1.0},
    build=2.0, recount=0.5, ledger_bytes=1e4, listed_bytes=100.0, plan_bytes=70.0, shuffle_bytes=90.0,
    plans=(PlanPoint(1000, 1.0, 1e8), PlanPoint(2000, 3.0, 1.5e8), PlanPoint(4000, 8.0, 2.5e8)),
)  # fmt: skip
# 8 vCPU that do half a core each; 8 Gbit/s are 10^9 bytes/s per vCPU.
ASSUMED = Assumptions(
    workers=4, vcpus=2, launcher_vcpus=1, launcher_gb=1.0, core_share=0.5, gbit_per_vcpu=8.0, list_seconds=0.5,
    shard_patches=55, score_rate=20.0, price_core_hour=0.36, price_gb_month=0.02, price_put_1000=5.0,
    price_get_1000=0.5,
)  # fmt: skip
