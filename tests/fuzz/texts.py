"""Texts that people write, or somebody for them: params files, path templates, names, keys, sidecars."""

import json
import random
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from drae_data.acquisition import AcquisitionKey, Image, PatchKey
from drae_data.acquisition_facts import acquisition_facts
from drae_data.errors import DraeError, KeyFormatError, OptionError
from drae_data.frames.tags import CameraTags
from drae_data.intake import SidecarOptions, TimeOptions
from drae_data.options import DatasetOptions
from drae_data.path_template import AcquisitionName, PathTemplate
from pipelines.params import Params, load_params
from tests.fuzz.damage import HOSTILE_VALUES, damaged, damaged_lines, damaged_values, json_bytes
from tests.fuzz.target import Feeder, Target, promise
from tests.small_params import LINE, TRAIN

ROOT = Path(__file__).resolve().parents[2]
_PROFILES = (LINE + TRAIN, *((ROOT / name).read_text() for name in ("params.yaml", "params.paper.yaml")))
_FIELDS = ("strip", "run", "batch", "recipe", "station", "label", "time", "frame", "vial", "region", "skip")


def _use(params: Params) -> None:
    """What the commands ask of a params file that was loaded, each of which may refuse on its own."""
    asked: list[Callable[[], object]] = [partial(_options, params, name) for name in params.build]
    asked += [params.training_options, params.confirm_rule, params.calibrate_params, params.line_params]
    for ask in asked:
        try:
            ask()
        except DraeError as error:
            promise(bool(str(error)), "a refusal without words")


def _options(params: Params, name: str) -> DatasetOptions:
    """The options of a set whose tables are there, whatever their names; what they hold is not looked at."""
    return params.dataset_options(name, dict.fromkeys(params.build[name].table_names("tables"), b""))


def _feed_params(place: Path, text: str) -> None:
    place.write_text(text, encoding="utf-8", errors="surrogatepass")
    _use(load_params(place))


def _prepare_params_texts(folder: Path) -> Feeder:
    """`load_params` over damaged lines and bytes of the small line's params and of both profiles."""

    def draw_case(draw: random.Random) -> str:
        text = _PROFILES[0] if draw.random() < 0.8 else draw.choice(_PROFILES)
        if draw.random() < 0.8:
            return damaged_lines(draw, text)
        return damaged(draw, text.encode(), len(text)).decode("utf-8", "surrogateescape")

    return Feeder(draw_case, partial(_feed_params, folder / "params.yaml"))


def _prepare_params_values(folder: Path) -> Feeder:
    """`load_params` over values of other kinds, ranges and depths, in the place of any value. JSON is YAML, too."""
    place = folder / "values.yaml"
    place.write_text(LINE + TRAIN)
    loaded = json.loads(load_params(place).model_dump_json(by_alias=True))
    leaves = st.sampled_from(HOSTILE_VALUES) | st.integers() | st.floats() | st.text(max_size=20)
    values = st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    )
    places = st.sampled_from(sorted(_places(loaded)))
    changes = st.lists(st.tuples(places, values), min_size=1, max_size=2)

    def feed(chosen: list[tuple[tuple[str, ...], Any]]) -> None:
        changed = json.loads(json.dumps(loaded))
        for keys, value in chosen:
            holder = changed
            for key in keys[:-1]:
                holder = holder.get(key) if isinstance(holder, dict) else None
            if isinstance(holder, dict):
                holder[keys[-1]] = value
        _feed_params(place, json.dumps(changed))

    return Feeder(changes, feed)


def _places(values: Any, above: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """The keys that lead to each value."""
    found = {above} if above else set()
    if isinstance(values, dict):
        found |= {place for key, value in values.items() for place in _places(value, (*above, key))}
    return found


def _prepare_templates(_: Path) -> Feeder:
    """Path templates of any fields and literals, and names: made up, made to fit, made to be ambiguous."""
    literals = st.sampled_from(
        ["", "_", "-", "__", "run_", "x", "/", ".", "//", "{", "}", "..", "é", "[", "(", "\\", "$"]
    )
    field = st.sampled_from(_FIELDS).map("{{{}}}".format)
    template = st.lists(st.tuples(field, literals), min_size=1, max_size=9).map(
        lambda parts: "".join(first + second for first, second in parts)
    )
    suffix = st.sampled_from([".png", ".*", ".PNG", "", ".tif.gz"])
    known = st.sampled_from([
        "{strip}/run_{run}/frame_{frame}.png", "{batch}_{strip}/{recipe}_{station}_{run}/{frame}.*",
        "{strip}_{batch}_{label}/{recipe}_{skip}_{time}_x/f{frame}.bmp", "{strip}_{vial}_{region}_{frame}.png",
    ])  # fmt: skip
    word = st.sampled_from(
        ["_", "__", "_" * 60, "S1", "0", "7", "999999999", "9999999999", "x", "é", "e\u0301", ".", ".."]
    )
    any_name = st.lists(word | st.text(max_size=4) | st.just("/"), min_size=1, max_size=8).map("".join)

    def with_names(pattern: str) -> st.SearchStrategy[tuple[str, list[str]]]:
        """Names of a template's own form, its fields filled in, beside names of any form."""
        parts = re.split(r"\{[^{}]*\}", pattern.replace(".*", ".png"))
        filled = st.lists(word, min_size=len(parts) - 1, max_size=len(parts) - 1).map(
            lambda words: "".join(first + second for first, second in zip(parts, [*words, ""], strict=True))
        )
        return st.tuples(st.just(pattern), st.lists(filled | filled | any_name, min_size=1, max_size=3))

    cases = (known | st.builds("{}{}".format, template, suffix)).flatmap(with_names)

    def feed(case: tuple[str, list[str]]) -> None:
        pattern, names = case
        chosen = PathTemplate(pattern)
        refusals = 0
        for one in names:
            try:
                chosen.match_frame(one)
                # Where acquisitions are folders, of the file's folder.
                found = chosen.match_acquisition("/".join(one.split("/")[: chosen.depth]) if chosen.of_folders else one)
            except KeyFormatError:
                refusals += 1
            else:
                _promise_of_names(found)
        if refusals == len(names):
            raise KeyFormatError("no name fits")

    return Feeder(cases, feed, (OptionError, KeyFormatError))


def _promise_of_names(found: AcquisitionName) -> None:
    """What a name gave can be a name again, in a table and in a message."""
    parts = (*found.key[:1], *found.key[2:], found.label, found.time)
    promise(not any("/" in part or part in (".", "..") for part in parts), f"{found} leads elsewhere")
    promise(all(part.isprintable() for part in parts), f"{found} is not printable")
    promise(found.key.run < 2**31, f"{found} does not fit a table")


def _prepare_keys(_: Path) -> Feeder:
    """Keys of acquisitions, images and patches: what is parsed is written and parsed to the same again."""
    part = st.sampled_from(["S1", "r0", "r999999999", "f00", "f07", "min", "max", "v0", "R1", "batch=B", "recipe=R"])
    strange = st.sampled_from(
        ["station=", "=", "batch=B=C", "f" + "1" * 5000, "v" + "1" * 5000, "v\u0663", "r\u0663", ""]
    )
    texts = st.lists(part | strange | st.text(max_size=5), max_size=8).map("/".join)
    good = st.builds(
        "{}S1/r{}/f{:02d}/v{}/{}".format,
        st.sampled_from(["", "batch=B/", "recipe=R/station=2/"]), st.integers(0, 10**9), st.integers(0, 10**9),
        st.integers(0, 99), st.sampled_from(["R0", "body", ""]),
    )  # fmt: skip

    def feed(text: str) -> None:
        refused = 0
        for kind in (AcquisitionKey, Image, PatchKey):
            try:
                found = kind.parse(text)
            except KeyFormatError:
                refused += 1
                continue
            promise(kind.parse(str(found)) == found, f"{found} is not read back")
        if refused == 3:
            raise KeyFormatError(text)

    return Feeder(texts | good, feed, (KeyFormatError,))


def _prepare_sidecars(_: Path) -> Feeder:
    """JSON files beside frames: nothing in them costs more than a note, and what is taken fits a table."""
    options = SidecarOptions("info.json", {"acquired_at": "time", "exposure": "camera.exposure", "gain": "camera.gain"})
    times = TimeOptions("sidecar", "%Y-%m-%d %H:%M:%S", "Europe/Rome")
    values = {"time": "2024-02-29 23:59:58", "camera": {"exposure": 0.5, "gain": "ISO 400", "serial": [1]}}

    def draw_case(draw: random.Random) -> bytes:
        if draw.random() < 0.3:
            return damaged(draw, json.dumps(values).encode())
        changed = damaged_values(draw, values)
        if draw.random() < 0.3:
            changed = values | {
                "time": draw.choice(("0001-01-01 00:00:00", "9999-12-31 23:59:59", "2024-03-31 02:30:00"))
            }
        return json_bytes(draw, changed)

    def feed(data: bytes) -> None:
        found = acquisition_facts("", CameraTags(), data, times, options)
        texts = (found.acquired_at, found.exposure, found.gain, found.serial)
        promise(all(text.isprintable() and len(text) <= 100 for text in texts), f"{found}")
        if found.notes:
            raise KeyFormatError("noted")

    return Feeder(draw_case, feed, (KeyFormatError,))


TARGETS = [
    Target("params texts", 5_000, _prepare_params_texts),
    Target("params values", 3_000, _prepare_params_values),
    Target("path templates", 10_000, _prepare_templates),
    Target("keys", 10_000, _prepare_keys),
    Target("sidecars", 10_000, _prepare_sidecars),
]
