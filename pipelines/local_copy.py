"""Files of a root as files of this machine, for libraries that open paths themselves: TensorFlow, Keras."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from drae_data.files import Files
from drae_data.local_files import LocalFiles


@contextmanager
def local_copy(files: Files, paths: Iterable[str]) -> Iterator[Path]:
    """A folder of this machine that holds some files: the root itself where it lies here, else copies for the while.

    Args:
        files: the root.
        paths: of the files, relative to it.

    Raises:
        OSError: a file cannot be read, or there is no room for it.
    """
    if isinstance(files, LocalFiles):
        yield Path(files.root)
        return
    with TemporaryDirectory(prefix="drae-copy-") as temporary:
        copies = LocalFiles(temporary)
        for path in paths:
            copies.write(path, [files.read(path)])
        yield Path(temporary)
