"""Whether a version may be used: the gate that the stage `inspect_data` leaves, in `dvc repro` and by hand alike."""

import json
from pathlib import Path

from drae_data.errors import QualityError
from drae_data.files import Files
from drae_data.metadata import read_json
from drae_data.version_files import PROVENANCE
from pipelines.params import Params

# What later stages depend on: it says that the gate is open, and changes with nothing but the version.
GATE = "gate.json"


def check_gate(params: Params, name: str, version: Files) -> None:
    """Whether a set's version passed its inspection; without the section `inspect_data` nothing is asked.

    Args:
        params: of the project.
        name: of the set.
        version: its folder.

    Raises:
        QualityError: it was not inspected, did not pass, or was built anew since.
        DatasetError: there is no such version.
    """
    if params.inspect_data is None:
        return
    place = Path(params.inspect_data.folder, name, GATE)
    digest = read_json(version, PROVENANCE, "the version was not made by this project's build").get("digest")
    try:
        passed = json.loads(place.read_bytes()).get("digest")
    except FileNotFoundError:
        passed = "none"
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise QualityError(f"{place}: expected the gate of {name}, got {error!r}; {_advice(name)}") from error
    if passed != digest:
        raise QualityError(f"{place}: expected the digest {digest} of {version.root}, got {passed}; {_advice(name)}")


def _advice(name: str) -> str:
    return f"run python -m pipelines.inspect_data --set {name}, which says whether the version may be used"
