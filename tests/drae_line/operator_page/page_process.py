"""The page as the command starts it, in a process of its own, that a test may kill and start again."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from drae_model.model_card import CARD, KERAS_FILE, model_digest
from drae_model.validation_scores import VALIDATION_SCORES, validation_bytes, validation_entry
from tests.drae_line.operator_page.fake_line import THRESHOLDS, good_scores
from tests.small_params import LINE, TRAIN

ROOT = Path(__file__).resolve().parents[3]
SECTION = """\
line:
  set: small
  incoming: incoming
  folder: line
  slot_ms: 500
  settle_seconds: 0.3
  patience_seconds: 3.0
  page: {host: 127.0.0.1, port: 0, strips: 12}
  drift: {strips: 100, index: 0.25}
"""


def write_params(folder: Path) -> Path:
    """A params file of a small line; its folder `line` is where the page looks."""
    path = folder / "params.yaml"
    path.write_text(LINE + TRAIN + SECTION, encoding="utf-8")
    return path


def write_model(folder: Path, name: str = "model") -> str:
    """What the page needs of a model, beside the params file; returns its digest."""
    strips = [good_scores(number + 5000)["max"] for number in range(100)]
    names = [region for strip in strips for region in THRESHOLDS for _ in strip[region]]
    scores = np.array([score for strip in strips for region in THRESHOLDS for score in strip[region]], np.float32)
    content = validation_bytes(names, scores)
    model = folder / name
    model.mkdir()
    (model / VALIDATION_SCORES).write_bytes(content)
    (model / KERAS_FILE).write_bytes(b"weights")
    entry = validation_entry(content, len(scores))
    (model / CARD).write_text(f'{{"validation_scores": {str(entry).replace(chr(39), chr(34))}}}', encoding="utf-8")
    return model_digest(model)


class PageProcess:
    """A running page.

    Args:
        folder: of the params file.
        arguments: further ones of the command.

    Attributes:
        address: that it printed.
    """

    def __init__(self, folder: Path, *arguments: str) -> None:
        # Without buffers in between: what it prints is read at once.
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.operator_page", *arguments], cwd=folder, stdout=subprocess.PIPE,
            text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()

    @property
    def port(self) -> str:
        return self.address.rpartition(":")[2].strip("/")

    def end(self, number: int = signal.SIGINT) -> int:
        """Sends a signal; returns the exit status."""
        self.process.send_signal(number)
        return self.process.wait(20)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
