"""The model card for people: what a model is for, what it was made from and how it judged, as Markdown.

Every figure comes from `model.json` and from an acceptance's files; the sentences around them are fixed. It holds no
time, no host and no path.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from drae_data.markdown import code, document, plain, table
from drae_data.named_values import named_values, value_text
from drae_model.judgement import Judgement, acceptance_section, limits_of, threshold_section
from drae_model.model_card import CARD, KERAS_FILE, SAVED_MODEL, SAVED_MODEL_ENTRY

# What a training reports of an epoch, in the order of the table.
_HISTORY = {
    "epoch": "epoch",
    "step": "step",
    "val_score": "validation score",
    "val_contextual": "validation contextual loss",
    "loss": "loss",
}


def model_card_text(card: Mapping[str, Any], digest: str, judged: Judgement | None) -> str:
    """The card of a model.

    Args:
        card: `model.json`.
        digest: of the model, see `drae_model.model_card.model_digest`.
        judged: the acceptance that judged with it; None where there is none.
    """
    dataset = card["dataset"]
    sections = {
        "": _what(card, digest),
        "What it is for, and what not": _use(),
        "What it was trained on": _training_data(card),
        "How it is built and trained": _making(card),
        "The score": _score(card),
        "Validation": _validation(card),
        "Acceptance": _not_judged() if judged is None else acceptance_section(judged),
        **({} if judged is None else {"Thresholds": threshold_section(judged)}),
        "Known limits": _limits(card, judged),
        "How to verify it": _verifying(card, digest),
    }
    title = f"Model card: {plain(card['model'])} on {plain(dataset['name'])} {plain(dataset['version'])}"
    return document(title, sections)


def _what(card: Mapping[str, Any], digest: str) -> Iterator[str]:
    size = card["patch_size"]
    yield (
        f"A residual autoencoder with a discriminator that learns how good patches of vial strips look. It takes grey "
        f"patches of {size} x {size} pixels and gives each a score, 0 for a perfect reconstruction, and a heatmap."
    )
    frameworks = ", ".join(f"{name} {version}" for name, version in sorted(card["frameworks"].items()))
    yield from table(
        ("", ""),
        (
            ("digest of the model", code(digest)),
            ("digest of its SavedModel", code(card[SAVED_MODEL_ENTRY])),
            ("code version", plain(card["code_version"])),
            ("made with", plain(frameworks)),
            ("regions", ", ".join(map(plain, card["regions"]))),
            *((f"signature {code(name)}", code(words)) for name, words in sorted(card["signatures"].items())),
        ),
    )


def _use() -> Iterator[str]:
    yield "- For scoring patches of the product, station and light of its training data, by thresholds of its own."
    yield "- As part of an inspection that people validate and answer for; it supports evidence for that validation."
    yield "- Not for another product, camera, strip layout or light, nor for regions that it was not trained on."
    yield "- Not to release anything by itself: whether strips are released is decided by those who answer for it."


def _training_data(card: Mapping[str, Any]) -> Iterator[str]:
    dataset = card["dataset"]
    yield (
        f"{plain(dataset['name'])} {plain(dataset['version'])}, digest {code(dataset['digest'])}: its split train, and "
        "its split validation to choose the best epoch. Its dataset card says what it holds and what was found in it."
    )


def _making(card: Mapping[str, Any]) -> Iterator[str]:
    size = card["input_size"]
    yield (
        f"{card['parameters']:,} weights; patches are averaged down to {size} x {size} pixels. The parameters of the "
        "training:"
    )
    yield from table(
        ("parameter", "value"), ((code(name), code(text)) for name, text in named_values("", card["train"]))
    )


def _score(card: Mapping[str, Any]) -> Iterator[str]:
    score = card["score"]
    yield f"1 - SSIM of patch and reconstruction, summed up over the patch. {plain(score['definition'])}."
    options = (f"{name} {value_text(value)}" for name, value in sorted(score["options"].items()))
    yield ""
    yield f"Options: {plain(', '.join(options))}."


def _validation(card: Mapping[str, Any]) -> Iterator[str]:
    metrics = card["metrics"]
    best = metrics["best"]
    yield (
        f"Mean score over the validation patches: {metrics['validation_score']:.6f}, of epoch {best['epoch']}, the "
        f"best of {len(metrics['history'])}. It says how well good patches are rebuilt, not how well defects are found."
    )
    names = [name for name in _HISTORY if all(name in entry for entry in metrics["history"])]
    yield from table(
        [_HISTORY[name] for name in names],
        ([_figure(entry[name]) for name in names] for entry in metrics["history"]),
        numbers=len(names),
    )


def _figure(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.5g}"


def _not_judged() -> Iterator[str]:
    yield "No acceptance: no labelled kit was judged with this model. Nothing is known of how well it finds defects."


def _limits(card: Mapping[str, Any], judged: Judgement | None) -> Iterator[str]:
    regions = ", ".join(map(plain, card["regions"]))
    yield f"- It knows the regions {regions} of the strips that it was trained on, as the camera showed them then."
    yield "- What is rebuilt well is called good: a defect that the network can paint has a small score."
    yield "- Scores drift with light and focus; thresholds hold for scores like those that they were searched on."
    if judged is not None:
        yield from (f"- {words}" for words in limits_of(judged))


def _verifying(card: Mapping[str, Any], digest: str) -> Iterator[str]:
    yield "In the model's folder, the digests of the model and of its SavedModel:"
    yield ""
    yield "```sh"
    one, other = (f'"$(sha256sum < {name} | cut -c 1-64)"' for name in (KERAS_FILE, CARD))
    yield f"printf '%s\\n%s' {one} {other} | sha256sum  # {digest}"
    yield f"cd {SAVED_MODEL}"
    yield "find -L . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"
    yield f"# {card[SAVED_MODEL_ENTRY]}"
    yield "```"
    yield ""
    yield (
        "`python -m pipelines.explain STRIP/rRUN` walks a verdict back through scores, thresholds, model and dataset "
        "to the frames, and fails where a link is broken; `python -m pipelines.verify FOLDER_OF_THE_VERSION` checks "
        "the dataset."
    )
