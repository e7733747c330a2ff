"""A camera's computer for trying a line out: writes acquisitions into its folder, with the faults that happen there.

What is delivered, in which order and with which faults, comes from a seed alone.
"""

import random
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from drae_data.acquisition import AcquisitionKey
from drae_data.acquisition_folder import joined, list_folder
from drae_data.errors import KeyFormatError, OptionError
from drae_data.listing import list_acquisitions
from drae_data.local_files import LocalFiles
from drae_data.options import DatasetOptions
from drae_data.path_template import PathTemplate

# What may be wrong with a delivery. The first three never become whole, so that they must be rejected unseen.
TRUNCATED, MISSING, EMPTY = "truncated", "missing", "empty"
SLOW, DUPLICATE, NONE = "slow", "duplicate", ""
BROKEN = (TRUNCATED, MISSING, EMPTY)
FAULTS = (*BROKEN, SLOW, DUPLICATE)
_CHUNKS = 3


@dataclass(frozen=True)
class Delivery:
    """One acquisition as the camera's computer writes it.

    Attributes:
        key: under which the line knows it.
        files: (source, target below the watched folder), in the order in which they are written.
        fault: one of `FAULTS`, or empty.
        victim: which of the files it happens to.
    """

    key: AcquisitionKey
    files: tuple[tuple[Path, str], ...]
    fault: str
    victim: int


def plan_deliveries(source: Path, options: DatasetOptions, count: int, faults: float, seed: int) -> Iterator[Delivery]:
    """Deliveries of the acquisitions in a folder, over and over, under new strip names after the first time.

    Args:
        source: root of acquisitions as `options` describes them.
        options: of the set.
        count: of deliveries.
        faults: probability of a fault, 0 to 1; each kind is as likely.
        seed: decides order and faults.

    Raises:
        ListingError, AcquisitionError: the source holds no such acquisitions, or an incomplete one.
        OptionError: `faults` is out of range, or the strip's name stands in no folder.
    """
    if not 0 <= faults <= 1:
        raise OptionError("--faults", faults, "0 to 1")
    draws = random.Random(seed)
    files = LocalFiles(str(source))
    listed = list(list_acquisitions(files, options).acquisitions)
    done = 0
    for again in range(count):
        draws.shuffle(listed)
        for item in listed:
            if done == count:
                return
            content = list_folder(item.folder, item.files, options, files)
            names = sorted(content.frames.values())
            draws.shuffle(names)
            victim = draws.randrange(len(names))
            if options.intake.marker:
                names.append(options.intake.marker)
            key = item.key
            pairs = [(source / joined(item.folder, name), joined(item.folder, name)) for name in names]
            if again:
                key = key._replace(strip=f"{key.strip}_{again}")
                pairs = [(path, _renamed(target, item.key.strip, key, options.template)) for path, target in pairs]
            fault = draws.choice(FAULTS) if draws.random() < faults else NONE
            yield Delivery(key, tuple(pairs), fault, victim)
            done += 1


def _renamed(target: str, strip: str, key: AcquisitionKey, template: PathTemplate) -> str:
    """The name under which a file belongs to another strip."""
    for found in re.finditer(re.escape(strip), target):
        renamed = target[: found.start()] + key.strip + target[found.end() :]
        acquisition = "/".join(renamed.split("/")[: template.depth]) if template.of_folders else renamed
        with suppress(KeyFormatError):
            if template.match_acquisition(acquisition).key == key:
                return renamed
    raise OptionError("path_template", target, f"names that hold the strip's name {strip} as it is")


def deliver(delivery: Delivery, incoming: Path, pause: float) -> None:
    """Writes one acquisition, file by file, in pieces, as a camera's computer does.

    Args:
        delivery: what and how.
        incoming: the folder that the line watches.
        pause: seconds that a slow writer rests amid a file.
    """
    for number, (source, target) in enumerate(delivery.files):
        fault = delivery.fault if number == delivery.victim else NONE
        if fault == MISSING:
            continue
        place = incoming / target
        place.parent.mkdir(parents=True, exist_ok=True)
        content = source.read_bytes()
        with place.open("wb") as stream:
            for part in _pieces(content, fault):
                stream.write(part)
                stream.flush()
                if fault == SLOW:
                    time.sleep(pause / _CHUNKS)
        if fault == DUPLICATE:
            place.write_bytes(content)


def _pieces(content: bytes, fault: str) -> Sequence[bytes]:
    if fault == EMPTY:
        return []
    if fault == TRUNCATED:
        content = content[: len(content) // 2]
    step = max(1, -(-len(content) // _CHUNKS))
    return [content[start : start + step] for start in range(0, len(content), step)]
