"""The reading side of the push lane: what is said comes as it is, and what goes wrong comes as words."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from collectors.credential import Credential, Origin
from tests.agent.saying import TOKEN, statements, telling
from tokwatch.agent import lane
from tokwatch.agent.errors import AgentError
from tokwatch.agent.guarding import Listening
from tokwatch.agent.lane import Address, Lane
from tokwatch.ledger.fleet.report import Hello, Report

TLS = Path(__file__).parents[1] / "collectors" / "tls"
SAID = statements()


def bearer(address: Address, folder: Path, token: bytes = TOKEN, ca_file: Path | None = None) -> Credential:
    file = folder / "token"
    file.write_bytes(token)
    return Credential(Origin("https", address.host, address.port), "bearer", file=file, ca_file=ca_file)


@asynccontextmanager
async def opened(address: Address, credential: Credential | None = None) -> AsyncIterator[Lane]:
    one = await Lane.open(address, credential)
    try:
        yield one
    finally:
        await one.close()


async def refused(address: Address, credential: Credential | None = None) -> str:
    with pytest.raises(AgentError) as error:
        async with opened(address, credential):
            pass
    return str(error.value).removeprefix(f"{address} ").removeprefix(f"{address}: ")


async def test_what_is_said_comes_as_it_is() -> None:
    async with telling(SAID[:1]) as told, opened(Address.of(told.url)) as one:
        said: list[Hello | Report] = await one.said()
        for statement in SAID[1:4]:
            told.board.put_up(statement)
            said += await one.said()
    assert said[:2] == [SAID[0].hello, SAID[0].report]
    assert said[-1] == SAID[3].report


async def test_over_a_unix_socket(tmp_path: Path) -> None:
    async with (
        telling(SAID, address=Listening("", 0, tmp_path / "a.sock")) as told,
        opened(Address.of(str(told.address))) as one,
    ):
        assert await one.said() == [SAID[-1].hello, SAID[-1].report]


async def test_over_tls_with_a_token(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "server.pem")
    async with telling(SAID, token=TOKEN, tls=context) as told:
        address = Address.of(f"https://{told.address}")
        async with opened(address, bearer(address, tmp_path, ca_file=TLS / "server.pem")) as one:
            assert (await one.said())[0] == SAID[-1].hello
        wrong_ca = await refused(address, bearer(address, tmp_path, ca_file=TLS / "another_ca.pem"))
        assert wrong_ca.startswith("its certificate is not trusted: ")
        assert wrong_ca.endswith("name its CA with ca_file")


async def test_a_token_that_is_missing_or_wrong_is_told_apart_from_other_refusals(tmp_path: Path) -> None:
    async with telling(SAID, token=TOKEN, hosts=()) as told:
        address = Address.of(told.url)
        words = "needs a token, and was told none or a wrong one: name its file with token_file"
        assert await refused(address) == words
        assert await refused(address, bearer(address, tmp_path, b"wrong-horse-battery-staple")) == words


async def test_a_token_is_not_sent_unencrypted_to_another_machine(tmp_path: Path) -> None:
    address = Address.of("http://192.0.2.7:9476")
    assert "unencrypted" in await refused(address, bearer(address, tmp_path))


async def test_nobody_there_says_what_should_run() -> None:
    async with telling(SAID) as told:
        address = Address.of(told.url)
    with pytest.raises(AgentError, match=f"cannot connect to {address}: .*: does `tokwatch agent --listen` run there"):
        await Lane.open(address)


async def test_an_agent_that_ends_ends_its_lanes() -> None:
    async with telling(SAID) as told, opened(Address.of(told.url)) as one:
        await one.said()
        await told.server.close()
        with pytest.raises(AgentError, match=r"ended the connection|lost the connection"):
            await one.said()


async def test_silence_ends_a_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "LEAST_SILENCE_S", 0.05)
    async with telling([]) as told, opened(Address.of(told.url)) as one:
        with pytest.raises(AgentError, match="has been silent for"):
            await one.said()


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[Address]:
    """Something else that listens."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield Address.of(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
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
    async with answering(answer) as address:
        assert await refused(address) == words


LANE = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (b'{"tokwatch": 2, "version": "9.0"}\n', "runs tokwatch 9.0, which speaks protocol 2; this one speaks 1"),
        (b"<html>\n" * 20_000, "answers, but is no tokwatch agent"),
    ],
)
async def test_a_lane_that_speaks_something_else_ends(lines: bytes, words: str) -> None:
    async with answering(LANE + lines) as address, opened(address) as one:
        with pytest.raises(AgentError, match=words):
            await one.said()


@pytest.mark.parametrize("text", ["ftp://h", "http://user:secret@h", "http://h:port", "https://"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(AgentError, match="is no agent's address"):
        Address.of(text)


def test_addresses_are_read_as_people_write_them() -> None:
    assert Address.of("h12") == Address("h12", 9476, False)
    assert Address.of("https://h12:443/metrics") == Address("h12", 443, True)
    assert str(Address.of("http://[::1]:1")) == "[::1]:1"
