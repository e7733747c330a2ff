"""The assumptions of the projection as flags: each has a name, a default and words."""

import argparse
from dataclasses import fields

from benchmarks.projection import Assumptions

# Prices: round figures as the large clouds list them (2024 to 2025, on demand, one region); assumptions, no quotes.
_FLAGS: dict[str, tuple[type, float, str]] = {
    "workers": (int, 16, "machines that build"),
    "vcpus": (int, 4, "vCPU of each"),
    "launcher_vcpus": (int, 4, "vCPU of the machine that lists, plans and commits"),
    "launcher_gb": (float, 16.0, "its memory in GB"),
    "core_share": (float, 1.0, "what a vCPU does of what the measured core does; half a core may be 0.6"),
    "gbit_per_vcpu": (float, 0.625, "network into a machine and out of it, Gbit/s per vCPU: 10 for 16"),
    "list_seconds": (float, 0.1, "a LIST request of 1,000 names takes"),
    "shard_patches": (int, 2880, "most patches in a shard"),
    "score_rate": (float, 45.0, "patches scored per second and core; README: 11 ms a patch of 128 pixels on 2 cores"),
    "price_core_hour": (float, 0.05, "of a vCPU"),
    "price_gb_month": (float, 0.023, "of storage"),
    "price_put_1000": (float, 0.005, "of 1,000 PUT and LIST requests"),
    "price_get_1000": (float, 0.0004, "of 1,000 GET and HEAD requests"),
}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Adds a flag for each assumption."""
    group = parser.add_argument_group("assumptions")
    for name, (kind, default, words) in _FLAGS.items():
        group.add_argument(
            f"--{name.replace('_', '-')}", type=kind, default=kind(default), help=f"{words} (default: {default:g})"
        )


def assumptions(known: argparse.Namespace) -> Assumptions:
    """The assumptions that the flags give."""
    return Assumptions(**{field.name: getattr(known, field.name) for field in fields(Assumptions)})
