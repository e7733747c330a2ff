"""What the benchmark of scale prints: tables for people."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from benchmarks.bottlenecks import MEMORY, RESOURCES, Bottleneck, memory_limits
from benchmarks.projection import (
    Assumptions,
    Costs,
    acquisitions_of,
    core_hours,
    launcher_memory,
    money,
    planning,
    requests,
    scoring_core_hours,
    shard_memory,
    shard_seconds,
    shards_of,
    times,
)
from benchmarks.skew import HEAVY, HeavyStrip, Schedule
from benchmarks.step_rates import WORKER_STEPS, StepRates


def print_steps(rates: StepRates) -> None:
    """What each step costs, and what of a whole build they do not explain."""
    patches = rates.patches
    print(f"\none core, milliseconds an acquisition of {rates.frames} frames and {patches} patches")
    print(f"  {'step':34}{'ms':>9}{'share':>8}{'patches/s':>12}")
    for name, seconds in rates.steps.items():
        print(_step(WORKER_STEPS[name], seconds, rates))
    print(_step("sum of the steps", sum(rates.steps.values()), rates))
    print(_step("one whole build_shard, one thread", rates.whole, rates))
    print(f"  {'not explained by the steps':34}{rates.rest * 1e3:9.1f}{rates.rest / rates.whole:8.1%}")
    print(_step("recount at commit, one thread", rates.recount, rates))
    print(_step("recount, a thread per core", rates.recount_threads, rates))
    print(
        f"  bytes an acquisition: frames {rates.frame_bytes:,.0f}, records {rates.shard_bytes:,.0f} "
        f"({rates.shard_bytes / patches:,.0f} a patch), index and ledger {rates.index_bytes:,.0f}"
    )


def _step(words: str, seconds: float, rates: StepRates) -> str:
    return f"  {words:34}{seconds * 1e3:9.1f}{seconds / rates.whole:8.1%}{rates.patches / seconds:12,.0f}"


def print_plans(costs: Costs) -> None:
    """Planning at each number of acquisitions."""
    print("\nlisting names, selecting, planning, writing the plan: one process each")
    print(f"  {'acquisitions':>13}{'seconds':>10}{'peak MB':>10}")
    for point in costs.plans:
        print(f"  {point.acquisitions:13,}{point.seconds:10.2f}{point.memory / 1e6:10,.0f}")
    print(f"  plan.jsonl: {costs.plan_bytes:,.0f} bytes an acquisition")


def print_shuffle(costs: Costs) -> None:
    """What is shuffled beside what stays."""
    print("\nbytes an acquisition")
    for words, size in (
        ("shuffled by Beam: names", costs.shuffle_bytes),
        ("frames, read by the worker alone", costs.frame_bytes),
        ("records, written by the worker alone", costs.shard_bytes),
    ):
        print(f"  {words:38}{size:14,.0f}{size / costs.shuffle_bytes:12,.0f} times what is shuffled")


def print_assumptions(assumed: Assumptions) -> None:
    """Everything in the projection that was not measured."""
    print("\nassumed, not measured; prices are round figures, no quotes, in one unit of money")
    for name, value in asdict(assumed).items():
        print(f"  {name:20}{value:>12,}")


def print_projection(patches: int, costs: Costs, assumed: Assumptions, found: Bottleneck) -> None:
    """One size of dataset."""
    number = acquisitions_of(patches, costs)
    hours, took, asked = core_hours(number, costs), times(number, costs, assumed), requests(number, costs, assumed)
    seconds, _ = planning(number, costs.plans)
    price, memory, limits = (
        money(number, costs, assumed), launcher_memory(number, costs), memory_limits(costs, assumed),
    )  # fmt: skip
    print(f"\nprojected: {patches:,} patches of {number:,} acquisitions, {shards_of(number, costs, assumed):,} shards")
    print(
        f"  frames read            {number * costs.frame_bytes / 1e12:12,.2f} TB in {number * costs.frames:,} objects"
    )
    patch_tb, index_gb = number * costs.shard_bytes / 1e12, number * costs.index_bytes / 1e9
    print(f"  patches, index stored  {patch_tb:12,.2f} TB, {index_gb:,.1f} GB")
    print(f"  shuffled by Beam       {number * costs.shuffle_bytes / 1e6:12,.1f} MB")
    print(f"  plan                   {seconds:12,.0f} s, {number * costs.plan_bytes / 1e6:,.0f} MB of plan.jsonl")
    print(f"  requests               {asked.lists:12,} LIST, {asked.gets:,} HEAD and GET, {asked.puts:,} PUT")
    print(f"  core-hours             {sum(hours.values()):12,.1f}: {_named(hours)}")
    print(f"  core-hours to score    {scoring_core_hours(patches, assumed):12,.1f}")
    print(
        f"  money                  {price.processors:12,.2f} for processors, {price.requests:,.2f} for requests, "
        f"{price.storage_month:,.2f} a month for storage"
    )
    print(f"  {'resource, with ' + str(assumed.workers) + ' workers':46}{'hours':>10}")
    for name, words in RESOURCES.items():
        mark = "  <- longest" if name == found.slowest else ""
        print(f"  {words:46}{getattr(took, name) / 3600:10,.2f}{mark}")
    print(f"  {'whole: list, plan, build, commit':46}{took.whole / 3600:10,.2f}")
    print(f"  {'memory of the launcher':46}{'GB':>10}{'full at patches':>20}")
    for name, words in MEMORY.items():
        mark = "  <- too much" if memory[name] > assumed.launcher_gb * 1e9 else ""
        print(f"  {words:46}{memory[name] / 1e9:10,.1f}{limits[name] * costs.patches:20,}{mark}")
    print(f"  first bottleneck: {(RESOURCES | MEMORY)[found.first]}")
    print(f"  from {found.useful_workers:,.0f} workers on the launcher works longer alone than they do")


def _named(hours: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:,.1f}" for name, value in hours.items())


def print_sizes(sizes: Sequence[int], costs: Costs, assumed: Assumptions) -> None:
    """What a size of shard means for one worker."""
    print(f"\nprojected: a shard on a worker of {assumed.vcpus} vCPU")
    print(f"  {'shard patches':>13}{'acquisitions':>14}{'seconds':>9}{'MB written':>12}{'MB in memory':>14}")
    for size in sizes:
        written = size / costs.patches * costs.shard_bytes / 1e6
        print(
            f"  {size:13,}{size // costs.patches:14,}{shard_seconds(size, costs, assumed):9.1f}{written:12,.0f}"
            f"{shard_memory(size, costs) / 1e6:14,.0f}"
        )


def print_schedules(strips: int, workers: int, found: Sequence[Schedule]) -> None:
    """Simulated builds."""
    print(f"\nsimulated over the plan of {strips:,} strips: time to the last shard over ideal, {workers} workers")
    print(f"  {'shard patches':>13}{'shards':>8}  {'case':46}{'largest':>9}{'queue':>8}{'dealt out':>11}")
    for row in found:
        numbers = f"{row.largest:9.2f}{row.queue:8.3f}{row.dealt:11.3f}"
        print(f"  {row.shard_patches:13,}{row.shards:8,}  {row.case:46}{numbers}")


def print_heavy(equal: float, found: Sequence[HeavyStrip]) -> None:
    """What one strip of many runs does to the split."""
    print(f"\none strip of {HEAVY} times the runs; with equal strips validation has {equal:.2%} of the acquisitions")
    for row in found:
        where = row.spread
        print(
            f"  in {row.side:11} validation has {row.share:7.2%}; its {where.acquisitions:,} acquisitions are on "
            f"{where.sides} side, in {where.shards:,} of its {where.split_shards:,} shards, at most {where.most} in one"
        )
