"""One bounded POST: what it refuses, and what it never tells."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from collectors.credential import Credential, Origin
from tests.collectors.page_server import speaking
from tests.notify.messages import Received, receiver
from tokwatch.notify.outlet import NotifyError
from tokwatch.notify.posting import Poster

_TLS = Path(__file__).parents[1] / "collectors" / "tls"


async def posted(url: str, credential: Credential | None = None, deadline_s: float = 5.0) -> None:
    poster = Poster(url, credential, deadline_s=deadline_s)
    try:
        await poster.post(b"{}")
    finally:
        await poster.close()


async def test_a_secret_goes_to_its_own_origin_only(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("s3cret\n")
    received = Received()
    async with receiver(received) as base:
        await posted(base, Credential(Origin.of(base), "bearer", file=secret))
        assert received.requests[0].headers["Authorization"] == "Bearer s3cret"
        with pytest.raises(ValueError, match="own origin"):
            Poster(base, Credential(Origin.of("http://elsewhere:1"), "bearer", file=secret))


async def test_a_redirect_is_not_followed() -> None:
    received = Received(status=307, headers={"Location": "http://127.0.0.1:1/"})
    async with receiver(received) as base:
        with pytest.raises(NotifyError, match="redirects"):
            await posted(base)
    assert len(received.bodies) == 1


async def test_neither_key_nor_secret_is_in_a_problem(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret")
    for status in (401, 302, 500):
        async with receiver(Received(status=status)) as base:
            with pytest.raises(NotifyError) as error:
                await posted(f"{base}/T00/p4th?key=k3y", Credential(Origin.of(base), "bearer", file=tmp_path / "token"))
            assert "k3y" not in str(error.value)
            assert "p4th" not in str(error.value)
            assert "s3cret" not in str(error.value)


async def test_a_secret_that_cannot_be_read_is_told_and_nothing_is_sent(tmp_path: Path) -> None:
    received = Received()
    async with receiver(received) as base:
        with pytest.raises(NotifyError, match="cannot read the secret file"):
            await posted(base, Credential(Origin.of(base), "bearer", file=tmp_path / "gone"))
    assert received.bodies == []


async def test_who_does_not_answer_is_given_up() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with speaking(silent) as base:
        with pytest.raises(NotifyError, match="did not answer within"):
            await posted(base, deadline_s=0.05)


async def test_nobody_there_and_no_http() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello?\r\n\r\n")
        await writer.drain()

    async with speaking(babble) as base:
        with pytest.raises(NotifyError, match="no HTTP answer"):
            await posted(base)
    with pytest.raises(NotifyError, match="cannot be reached"):
        await posted(base)  # it is gone


async def test_a_certificate_must_be_trusted() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_TLS / "server.pem")
    received = Received()
    async with receiver(received, context) as base:
        with pytest.raises(NotifyError, match="TLS failed"):
            await posted(base)
        await posted(base, Credential(Origin.of(base), ca_file=_TLS / "server.pem"))
    assert len(received.bodies) == 1
