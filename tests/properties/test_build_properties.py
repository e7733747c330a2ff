"""What holds for any line: shards do not know the order of folders, every patch is where its key says, once."""

import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drae_data.listing import list_folders
from drae_data.local_files import LocalFiles
from drae_data.records import decode_example, read_records
from drae_data.shard_plan import plan_shards
from drae_data.shards import Roots, build_shard
from drae_data.tables import read_table
from drae_data.verification.dataset import verify_dataset
from tests.small_line import build_dataset, small_options, tree_bytes, write_line

STRIPS = st.lists(st.text("ABc-_ 9é", min_size=1, max_size=3).filter(str.strip), min_size=1, max_size=5, unique=True)
FEW = settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])


@FEW
@given(STRIPS, st.integers(1, 2), st.sampled_from([1, 30, 1000]))
def test_any_line_builds_verifies_and_holds_each_key_once(strips: list[str], runs: int, shard_patches: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root, out = write_line(Path(folder, "frames"), strips, runs), Path(folder, "out")
        committed = build_dataset(root, out, small_options(shard_patches=shard_patches))
        assert verify_dataset(LocalFiles(str(out)), 1).faults == ()
        keys: Counter[str] = Counter()
        for part in (out / "patches").iterdir():
            keys.update(read_table("patches", part.read_bytes()).column("key").to_pylist())
        assert keys.total() == len(keys) == len(strips) * runs * 20 == sum(committed.records.values())
        for shard in out.glob("small-*"):
            for _, data in read_records(shard.read_bytes()):
                name = decode_example(data)["key"]
                assert isinstance(name, bytes)
                del keys[name.decode()]
        assert not keys


@FEW
@given(st.permutations([f"{strip}/run_{run:02d}" for strip in "ABCD" for run in range(2)]), st.permutations(range(8)))
def test_shards_do_not_depend_on_the_order_of_listing_or_of_tasks(folders: list[str], order: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = write_line(Path(folder, "frames"), "ABCD")
        expected = build_dataset(root, Path(folder, "expected"))
        options = small_options()
        roots = Roots(LocalFiles(str(root)), LocalFiles(str(Path(folder, "out"))), None)
        tasks = plan_shards(list_folders(folders, options, "").acquisitions, options).tasks
        for position in sorted(range(len(tasks)), key=lambda number: order[number]):
            build_shard(tasks[position], options, roots, 1)
        built = {
            name: content for name, content in tree_bytes(Path(folder, "out")).items() if name.startswith("small-")
        }
        reference = tree_bytes(Path(folder, "expected"))
        assert built == {name: reference[name] for name in reference if name.startswith("small-")}
        assert len(built) == expected.shards
