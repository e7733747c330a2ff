"""Who may ask: tokens, names of this machine, other sites' pages."""

import socket
from pathlib import Path

import pytest

from drae_line.operator_page.errors import PageError
from drae_line.operator_page.options import TOKEN_VARIABLE, PageOptions, is_loopback, read_token
from drae_line.operator_page.server import STATIC, page_address
from tests.drae_line.operator_page.fake_line import FakeLine
from tests.drae_line.operator_page.page_client import TOKEN, Client, page_options, state_when, with_page

CHECK = {"sequence": 1, "acquisition": "A/r0", "found": "good"}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "plant-pc", "", "127.0.0.1.evil.example"])
def test_another_host_needs_a_token(tmp_path: Path, host: str) -> None:
    with pytest.raises(PageError, match="or a token"):
        page_options(tmp_path, host=host)
    assert page_options(tmp_path, host=host, token=TOKEN).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1", "localhost"])
def test_this_machine_alone_needs_none(tmp_path: Path, host: str) -> None:
    assert is_loopback(host)
    assert page_options(tmp_path, host=host).token == ""


@pytest.mark.parametrize("token", ["short", "x" * 15, "é" * 20, "x" * 20 + "\n" + "y"])
def test_a_token_that_is_easy_to_guess_or_cannot_be_sent_is_refused(tmp_path: Path, token: str) -> None:
    with pytest.raises(PageError, match="16 or more plain characters"):
        page_options(tmp_path, token=token)


def test_where_the_token_comes_from(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    assert read_token(file, {TOKEN_VARIABLE: "other"}) == TOKEN
    assert read_token(None, {TOKEN_VARIABLE: f" {TOKEN}\n"}) == TOKEN
    assert read_token(None, {}) == ""
    with pytest.raises(PageError, match="expected a file with a token"):
        read_token(tmp_path / "absent", {})
    file.write_text("\n")
    with pytest.raises(PageError, match="empty file"):
        read_token(file, {})


def test_without_the_token_nothing_is_told(tmp_path: Path) -> None:
    line = FakeLine(tmp_path)
    line.reject("A/r0")

    async def use(client: Client) -> None:
        files = [f"/static/{path.name}" for path in STATIC.iterdir()]
        for path in (
            "/",
            "/live",
            "/alive",
            "/strips/1",
            "/pictures/1",
            "/pictures/1/3_max_vial.png",
            "/nothing",
            *files,
        ):
            for headers in (
                {}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": TOKEN},
                {"Cookie": f"drae_page_{client.port}={TOKEN}"},
            ):  # fmt: skip
                answer = await client.get(path, headers=headers)
                assert answer.status == 401, path
                assert "A/r0" not in await answer.text()
        headers = {"Origin": str(client.make_url("/")).rstrip("/")}
        assert (await client.post("/checks", json=CHECK, headers=headers)).status == 401
        assert (await client.get("/?token=wrong", allow_redirects=False)).status == 401
        assert (await client.get("/?token=%ff%fe", allow_redirects=False)).status == 401
        # Only the page's own address takes it: elsewhere it would stay in the address bar.
        assert (await client.get(f"/alive?token={TOKEN}", allow_redirects=False)).status == 401

    with_page(tmp_path, use, token=TOKEN)


def test_a_browser_signs_in_once(tmp_path: Path) -> None:
    FakeLine(tmp_path).reject("A/r0", pictures=False)

    async def use(client: Client) -> None:
        answer = await client.get("/", params={"token": TOKEN}, allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/")
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert TOKEN not in cookie
        assert (await client.get("/")).status == 200
        assert (await state_when(client, lambda state: bool(state["loaded"])))["newest"] == 1
        headers = {"Origin": str(client.make_url("/")).rstrip("/")}
        assert (await client.post("/checks", json=CHECK, headers=headers)).status == 200

    with_page(tmp_path, use, token=TOKEN)


def test_a_program_brings_the_token_in_a_header(tmp_path: Path) -> None:
    FakeLine(tmp_path).reject("A/r0", pictures=False)

    async def use(client: Client) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with client.get("/live", headers=headers) as answer:
            assert answer.status == 200
            while b'"loaded": true' not in await answer.content.readline():
                pass
        assert (await client.post("/checks", json=CHECK, headers=headers)).status == 200

    with_page(tmp_path, use, token=TOKEN)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1.evil.example",
        "localhost.evil.example:{port}",
        "",
        "[::1",
        "x:y:z",
    ],
)
def test_a_name_that_is_not_this_machines_is_refused(tmp_path: Path, host: str) -> None:
    async def use(client: Client) -> None:
        for path in ("/", "/live", "/strips/1"):
            answer = await client.get(path, headers={"Host": host.format(port=client.port)})
            assert answer.status in (400, 403), path

    with_page(tmp_path, use)
    with_page(tmp_path, use, token=TOKEN)


@pytest.mark.parametrize(
    "host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST", "[::1]:{port}", "10.0.0.7", "{name}"]
)
def test_names_and_addresses_of_this_machine_are_taken(tmp_path: Path, host: str) -> None:
    async def use(client: Client) -> None:
        name = host.format(port=client.port, name=socket.gethostname())
        assert (await client.get("/alive", headers={"Host": name})).status == 204

    with_page(tmp_path, use)


def test_another_sites_page_cannot_check(tmp_path: Path) -> None:
    FakeLine(tmp_path).reject("A/r0", pictures=False)

    async def use(client: Client) -> None:
        await state_when(client, lambda state: bool(state["loaded"]))
        own = str(client.make_url("/")).rstrip("/")
        for origin in ("http://evil.example", "null", "", f"{own}0", own.replace("http", "ftp"), "http://127.0.0.1"):
            assert (await client.post("/checks", json=CHECK, headers={"Origin": origin})).status == 403, origin
        assert (await client.post("/checks", json=CHECK)).status == 403
        for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
            headers = {"Origin": own, "Content-Type": kind}
            assert (await client.post("/checks", data=b"{}", headers=headers)).status == 415, kind
        assert (await client.delete("/checks", json=CHECK, headers={"Origin": own})).status == 405
        assert not (tmp_path / "checks.jsonl").exists()

    with_page(tmp_path, use)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:80/"),
        ("0.0.0.0", "http://127.0.0.1:80/"),
        ("::1", "http://[::1]:80/"),
        ("plant", "http://plant:80/"),
    ],
)
def test_the_address_to_open(host: str, address: str) -> None:
    assert page_address(host, 80) == address


def test_options_have_no_values_of_their_own() -> None:
    assert not any(field in vars(PageOptions) for field in PageOptions.__dataclass_fields__)
