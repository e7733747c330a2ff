"""What Beam shuffles of a plan: tasks as they are, names alone."""

import pickle

from apache_beam.utils.windowed_value import PANE_INFO_UNKNOWN

from benchmarks.planned_shards import plan_strips
from benchmarks.shuffle_bytes import shuffle_coder, shuffled_bytes
from drae_data.local_files import LocalFiles
from drae_data.shards import Roots
from tests.small_line import small_options

OPTIONS = small_options()
FILES = LocalFiles("nowhere")


def test_the_coder_is_that_of_the_build_and_gives_tasks_back() -> None:
    coder = shuffle_coder(OPTIONS, Roots(FILES, FILES))
    task = plan_strips(3, OPTIONS, 100).tasks[0]
    element = (7, (task, None, PANE_INFO_UNKNOWN))
    assert coder.decode(coder.encode(element)) == element


def test_bytes_are_those_of_pickled_names_and_a_little() -> None:
    tasks = plan_strips(10, OPTIONS, 400).tasks
    size = shuffled_bytes(tasks, shuffle_coder(OPTIONS, Roots(FILES, FILES)))
    names = sum(len(item.folder) for task in tasks for item in task.acquisitions)
    pickled = sum(len(pickle.dumps(task, pickle.HIGHEST_PROTOCOL)) for task in tasks)
    assert names < pickled <= size < pickled + 40 * len(tasks)
