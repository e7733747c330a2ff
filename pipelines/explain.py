"""From a verdict back to scores, thresholds, model, dataset and frames. `python -m pipelines.explain --help`."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from drae_acceptance.errors import TraceError
from drae_acceptance.trace import TracedVerdict, trace_verdict
from drae_acceptance.verdict import RunVerdict, StripVerdict
from drae_acceptance.verdict_table import VERDICTS, read_verdicts
from drae_data.errors import DraeError
from drae_data.local_files import LocalFiles
from drae_data.metadata import combined_digest
from drae_data.patch_lookup import compare_with_frames, find_patch
from drae_data.shards import part_path
from drae_data.verification.claims import Claims, read_claims
from drae_model.model_card import model_digest, read_card
from pipelines.acceptance_run import Judged, judge_kit
from pipelines.beam_files import files_at
from pipelines.console import run_command, say
from pipelines.params import Params, load_params

_EPILOG = """\
examples:
  python -m pipelines.explain K0021/r3    the verdict on strip K0021 in run 3
  python -m pipelines.explain K0021       the verdict on strip K0021 over all its runs

Every link is checked again: the verdict against scores and thresholds, the scores against model and dataset, the patch
against its record, the record against the frame files. The exit status is 1 where one is broken.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit status."""
    return run_command(_run, argv)


def _run(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.explain",
        description="Walks a verdict back to the frames that it came from, and fails where a link is broken.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("key", metavar="VERDICT_KEY", help="STRIP/rRUN, or STRIP for all its runs")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="params file (default: params.yaml)")
    parser.add_argument("--root", help="the frames lie here instead of build.<set>.root")
    known = parser.parse_args(argv)
    params = load_params(known.params)
    section = params.evaluate_params()
    judged = judge_kit(params)
    written = read_verdicts(Path(section.folder, VERDICTS))
    traced = trace_verdict(known.key, written, judged.verdicts, judged.scored, judged.thresholds_digest)
    for line in _verdict_lines(traced):
        say(line)
    say(f"thresholds  {judged.thresholds_digest}, bound to model, layout, dataset and labels")
    say(f"scores      {judged.scored.card.scores_sha256}")
    say(_check_model(params, judged))
    folder, claims = _check_dataset(params, judged)
    say(f"dataset     {folder}: digest {claims.digest}, as its files' digests give it")
    root = known.root or params.set_params(section.set).root
    for row in traced.rows:
        for line in _check_patch(folder, root, judged, row):
            say(line)
    say(f"every link from {known.key} to its frames holds")


def _verdict_lines(traced: TracedVerdict) -> Iterator[str]:
    one = traced.verdict
    label = f"label {one.label}" + (f" ({one.defect})" if one.defect else "")
    if isinstance(one, RunVerdict):
        counts = f"{one.rejected} of {one.valid} valid runs rejected"
        yield f"{one.key}: {one.verdict} over its runs, {counts}; {label}; {one.state}"
    else:
        yield f"{one.key}: {one.verdict}; {label}"
    if one.detail:
        yield f"  {one.detail}"
    yield from _deciding_lines(one)
    for run in traced.runs:
        yield f"  {run.key}: {run.verdict} by the thresholds of the level strip"


def _deciding_lines(one: StripVerdict | RunVerdict) -> Iterator[str]:
    if one.deciding is None:
        yield "  no patch of it was scored"
        return
    found = one.deciding
    relation = "exceeds" if found.score > found.threshold else "does not exceed"
    yield (
        f"  {found.patch}: score {found.score:.6f} {relation} the threshold {found.threshold:.6f} of {found.region}, "
        f"ratio {found.ratio:.4f}, the greatest"
    )


def _check_model(params: Params, judged: Judged) -> str:
    folder = Path(params.train_params().folder)
    came, stated = model_digest(folder), judged.scored.card.model_digest
    if came != stated:
        raise TraceError(
            f"broken link, scores to model: the scores are those of model {stated}, {folder} holds {came}; bring that "
            "model back, or score, calibrate and evaluate again"
        )
    trained = read_card(folder)["dataset"]
    return (
        f"model       {folder}: {came}, trained on {trained['name']} {trained['version']}, digest {trained['digest']}"
    )


def _check_dataset(params: Params, judged: Judged) -> tuple[str, Claims]:
    folder = params.version_folder(params.evaluate_params().set)
    claims = read_claims(LocalFiles(folder))
    stated = judged.scored.card.dataset["digest"]
    if claims.digest != stated:
        raise TraceError(
            f"broken link, scores to dataset: the scores are those of {stated}, {folder} holds {claims.digest}; "
            "bring that version back, or score, calibrate and evaluate again"
        )
    files = dict(claims.files)
    for shard in claims.shards.values():
        files[shard.name], files[part_path(shard.name)] = shard.sha256, shard.index_sha256
    if (came := combined_digest(claims.info.name, claims.info.version, claims.content, files)) != claims.digest:
        raise TraceError(
            f"broken link, dataset to its files: {folder} states the digest {claims.digest}, its files' digests give "
            f"{came}; run python -m pipelines.verify {folder}"
        )
    return folder, claims


def _check_patch(folder: str, root: str, judged: Judged, row: int) -> Iterator[str]:
    key = judged.scored.patches.key_at(row)
    try:
        found = find_patch(LocalFiles(folder), key)
        compared = compare_with_frames(found, files_at(root))
    except DraeError as error:
        raise TraceError(f"broken link, score to patch: {error}") from error
    yield f"patch       {key}: record {found.row.index} of {found.shard}, SHA-256 {found.row.sha256}"
    for frame in found.frames:
        yield f"  frame     {root}/{found.acquisition.folder}/{frame.file}: SHA-256 {frame.sha256}"
    if not compared.agrees:
        what = compared.problem or f"these files differ now: {', '.join(compared.changed) or 'none, but cut otherwise'}"
        raise TraceError(f"broken link, patch {key} to its frames below {root}: {what}")


if __name__ == "__main__":
    sys.exit(main())
