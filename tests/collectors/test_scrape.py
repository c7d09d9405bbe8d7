"""What one GET returns, and what it makes of servers that are hostile, broken, slow or not there."""

from __future__ import annotations

import asyncio
import errno
import gzip
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from collectors.credential import Credential, Origin
from collectors.scrape import Page, Scraper
from collectors.scrape_error import MAX_PAGE_BYTES, Failure, ScrapeError
from tests.collectors.page_server import read_request, serving, speaking

TLS = Path(__file__).parent / "tls"
SECRET = "s3cret-token"


@pytest.fixture(params=["plain", "aiohttp"])
def plain(request: pytest.FixtureRequest) -> bool:
    """Both ways of getting a page hold to all that is said here."""
    return bool(request.param == "plain")


@pytest.fixture
async def scraper(plain: bool) -> AsyncIterator[Scraper]:
    scraper = Scraper(keep_headers=("Process-Start-Time-Unix",), plain=plain)
    yield scraper
    await scraper.close()


async def failure(scraper: Scraper, url: str, *, configured: bool = False) -> ScrapeError:
    with pytest.raises(ScrapeError) as raised:
        await scraper.get(url, configured=configured)
    return raised.value


async def test_a_page_comes_with_its_arrival_and_the_kept_headers(scraper: Scraper) -> None:
    async def page(request: web.Request) -> web.Response:
        assert request.headers["Accept"] == "text/plain;version=0.0.4"
        return web.Response(text="a 1\n", headers={"Process-Start-Time-Unix": "1779291736", "X-Other": "1"})

    async with serving(page) as base:
        got = await scraper.get(f"{base}/metrics", configured=False)
    assert got.body == b"a 1\n"
    assert got.headers == {"process-start-time-unix": "1779291736"}
    assert got.content_type == "text/plain; charset=utf-8"


async def test_arrival_and_duration_are_of_the_injected_clock(plain: bool) -> None:
    times = iter([5_000_000_000, 5_016_000_000])
    scraper = Scraper(now_ns=lambda: next(times), plain=plain)

    async def page(request: web.Request) -> web.Response:
        return web.Response(text="a 1\n")

    async with serving(page) as base:
        got = await scraper.get(base, configured=False)
    await scraper.close()
    assert (got.at_ns, got.took_ms) == (5_016_000_000, 16)


async def test_a_kept_connection_is_used_again(scraper: Scraper) -> None:
    peers = set()

    async def page(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return web.Response(text="a 1\n")

    async with serving(page) as base:
        for _ in range(3):
            await scraper.get(base, configured=False)
    assert len(peers) == 1


# --- answers that are no page -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "expected", "words"),
    [
        (404, Failure.NOT_FOUND, "under another path"),
        (401, Failure.LOGIN, "token or password file for it under its [[servers]] or [[meters]] in the config"),
        (403, Failure.LOGIN, "token or password file for it under its [[servers]] or [[meters]] in the config"),
        (501, Failure.REFUSED, "HTTP 501"),
        (204, Failure.REFUSED, "HTTP 204"),
    ],
)
async def test_a_status_is_told_with_what_to_do(scraper: Scraper, status: int, expected: Failure, words: str) -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=status)

    async with serving(refuse) as base:
        error = await failure(scraper, f"{base}/metrics")
    assert error.failure is expected
    assert words in str(error)
    assert f"{base.removeprefix('http://')}/metrics" in str(error)


async def test_a_redirect_is_told_and_not_followed(scraper: Scraper) -> None:
    visited = []

    async def elsewhere(request: web.Request) -> web.Response:
        visited.append(request.path)
        return web.Response(status=302, headers={"Location": "http://127.0.0.2:9/stolen?key=1"})

    async with serving(elsewhere) as base:
        error = await failure(scraper, f"{base}/metrics")
    assert error.failure is Failure.REDIRECT
    assert "redirects to http://127.0.0.2:9/stolen:" in str(error)
    assert visited == ["/metrics"]


async def test_an_endless_body_is_cut_off(scraper: Scraper) -> None:
    async def flood(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"a 1\n" * 65536)

    async with serving(flood) as base:
        error = await failure(scraper, base)
    assert error.failure is Failure.TOO_LARGE


async def test_a_gzip_bomb_is_counted_unpacked(scraper: Scraper) -> None:
    bomb = gzip.compress(b"a" * (MAX_PAGE_BYTES * 4), 6)
    assert len(bomb) < 100_000

    async def explode(request: web.Request) -> web.Response:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    async with serving(explode) as base:
        error = await failure(scraper, base)
    assert error.failure is Failure.TOO_LARGE


async def test_bytes_that_trickle_in_do_not_stretch_the_deadline(plain: bool) -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        over = asyncio.Event()
        while not over.is_set():
            writer.write(b"a")
            await writer.drain()
            try:
                await asyncio.wait_for(over.wait(), 0.01)
            except TimeoutError:
                continue

    scraper = Scraper(deadline_s=0.1, plain=plain)
    async with speaking(trickle) as base:
        error = await failure(scraper, base)
    await scraper.close()
    assert error.failure is Failure.TIMEOUT
    assert "within 0.1 s: is it overloaded or stopped?" in str(error)


async def test_a_kept_connection_that_hangs_is_given_up_and_replaced(plain: bool) -> None:
    connections = 0

    async def hang_at_second(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na 1\n")
        await read_request(reader)
        await asyncio.Event().wait()

    scraper = Scraper(deadline_s=0.1, plain=plain)
    async with speaking(hang_at_second) as base:
        assert (await scraper.get(base, configured=False)).body == b"a 1\n"
        assert (await failure(scraper, base)).failure is Failure.TIMEOUT
        assert (await scraper.get(base, configured=False)).body == b"a 1\n"
    await scraper.close()
    assert connections == 2


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 20_000 + b"\r\n\r\n", Failure.BAD_ANSWER),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Failure.BAD_ANSWER),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\na 1\n", Failure.BAD_ANSWER),  # cut off
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\na 1\n", Failure.BAD_ANSWER),
        (b"", Failure.UNREACHABLE),
    ],
)
async def test_an_answer_that_is_not_proper_http_is_told(scraper: Scraper, answer: bytes, expected: Failure) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)

    async with speaking(talk) as base:
        error = await failure(scraper, base)
    assert error.failure is expected


async def test_a_server_that_closed_a_kept_connection_is_asked_once_more(scraper: Scraper) -> None:
    connections = 0

    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na 1\n")
        if connections < 3:
            await read_request(reader)  # … and closes without a word

    async with speaking(answer_once) as base:
        for _ in range(3):
            assert (await scraper.get(base, configured=False)).body == b"a 1\n"
    assert connections == 3


async def test_what_follows_an_answer_is_never_taken_for_the_next_one(scraper: Scraper) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na %d\n"
    connections = 0

    async def smuggle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await read_request(reader)
        writer.write(answer % 1 + answer % 2)
        await reader.read()

    async with speaking(smuggle) as base:
        for _ in range(2):
            assert (await scraper.get(base, configured=False)).body == b"a 1\n"
    assert connections == 2


async def test_a_server_on_ipv6_is_read(scraper: Scraper) -> None:
    hosts = []

    async def look(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hosts.append(next(line for line in (await read_request(reader)).split(b"\r\n") if line.startswith(b"Host: ")))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na 1\n")

    async with speaking(look, "::1") as base:
        assert (await scraper.get(f"{base}/metrics", configured=False)).body == b"a 1\n"
    assert hosts == [b"Host: " + base.removeprefix("http://").encode()]


async def test_nobody_listening_is_told(scraper: Scraper) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{unused.getsockname()[1]}/metrics"
        error = await failure(scraper, f"http://{where}?key={SECRET}")
    assert error.failure is Failure.UNREACHABLE
    words = "cannot be reached (connection refused): is the server running, and is the address right?"
    assert str(error) == f"{where} {words}"


async def test_a_name_that_nobody_knows_is_told(scraper: Scraper, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    error = await failure(scraper, "http://no-such-box:8000/metrics")
    assert error.failure is Failure.UNREACHABLE
    assert "(name not known)" in str(error)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EHOSTUNREACH, "no route"),
        (errno.ENETUNREACH, "no route"),
        (errno.ECONNRESET, "connection reset by peer"),
        (None, "no connection"),  # several addresses, each with a reason of its own
    ],
)
async def test_why_there_is_no_connection_is_told_in_plain_words(
    scraper: Scraper, monkeypatch: pytest.MonkeyPatch, number: int | None, words: str
) -> None:
    async def refuse(*_: object) -> None:
        raise OSError("Multiple exceptions") if number is None else OSError(number, "Connect call failed ('10.9', 1)")

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", refuse)
    assert f"({words}): is the server" in str(await failure(scraper, "http://127.0.0.1:9/metrics"))


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://127.0.0.1/", "127.0.0.1:8000", "http://", "http://u:pw@127.0.0.1/", "http://[/"],
)
async def test_a_url_that_must_not_be_read_is_refused_before_anything_is_sent(scraper: Scraper, url: str) -> None:
    error = await failure(scraper, url)
    assert error.failure is Failure.SETTING
    assert "pw" not in str(error).replace("password", "")


# --- credentials --------------------------------------------------------------------------------------------------


async def seen_by_server(
    credential_file: Path, login: str, plain: bool, *, configured: bool = True, at: str = ""
) -> str | None:
    """The Authorization header that arrives, for a credential bound to the server's origin (or to `at`)."""
    seen: list[str | None] = []

    async def look(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.Response(text="a 1\n")

    async with serving(look) as base:
        origin = Origin.of(at or base)
        credential = Credential(origin, "basic" if login == "basic" else "bearer", "ann", file=credential_file)
        scraper = Scraper([credential], plain=plain)
        await scraper.get(base, configured=configured)
        await scraper.close()
    return seen[0]


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{SECRET}\n")
    return path


async def test_a_bearer_token_is_read_from_its_file(secret_file: Path, plain: bool) -> None:
    assert await seen_by_server(secret_file, "bearer", plain) == f"Bearer {SECRET}"


async def test_a_basic_password_is_sent_with_its_user(secret_file: Path, plain: bool) -> None:
    assert await seen_by_server(secret_file, "basic", plain) == "Basic YW5uOnMzY3JldC10b2tlbg=="


async def test_a_credential_is_not_sent_to_a_server_that_was_merely_found(secret_file: Path, plain: bool) -> None:
    assert await seen_by_server(secret_file, "bearer", plain, configured=False) is None


@pytest.mark.parametrize("other", ["http://127.0.0.1:1", "https://127.0.0.1", "http://localhost:8000"])
async def test_a_credential_is_not_sent_to_another_origin(secret_file: Path, other: str, plain: bool) -> None:
    assert await seen_by_server(secret_file, "bearer", plain, at=other) is None


async def test_a_token_may_come_from_the_environment_and_is_read_at_use(monkeypatch: pytest.MonkeyPatch) -> None:
    credential = Credential(Origin.of("http://a"), "bearer", env="TOKEN_OF_A")
    monkeypatch.setenv("TOKEN_OF_A", "one")
    assert credential.authorization() == "Bearer one"
    monkeypatch.setenv("TOKEN_OF_A", "two")
    assert credential.authorization() == "Bearer two"
    assert "two" not in repr(credential)


@pytest.mark.parametrize("content", ["", f"{SECRET}\nX-Injected: 1", f"{SECRET}\x00", f"{SECRET}é"])
def test_a_secret_that_cannot_be_a_header_is_refused_and_not_quoted(tmp_path: Path, content: str) -> None:
    path = tmp_path / "token"
    path.write_text(content)
    with pytest.raises(ScrapeError, match="holds no usable secret") as error:
        Credential(Origin.of("http://a"), "bearer", file=path).authorization()
    assert SECRET not in str(error.value)
    assert str(path) in str(error.value)


async def test_an_unreadable_secret_stops_the_scrape_with_the_reason(tmp_path: Path) -> None:
    credential = Credential(Origin.of("http://127.0.0.1:9"), "bearer", file=tmp_path / "none")
    error = await failure(Scraper([credential]), "http://127.0.0.1:9/", configured=True)
    assert error.failure is Failure.SETTING
    assert "No such file" in str(error)


def test_an_origin_is_scheme_host_and_port() -> None:
    assert Origin.of("HTTP://Box.Example/metrics") == Origin("http", "box.example", 80)
    assert Origin.of("https://[::1]/") == Origin("https", "::1", 443)


# --- TLS ----------------------------------------------------------------------------------------------------------


async def get_over_tls(ca_file: Path | None) -> Page:
    async def page(request: web.Request) -> web.Response:
        return web.Response(text="a 1\n")

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(TLS / "server.pem")
    async with serving(page, tls) as base:
        scraper = Scraper([Credential(Origin.of(base), ca_file=ca_file)])
        try:
            return await scraper.get(base, configured=True)
        finally:
            await scraper.close()


async def test_a_server_signed_by_the_named_ca_is_trusted() -> None:
    assert (await get_over_tls(TLS / "server.pem")).body == b"a 1\n"


@pytest.mark.parametrize("ca_file", [None, TLS / "another_ca.pem"])
async def test_a_server_signed_by_another_ca_is_refused(ca_file: Path | None) -> None:
    with pytest.raises(ScrapeError, match=r"TLS failed \(self.signed certificate") as error:
        await get_over_tls(ca_file)
    assert error.value.failure is Failure.TLS


async def test_a_ca_file_without_a_certificate_is_told(secret_file: Path) -> None:
    with pytest.raises(ScrapeError, match="cannot use the CA file") as error:
        await get_over_tls(secret_file)
    assert error.value.failure is Failure.SETTING


def test_importing_the_scraper_does_not_import_aiohttp() -> None:
    code = "import sys, collectors.servers, collectors.capture; sys.exit('aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
