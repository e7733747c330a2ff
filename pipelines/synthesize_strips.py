"""Synthetic strips as a Beam step: batches of strips in, acquisitions written out."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import apache_beam as beam
import cv2
from apache_beam.metrics.metric import Metrics

from drae_data.files import Files
from drae_data.local_files import LocalFiles
from drae_data.synthetic.acquisitions import write_strip
from drae_data.synthetic.rendering import Rig, make_rig
from drae_data.synthetic.strips import StripSpec
from pipelines.params_synthesize import SynthesizeParams
from pipelines.patient_files import patient


@contextmanager
def drawing_folder(files: Files) -> Iterator[Path]:
    """A folder to draw into: that of the files themselves, or one of this machine whose files go to the URL in the end.

    Args:
        files: where what is drawn shall lie.
    """
    if isinstance(files, LocalFiles):
        yield Path(files.root)
        return
    with TemporaryDirectory(prefix="drae-synthesize-") as temporary:
        yield Path(temporary)
        for path in sorted(Path(temporary).rglob("*")):
            if path.is_file():
                patient(files).write(path.relative_to(temporary).as_posix(), [path.read_bytes()])


class SynthesizeStrips(beam.DoFn):
    """tuple[StripSpec, ...] -> bytes written per strip, with the counter `strips`.

    Args:
        params: of the line; the worker makes what all strips share once.
        folder: of all sets.
        threads: strips in work at the same time; None for as many as the worker has processors.
    """

    def __init__(self, params: SynthesizeParams, folder: Files, threads: int | None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Beam's
        self._params = params
        self._folder = folder
        self._threads = threads
        self._strips = Metrics.counter("synthesize", "strips")
        self._rig: Rig | None = None

    def setup(self) -> None:
        """Draws what all strips share; keeps OpenCV from starting threads beside those of the batch."""
        cv2.setNumThreads(1)
        self._rig = make_rig(self._params.options())

    def process(self, strips: tuple[StripSpec, ...]) -> Iterator[int]:
        """Writes every acquisition of the strips."""
        rig = self._rig or make_rig(self._params.options())

        def write(spec: StripSpec) -> int:
            with drawing_folder(self._folder) as folder:
                return write_strip(folder, rig, spec)

        with ThreadPoolExecutor(max_workers=self._threads or os.cpu_count() or 1) as pool:
            yield from pool.map(write, strips)
        self._strips.inc(len(strips))
