"""Imports TensorFlow without what its libraries say about CUDA and oneDNN at every start.

Import this before any module that imports TensorFlow. Neither a level of logging nor a variable of the environment
reaches those lines; where the import fails they are shown.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

# Says which kernels TensorFlow takes; TensorFlow reads it when it is imported.
import drae_model  # noqa: F401

# 3 leaves Python's own exceptions and warnings.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
_STDERR = 2


@contextmanager
def _silence() -> Iterator[None]:
    """Keeps what libraries write to standard error, and shows it where the block fails."""
    kept = os.dup(_STDERR)
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), _STDERR)
        try:
            yield
        except BaseException:
            sink.seek(0)
            os.write(kept, sink.read())
            raise
        finally:
            os.dup2(kept, _STDERR)
            os.close(kept)


with _silence():
    import tensorflow  # noqa: F401
