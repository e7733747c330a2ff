"""The names of the files in a version folder, beside its shards (`drae_data.shard_plan.shard_name`) and its tables."""

# Writing it is the commit.
COMMIT_POINT = "dataset_info.json"
PROVENANCE = "provenance.json"
CROISSANT = "croissant.json"
FEATURES = "features.json"
PATCHES = "patches"
WORK = ".work"


def part_path(shard: str) -> str:
    """Where a shard's part of the patch index lies, relative to the version folder."""
    return f"{PATCHES}/{shard}.parquet"


def done_path(shard: str) -> str:
    """Where the marker lies that a shard was built or checked in the current build."""
    return f"{WORK}/done/{shard}.json"


def plan_path() -> str:
    """Where the plan of the current build lies, one shard task as JSON per line."""
    return f"{WORK}/plan.jsonl"
