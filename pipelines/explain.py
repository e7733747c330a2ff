"""From a verdict back to scores, thresholds, model, dataset and frames. `python -m pipelines.explain --help`."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from drae_acceptance.errors import TraceError
from drae_acceptance.gallery import read_gallery
from drae_acceptance.score_table import ScoreSet
from drae_acceptance.trace import TracedVerdict, trace_verdict
from drae_acceptance.verdict import RunVerdict, StripVerdict
from drae_acceptance.verdict_table import VERDICTS, read_verdicts
from pipelines.acceptance_run import judge_kit
from pipelines.console import run_command, say
from pipelines.params import load_params
from pipelines.trace_dataset import check_frames, check_strip, find_traced, open_dataset
from pipelines.trace_model import check_scores, check_training_dataset, open_model
from pipelines.trace_thresholds import check_thresholds

_EPILOG = """\
examples:
  python -m pipelines.explain K0021/r3    the verdict on strip K0021 in run 3
  python -m pipelines.explain K0021       the verdict on strip K0021 over all its runs

Every link is computed again: the verdict from scores and thresholds; the thresholds from the calibration set's scores;
the scores of the deciding patches by the model and its SavedModel; labels and quarantine from the version's tables,
which are hashed like the shards of those patches; the patches from the frame files. What is not checked is said. The
exit status is 1 where a link is broken.
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
    section, train = params.evaluate_params(), params.train_params()
    judged = judge_kit(params)
    scored = judged.scored
    written = read_verdicts(Path(section.folder, VERDICTS))
    traced = trace_verdict(known.key, written, judged.verdicts, scored, judged.stored)
    _say_all(_verdict_lines(traced))
    _say_all(check_thresholds(params, judged.stored))
    say(f"scores      {scored.card.scores_sha256}, card {scored.card.digest}")
    say(_check_pictures(Path(params.score_folder(section.set)), traced, scored))
    folder = Path(params.version_folder(section.set))
    version = open_dataset(folder, scored)
    say(f"dataset     {folder}: digest {version.claims.digest}, as its files' digests give it; its tables were hashed")
    _say_all(check_strip(traced.verdict.strip, version, scored))
    model = open_model(Path(train.folder), scored.card)
    say(f"model       {model.folder}: {model.digest}")
    found = [find_traced(scored.patches.key_at(row), version) for row in traced.rows]
    _say_all(check_scores(model, found, scored.patches.score[list(traced.rows)]))
    say(check_training_dataset(model, Path(params.version_folder(train.set))))
    root = known.root or params.set_params(section.set).root
    for patch in found:
        _say_all(check_frames(patch, root))
    say(_conclusion(known.key, bool(found)))


def _say_all(lines: Iterator[str]) -> None:
    for line in lines:
        say(line)


def _conclusion(key: str, frames: bool) -> str:
    if frames:
        return f"every link from {key} to its frames holds"
    return f"every link from {key} to the version's labels and quarantine holds; no frame of it was judged"


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
    yield f"  {_deciding(one)}"
    for run in traced.runs:
        yield f"  {run.key}: {run.verdict} by the thresholds of the level run"
        yield f"    {_deciding(run)}"


def _deciding(one: StripVerdict | RunVerdict) -> str:
    if one.deciding is None:
        return "no patch of it was scored"
    found = one.deciding
    relation = "exceeds" if found.score > found.threshold else "does not exceed"
    return (
        f"{found.patch}: score {found.score:.6f} {relation} the threshold {found.threshold:.6f} of {found.region}, "
        f"ratio {found.ratio:.4f}, the greatest"
    )


def _check_pictures(folder: Path, traced: TracedVerdict, scored: ScoreSet) -> str:
    """Whether the pictures of a strip are those that were made, and say the scores that the table has."""
    strip = traced.verdict.strip
    shown = [patch for patch in read_gallery(folder, scored.card.gallery_sha256) if patch.strip == strip]
    for patch in shown:
        rows = (scored.patches.strip == strip) & (scored.patches.run == patch.run)
        stated = {scored.patches.key_at(row): float(scored.patches.score[row]) for row in rows.nonzero()[0].tolist()}
        if stated.get(patch.key) != patch.score:
            raise TraceError(
                f"broken link, pictures to scores: {patch.key}: its score is {patch.score} in the gallery, "
                f"{stated.get(patch.key)} in the table; score, calibrate and evaluate again"
            )
    return f"pictures    {len(shown)} of {strip} for the report, as they were made"


if __name__ == "__main__":
    sys.exit(main())
