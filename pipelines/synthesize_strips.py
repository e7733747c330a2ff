"""Synthetic strips as a Beam step: batches of strips in, acquisitions written out."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apache_beam as beam
import cv2
from apache_beam.metrics.metric import Metrics

from drae_data.synthetic.acquisitions import write_strip
from drae_data.synthetic.rendering import Rig, make_rig
from drae_data.synthetic.strips import StripSpec
from pipelines.params_synthesize import SynthesizeParams


class SynthesizeStrips(beam.DoFn):
    """tuple[StripSpec, ...] -> bytes written per strip, with the counter `strips`.

    Args:
        params: of the line; the worker makes what all strips share once.
        threads: strips in work at the same time.
    """

    def __init__(self, params: SynthesizeParams, threads: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Beam's
        self._params = params
        self._threads = threads
        self._strips = Metrics.counter("synthesize", "strips")
        self._rig: Rig | None = None

    def setup(self) -> None:
        """Draws what all strips share; keeps OpenCV from starting threads beside those of the batch."""
        cv2.setNumThreads(1)
        self._rig = make_rig(self._params.options())

    def process(self, strips: tuple[StripSpec, ...]) -> Iterator[int]:
        """Writes every acquisition of the strips."""
        rig, root = self._rig or make_rig(self._params.options()), Path(self._params.folder)
        with ThreadPoolExecutor(max_workers=self._threads) as pool:
            yield from pool.map(lambda spec: write_strip(root, rig, spec), strips)
        self._strips.inc(len(strips))
