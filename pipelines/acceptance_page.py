"""The page for people: everything that is said of a judged kit, with what it was made from."""

import os
from collections.abc import Mapping
from pathlib import Path

from drae_acceptance.acceptance_tables import acceptance_tables
from drae_acceptance.gallery import read_gallery
from drae_acceptance.knapp_tables import knapp_tables
from drae_acceptance.options import RUN
from drae_acceptance.report import ReportContent, render
from drae_acceptance.report_gallery import choose_entries, count_shown
from drae_data import __version__
from pipelines.acceptance_figures import plots
from pipelines.acceptance_run import Judged
from pipelines.params import Params


def page(judged: Judged, params: Params) -> str:
    """The HTML report."""
    section, rule = params.evaluate_params(), judged.options.confirm
    folder = Path(params.score_folder(section.set))
    tables = acceptance_tables(judged.acceptance, judged.calibrated.thresholds, rule, rule.runs_required)
    runs = judged.verdicts.runs
    limits = {one.strip: judged.calibrated.thresholds_for(one.strip).limits(RUN) for one in runs}
    pictures = read_gallery(folder, judged.scored.card.gallery_sha256)
    return render(
        ReportContent(
            name=section.set,
            acceptance=judged.acceptance,
            tables=(*tables[:3], *knapp_tables(judged.knapp, judged.calibrated.protocol), *tables[3:]),
            plots=plots(judged),
            gallery=choose_entries(
                runs, pictures, limits, folder, section.gallery, _frames(params, Path(section.page))
            ),
            gallery_all=count_shown(runs),
            sources=tuple(_sources(judged).items()),
            parameters=tuple(_parameters(params).items()),
        )
    )


def _frames(params: Params, place: Path) -> str | None:
    """The root of the kit's frames, as seen from the page; None where no link can lead there."""
    chosen = params.build.get(params.evaluate_params().set)
    if chosen is None or "://" in chosen.root:
        return None
    return os.path.relpath(chosen.root, place.parent)


def _sources(judged: Judged) -> Mapping[str, str]:
    card, binding = judged.scored.card, judged.calibrated.binding
    return {
        "kit": f"{card.dataset['name']} {card.dataset['version']}, digest {card.dataset['digest']}",
        "labels of the kit": card.labels_digest,
        "scores of the kit": card.scores_sha256,
        "model": card.model_digest,
        "score": f"{card.score}",
        "strip layout": card.layout_digest,
        "thresholds": judged.thresholds_digest,
        "calibration set": f"{binding.set}, digest {binding.dataset_digest}",
        "labels of the calibration set": binding.labels_digest,
        "strips left out, the model was trained on them": ", ".join(card.left_out) or "none",
        "code version": __version__,
    }


def _parameters(params: Params) -> Mapping[str, str]:
    calibrate, evaluate = params.calibrate_params(), params.evaluate_params()
    rule = params.confirm_rule()
    found = {
        "confirmed by": f"{rule.at_least} of {rule.of} runs, at least {rule.runs_required} of them valid",
        **{f"calibrate.{name}": f"{value}" for name, value in calibrate.model_dump().items()},
        **{f"evaluate.{name}": f"{value}" for name, value in evaluate.model_dump().items()},
    }
    # Places are no part of what was found.
    return {name: value for name, value in found.items() if not name.endswith((".folder", ".page", ".tables"))}
