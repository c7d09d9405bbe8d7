"""An agent's lane: what is said comes as it is, and what goes wrong comes as words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from collectors.credential import Credential, Origin
from tests.agent.saying import TOKEN, Told, statements, telling, tls_of_server
from tokwatch.feeds.fleet import lane
from tokwatch.feeds.fleet.lane import Lane, LaneError
from tokwatch.ledger.fleet.report import Hello, Report

TLS = Path(__file__).parents[2] / "collectors" / "tls"
SAID = statements()


def url_of(told: Told, scheme: str = "http") -> str:
    return f"{scheme}://{told.address}/report"


def bearer(url: str, folder: Path, token: bytes = TOKEN, ca_file: Path | None = None) -> Credential:
    file = folder / "token"
    file.write_bytes(token)
    return Credential(Origin.of(url), "bearer", file=file, ca_file=ca_file)


@asynccontextmanager
async def opened(url: str, credential: Credential | None = None) -> AsyncIterator[Lane]:
    one = await Lane.open(url, credential)
    try:
        yield one
    finally:
        await one.close()


async def refused(url: str, credential: Credential | None = None) -> str:
    with pytest.raises(LaneError) as error:
        async with opened(url, credential):
            pass
    where = url.partition("://")[2].partition("/")[0]
    return str(error.value).removeprefix(f"{where} ").removeprefix(f"{where}: ")


async def test_what_is_said_comes_as_it_is() -> None:
    async with telling(SAID[:1]) as told, opened(url_of(told)) as one:
        said: list[Hello | Report] = await one.said()
        for statement in SAID[1:4]:
            told.board.put_up(statement)
            said += await one.said()
    assert said[:2] == [SAID[0].hello, SAID[0].report]
    assert said[-1] == SAID[3].report


async def test_over_tls_with_a_token(tmp_path: Path) -> None:
    async with telling(SAID, token=TOKEN, tls=tls_of_server()) as told:
        url = url_of(told, "https")
        async with opened(url, bearer(url, tmp_path, ca_file=TLS / "server.pem")) as one:
            assert (await one.said())[0] == SAID[-1].hello
        wrong_ca = await refused(url, bearer(url, tmp_path, ca_file=TLS / "another_ca.pem"))
        assert wrong_ca.startswith("its certificate is not trusted: ")
        assert wrong_ca.endswith("name its CA with ca_file")


async def test_a_token_that_is_missing_or_wrong_is_told_apart_from_other_refusals(tmp_path: Path) -> None:
    async with telling(SAID, token=TOKEN, hosts=()) as told:
        words = "needs a token, and was told none or a wrong one: name its file with token_file"
        assert await refused(url_of(told)) == words
        assert await refused(url_of(told), bearer(url_of(told), tmp_path, b"wrong-horse-battery-staple")) == words


async def test_a_token_is_not_sent_unencrypted_to_another_machine(tmp_path: Path) -> None:
    url = "http://192.0.2.7:9476/report"
    assert "unencrypted" in await refused(url, bearer(url, tmp_path))


async def test_nobody_there_says_what_should_run() -> None:
    async with telling(SAID) as told:
        url = url_of(told)
    words = f"cannot connect to {told.address}: .*: does `tokwatch agent --listen` run there"
    with pytest.raises(LaneError, match=words):
        await Lane.open(url)


async def test_an_agent_that_ends_ends_its_lanes() -> None:
    async with telling(SAID) as told, opened(url_of(told)) as one:
        await one.said()
        await told.server.close()
        with pytest.raises(LaneError, match=r"ended the connection|lost the connection"):
            await one.said()


async def test_silence_ends_a_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "FIRST_SILENCE_S", 0.05)
    async with telling([]) as told:
        one = await Lane.open(url_of(told), least_silence_s=0.05)
        with pytest.raises(LaneError, match="has been silent for"):
            await one.said()
        await one.close()


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    """Something else that listens."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/report"
    finally:
        server.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>", "answers, but is no tokwatch agent"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "answers, but is no tokwatch agent"),
        (b"HTTP/1.1 421 Misdirected Request\r\n\r\n", "does not go by this name: add it to [agent] hosts there"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "answers, but is no tokwatch agent"),
        (b"X" * 100_000, "answers, but is no tokwatch agent"),
        (b"", "hung up: it has its most connections, or speaks TLS only"),
    ],
)
async def test_what_is_no_agent_is_told(answer: bytes, words: str) -> None:
    async with answering(answer) as url:
        assert await refused(url) == words


LANE = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (b'{"tokwatch": 2, "version": "9.0"}\n', "runs tokwatch 9.0, which speaks protocol 2; this one speaks 1"),
        (b"<html>\n" * 20_000, "answers, but is no tokwatch agent"),
    ],
)
async def test_a_lane_that_speaks_something_else_ends(lines: bytes, words: str) -> None:
    async with answering(LANE + lines) as url, opened(url) as one:
        with pytest.raises(LaneError, match=words):
            await one.said()


@pytest.mark.parametrize("url", ["h:9476", "ftp://h/report", "http://user:secret@h/report", "http://h:port/report"])
async def test_what_is_no_address_is_refused_without_its_secrets(url: str) -> None:
    with pytest.raises(LaneError, match="is no agent's address") as error:
        await Lane.open(url)
    assert "secret" not in str(error.value)


async def test_a_path_with_a_line_end_in_it_is_not_asked_for() -> None:
    with pytest.raises(LaneError, match="is no agent's address"):
        await Lane.open("http://127.0.0.1:1/a HTTP/1.1/report")
