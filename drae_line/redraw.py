"""Pictures that a killed line had not drawn yet are drawn when it begins again; its verdicts stand."""

from pathlib import Path

from drae_data.acquisition import AcquisitionKey
from drae_data.acquisition_folder import needed_places
from drae_data.errors import AcquisitionError
from drae_data.options import DatasetOptions
from drae_line.frame_reading import read_frames
from drae_line.heat_pictures import write_pictures
from drae_line.incoming import Arrival
from drae_line.inspection import Engine
from drae_line.pictures_index import INDEX, pictures_folder
from drae_line.slot_verdict import LoggedVerdict


def redraw(
    last: list[LoggedVerdict], engine: Engine, options: DatasetOptions, incoming: Path, folder: Path
) -> tuple[int, list[str]]:
    """Draws the pictures that verdicts lack; the frames must be those that were judged, and so must the judge.

    Args:
        last: the newest verdicts.
        engine: that judges now.
        options: of the set whose acquisitions come.
        incoming: the folder that is watched.
        folder: of the line.

    Returns:
        Of how many verdicts pictures were drawn, and of which not, with the reason.
    """
    drawn, failed = 0, []
    for logged in last:
        slot, place = logged.slot, pictures_folder(folder, logged.sequence)
        if not slot.rejected or (place / INDEX).exists():
            continue
        judge = engine.judge
        try:
            if (slot.model_digest, slot.thresholds_digest) != (judge.model_digest, judge.thresholds_digest):
                raise AcquisitionError("superseded", "another model or other thresholds judge by now")
            # In the order in which they were read.
            names = dict(zip(needed_places(options), slot.frames_sha256, strict=False))
            arrival = Arrival(AcquisitionKey.parse(slot.acquisition), slot.folder, names, 0.0, None)
            frames, digests, _ = read_frames(incoming, arrival, options)
            if digests != dict(slot.frames_sha256):
                raise AcquisitionError("superseded", "its frames were replaced since")
            inspection = engine.inspect(arrival.key, frames)
            if set(inspection.slot.rejected) != set(slot.rejected):
                raise AcquisitionError(
                    "superseded", f"judged again it is otherwise: {inspection.slot.detail or 'scores'}"
                )
            if not write_pictures(place, logged, inspection, options):
                raise AcquisitionError(inspection.slot.reason or "superseded", inspection.slot.detail or "accepted now")
            drawn += 1
        except (AcquisitionError, OSError) as error:
            failed.append(f"verdict {logged.sequence} on {slot.acquisition}: {error}")
    return drawn, failed
