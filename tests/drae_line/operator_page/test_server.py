"""What browsers are told: strips, what they missed, details, pictures, checks; and a log that changes under them."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from drae_line.operator_page.checks import CHECKS
from drae_line.pictures_index import INDEX, pictures_folder
from drae_line.verdict_log import VERDICTS
from tests.drae_line.operator_page.fake_line import FakeLine
from tests.drae_line.operator_page.page_client import Client, events, state_when, with_page


def loaded(state: dict[str, Any]) -> bool:
    return bool(state["loaded"])


def same_site(client: Client) -> dict[str, str]:
    return {"Origin": str(client.make_url("/")).rstrip("/")}


def test_the_last_strips_and_then_each_new_one(tmp_path: Path) -> None:
    line = FakeLine(tmp_path)
    for number in range(7):
        line.accept(f"A{number}/r0")

    async def use(client: Client) -> None:
        async with client.get("/live") as response:
            assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
            stream = events(response)
            event, name, values = await anext(stream)
            while event != "strips":
                event, name, values = await anext(stream)
            assert [strip["sequence"] for strip in values["tiles"]] == [3, 4, 5, 6, 7]
            assert (values["limit"], name) == (5, f"{values['log']}.7")
            line.reject("B/r0", pictures=False)
            while event != "strip":
                event, name, values = await anext(stream)
            assert (values["acquisition"], values["kind"], name.rpartition(".")[2]) == ("B/r0", "rejected", "8")
            event, _, values = await anext(stream)
            assert (event, values["newest"], values["counts"]["total"]["rejected"]) == ("state", 8, 1)

    with_page(tmp_path, use)


def test_a_browser_that_comes_back_gets_what_it_missed(tmp_path: Path) -> None:
    line = FakeLine(tmp_path)
    for number in range(8):
        line.accept(f"A{number}/r0")

    async def first(client: Client, headers: dict[str, str], query: str = "") -> list[tuple[str, int]]:
        """The strips that come before the first state which is loaded."""
        found = []
        async with client.get(f"/live{query}", headers=headers) as response:
            async for event, _, values in events(response):
                if event == "strips":
                    found += [("strips", strip["sequence"]) for strip in values["tiles"]]
                elif event == "strip":
                    found.append(("strip", values["sequence"]))
                elif values["loaded"]:
                    return found
        raise AssertionError

    async def use(client: Client) -> None:
        log = (await state_when(client, loaded))["log"]
        whole = [("strips", sequence) for sequence in (4, 5, 6, 7, 8)]
        assert await first(client, {"Last-Event-ID": f"{log}.6"}) == [("strip", 7), ("strip", 8)]
        assert await first(client, {}, f"?after={log}.7") == [("strip", 8)]
        assert await first(client, {"Last-Event-ID": f"{log}.8"}) == []
        # Exactly the oldest that is held follows; one more is missing.
        assert await first(client, {"Last-Event-ID": f"{log}.3"}) == [
            ("strip", sequence) for sequence in (4, 5, 6, 7, 8)
        ]
        for other in (f"{log}.2", f"{log}.9", "other.8", "x", f"{log}.-1", f"{log}.{'9' * 30}"):
            assert await first(client, {"Last-Event-ID": other}) == whole

    with_page(tmp_path, use)
    # The same ids hold for another process of the page.
    with_page(tmp_path, use)


def test_a_log_that_begins_anew(tmp_path: Path) -> None:
    line = FakeLine(tmp_path)
    line.accept("A/r0")

    async def use(client: Client) -> None:
        async with client.get("/live") as response:
            stream = events(response)

            async def the_next(wanted: str) -> Any:
                while True:
                    event, _, values = await anext(stream)
                    if event == wanted:
                        return values

            async def names() -> list[str]:
                return [strip["acquisition"] for strip in (await the_next("strips"))["tiles"]]

            assert await names() == ["A/r0"]
            line.close()
            (tmp_path / VERDICTS).unlink()
            assert await names() == []
            FakeLine(tmp_path).miss("B/r0")
            assert await names() == ["B/r0"]
            total = (await the_next("state"))["counts"]["total"]
            assert (total["accepted"], total["not_inspected"]) == (0, 1)

    with_page(tmp_path, use)


def test_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    async def use(client: Client) -> None:
        state = await state_when(client, loaded)
        assert (state["newest"], state["newest_given"], state["slots"], state["event"]) == (0, None, None, None)
        assert state["line"]["state"] == "unknown"
        line = FakeLine(tmp_path / "line")
        line.accept("A/r0")
        line.say("started", "model abc")
        state = await state_when(client, lambda state: bool(state["newest"] and state["event"]))
        assert state["event"]["text"] == "The line was started: model abc"

    with_page(tmp_path / "line", use)


def test_a_log_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / VERDICTS).mkdir()

    async def use(client: Client) -> None:
        state = await state_when(client, lambda state: bool(state["problem"]))
        assert state["problem"] == f"{tmp_path / VERDICTS}: expected a file to read, got: Is a directory"
        (tmp_path / VERDICTS).rmdir()
        FakeLine(tmp_path).accept("A/r0")
        await state_when(client, lambda state: not state["problem"] and state["newest"] == 1)
        with (tmp_path / VERDICTS).open("ab") as stream:
            stream.write(b"oh\n")
        state = await state_when(client, lambda state: bool(state["problem"]))
        assert state["problem"].startswith("1 line of the log cannot be read and counts nowhere. expected a verdict")

    with_page(tmp_path, use)


def test_memory_is_bounded(tmp_path: Path) -> None:
    line = FakeLine(tmp_path)
    for number in range(1005):
        line.reject(f"A{number}/r0", pictures=False)

    async def use(client: Client) -> None:
        state = await state_when(client, loaded)
        assert state["counts"]["total"]["rejected"] == 1005
        assert sum(block["strips"] for block in state["trend"]["blocks"]) == 1000
        assert len(state["trend"]["blocks"]) == 21
        assert state["slots"]["slots"] == 1000
        assert [(await client.get(f"/strips/{sequence}")).status for sequence in (1000, 1001, 1005, 1006)] == [
            404, 200, 200, 404,
        ]  # fmt: skip

    with_page(tmp_path, use)


def test_an_opened_strip_and_its_pictures(tmp_path: Path) -> None:
    line = FakeLine(tmp_path)
    line.reject("A/r0", pictures=False)
    logged = line.reject("B/r0", "R1", 2)

    async def use(client: Client) -> None:
        await state_when(client, loaded)
        strip = await (await client.get("/strips/2")).json()
        assert (strip["acquisition"], strip["rejected"], strip["frames_sha256"]["frame_07.png"]) == (
            "B/r0",
            1,
            "07" * 32,
        )
        assert await (await client.get("/pictures/1")).json() == {"pictures": None}
        (picture,) = (await (await client.get("/pictures/2")).json())["pictures"]
        assert (picture["vial"], picture["image"], picture["size"]) == (2, "max", [120, 480])
        (heatmap,) = picture["heatmaps"]
        assert (heatmap["region"], heatmap["box"], heatmap["ratio"]) == ("R1", [0, 120, 120, 120], pytest.approx(1.42))
        for name in (picture["file"], heatmap["file"]):
            answer = await client.get(f"/pictures/2/{name}")
            assert answer.content_type == "image/png"
            assert await answer.read() == (pictures_folder(tmp_path, 2) / name).read_bytes()
        assert (await client.get("/pictures/3")).status == 404
        # Pictures of another verdict, such as one of an earlier log with the same number, are not shown.
        index = pictures_folder(tmp_path, 2) / INDEX
        drawn = json.loads(index.read_text())
        for other in ({"sequence": 1}, {"acquisition": "OLD/r0"}):
            index.write_text(json.dumps({**drawn, **other}))
            assert await (await client.get("/pictures/2")).json() == {"pictures": None}
            assert (await client.get(f"/pictures/2/{picture['file']}")).status == 404
        line.draw(logged)
        os.utime(index, (0, 0))  # The clock of a network's disk may be another one.
        assert (await (await client.get("/pictures/2")).json())["pictures"]

    with_page(tmp_path, use)


def test_no_way_out_of_the_pictures(tmp_path: Path) -> None:
    line = FakeLine(tmp_path)
    line.reject("A/r0")
    folder = pictures_folder(tmp_path, 1)
    (tmp_path / "secret.png").write_bytes(b"secret")
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "spare.png").write_bytes(b"spare")
    index = json.loads((folder / INDEX).read_text())

    async def use(client: Client) -> None:
        await state_when(client, loaded)
        for path in (
            "/pictures/1/..%2f..%2fsecret.png", "/pictures/1/%2e%2e/secret.png", "/pictures/1/index.json",
            "/pictures/1/spare.png", "/pictures/1/link.png", "/pictures/1/x%00.png", "/pictures/..%2f1/3_max_vial.png",
            "/pictures/-1/3_max_vial.png", "/pictures/1e0/3_max_vial.png", "/pictures/000001/..",
            "/static/..%2fserver.py", "/static/%2e%2e%2fserver.py", "/static/server.py", f"/strips/{'9' * 40}",
        ):  # fmt: skip
            answer = await client.get(path)
            assert answer.status == 404, path
            assert b"secret" not in await answer.read()
        assert (await client.get("/pictures/1/3_max_vial.png")).status == 200
        # An index that names what it must not is damaged as a whole; what is a link is not followed.
        for name in (
            "../../secret.png",
            "/etc/hostname.png",
            "a/b.png",
            "..png",
            ".png",
            "x.svg",
            "index.json",
            5,
            None,
        ):
            index["pictures"][0]["file"] = name
            (folder / INDEX).write_text(json.dumps(index))
            assert (await client.get("/pictures/1")).status == 422, name
        index["pictures"][0]["file"] = "link.png"
        (folder / INDEX).write_text(json.dumps(index))
        assert (await client.get("/pictures/1")).status == 200
        answer = await client.get("/pictures/1/link.png")
        assert (answer.status, b"secret" in await answer.read()) == (422, False)

    with_page(tmp_path, use)


def index_with_score(score: int) -> dict[str, Any]:
    """An index of one picture with one heatmap, of the strip A/r0."""
    heatmap = {"region": "R0", "file": "b.png", "box": [0, 0, 9, 9], "score": score, "threshold": 1}
    picture = {"vial": 0, "image": "max", "file": "a.png", "size": [9, 9], "heatmaps": [heatmap]}
    return {"sequence": 1, "acquisition": "A/r0", "pictures": [picture]}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"pictures": []}',
        '{"sequence": 1, "acquisition": "A/r0"}',
        '{"sequence": 1, "acquisition": "A/r0", "pictures": [{}]}',
        '{"sequence": 1, "acquisition": "A/r0", "pictures": [5]}',
        '{"sequence": 1, "acquisition": "A/r0", "pictures": 5}',
        "\0",
        json.dumps(index_with_score(10**400)),
        '{"sequence": 1, "acquisition": "A/r0", "pictures": [{"vial": -1}]}',
    ],
)
def test_a_damaged_index_is_said(tmp_path: Path, content: str) -> None:
    line = FakeLine(tmp_path)
    line.reject("A/r0")
    (pictures_folder(tmp_path, 1) / INDEX).write_text(content)

    async def use(client: Client) -> None:
        await state_when(client, loaded)
        answer = await client.get("/pictures/1")
        assert answer.status == 422
        assert "damaged" in (await answer.json())["why"]

    with_page(tmp_path, use)


def test_a_check_is_written_and_shown(tmp_path: Path) -> None:
    line = FakeLine(tmp_path)
    line.accept("A/r0")
    line.reject("B/r0", pictures=False)

    async def use(client: Client) -> None:
        await state_when(client, loaded)

        async def check(**values: Any) -> int:
            return (await client.post("/checks", json=values, headers=same_site(client))).status

        assert await check(sequence=2, acquisition="B/r0", found="good") == 200
        state = await state_when(client, lambda state: bool(state["checks"]))
        assert state["checks"] == {"2": "good"}
        assert state["trend"]["blocks"][0]["good"] == 1
        assert await check(sequence=2, acquisition="B/r0", found="open") == 200
        await state_when(client, lambda state: not state["checks"])
        assert await check(sequence=1, acquisition="A/r0", found="good") == 400  # accepted
        assert await check(sequence=2, acquisition="B/r0", found="nice") == 400
        assert await check(sequence=2, acquisition="OLD/r0", found="good") == 409  # another log
        assert await check(sequence=3, acquisition="B/r0", found="good") == 409
        assert await check(sequence=[], acquisition={}, found=[]) == 409
        assert await check(sequence=2) == 400
        for body in ("[]", "5", "{", ""):
            headers = {**same_site(client), "Content-Type": "application/json"}
            assert (await client.post("/checks", data=body, headers=headers)).status == 400
        assert (await client.post("/checks", json={"x": "y" * 5000}, headers=same_site(client))).status == 413
        assert len((tmp_path / CHECKS).read_bytes().splitlines()) == 2

    with_page(tmp_path, use)


def test_a_check_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    FakeLine(tmp_path).reject("A/r0", pictures=False)
    (tmp_path / CHECKS).symlink_to(tmp_path / "nowhere" / "at all")

    async def use(client: Client) -> None:
        await state_when(client, loaded)
        values = {"sequence": 1, "acquisition": "A/r0", "found": "good"}
        answer = await client.post("/checks", json=values, headers=same_site(client))
        assert answer.status == 500
        assert (await answer.json())["why"].startswith("The check could not be written: No such file")

    with_page(tmp_path, use)


def test_the_end_of_the_page_ends_its_streams(tmp_path: Path) -> None:
    async def use(client: Client) -> None:
        response = await client.get("/live")
        await state_when(client, loaded)
        closing = asyncio.ensure_future(client.server.close())
        async for _ in response.content:
            pass
        await closing

    with_page(tmp_path, use)


def test_pages_and_files_with_the_headers_that_bind_the_browser(tmp_path: Path) -> None:
    async def use(client: Client) -> None:
        for path, kind in (
            ("/", "text/html"), ("/static/page.css", "text/css"), ("/static/page.js", "text/javascript"),
            ("/static/icon.svg", "image/svg+xml"), ("/alive", ""), ("/nothing", "text/plain"),
            ("/live", "text/event-stream"),
        ):  # fmt: skip
            async with client.get(path) as answer:
                assert kind in answer.headers.get("Content-Type", "")
                policy = answer.headers["Content-Security-Policy"].split("; ")
                assert "default-src 'none'" in policy
                assert "script-src 'self'" in policy
                assert "unsafe" not in " ".join(policy)
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Cache-Control"] == "no-store"
                assert "Access-Control-Allow-Origin" not in answer.headers

    with_page(tmp_path, use)
