"""Who may ask: which addresses need a token and TLS, what a token file must be, and by which names an agent goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tokwatch.agent.errors import AgentError, UnsafeError
from tokwatch.agent.guarding import Hosts, Listening, Seats, Token, check, listening


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:80", Listening("127.0.0.1", 80)),
        ("gpu-07", Listening("gpu-07", 9476)),
        ("gpu-07:0", Listening("gpu-07", 0)),
        (":9476", Listening("", 9476)),
        ("[::1]:80", Listening("::1", 80)),
        ("::1", Listening("::1", 9476)),
        ("[::1]", Listening("::1", 9476)),
        ("unix:/run/x.sock", Listening("", 0, Path("/run/x.sock"))),
        ("unix:", Listening("", 0, Path("/run/user/7/tokwatch/agent.sock"))),
    ],
)
def test_addresses(text: str, address: Listening) -> None:
    assert listening(text, "/run/user/7") == address


@pytest.mark.parametrize("text", ["a:b", "a:65536", "127.0.0.1:-1"])
def test_what_is_no_address_says_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="write HOST:PORT"):
        listening(text, None)


def test_a_bare_unix_needs_a_directory_that_nobody_else_can_enter() -> None:
    with pytest.raises(ValueError, match="XDG_RUNTIME_DIR is not set"):
        listening("unix:", None)


@pytest.mark.parametrize("text", ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1", "unix:/run/x.sock"])
def test_what_only_this_machine_can_reach_needs_nothing(text: str) -> None:
    address = listening(text, None)
    check(address, address.places(), token=False, tls=False)


@pytest.mark.parametrize("text", ["0.0.0.0:1", ":1", "[::]:1", "192.0.2.7:1"])
def test_what_others_can_reach_needs_a_token_and_a_certificate(text: str) -> None:
    address = listening(text, None)
    for token, tls, missing in (
        (False, False, "--token-file FILE.* and .*--cert FILE --key FILE"),
        (True, False, "needs a certificate"),
        (False, True, "needs a token file"),
    ):
        with pytest.raises(UnsafeError, match=missing):
            check(address, address.places(), token=token, tls=tls)
    check(address, address.places(), token=True, tls=True)


def token_file(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "token"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_token_is_told_as_a_bearers(tmp_path: Path) -> None:
    token = Token.read(token_file(tmp_path, "0123456789abcdef\n"))
    assert token.is_told_by(b"Bearer 0123456789abcdef")
    assert token.is_told_by(b"bearer  0123456789abcdef")
    for told in (None, b"", b"Bearer", b"Bearer 0123456789abcde", b"Basic 0123456789abcdef", b"0123456789abcdef"):
        assert not token.is_told_by(told)


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        ("short", 0o600, "16 or more printable ASCII"),
        ("", 0o600, "holds no usable token"),
        ("two words of some length", 0o600, "holds no usable token"),
        ("0123456789abcdef", 0o644, "everybody on this machine may read"),
    ],
)
def test_a_token_file_that_is_no_secret_is_refused_without_a_word_of_it(
    tmp_path: Path, text: str, mode: int, words: str
) -> None:
    with pytest.raises(AgentError, match=words) as error:
        Token.read(token_file(tmp_path, text, mode))
    assert not text or text not in str(error.value)


def test_a_token_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match=r"cannot read the token file .*/none: No such file"):
        Token.read(tmp_path / "none")


def test_an_agent_goes_by_its_own_names_and_addresses_alone() -> None:
    hosts = Hosts.of(Listening("0.0.0.0", 9476), ["gpu-07.example.net"])
    for name in (b"localhost", b"LOCALHOST:1", b"127.0.0.1:9476", b"[::1]:9476", b"gpu-07.example.net.", b"192.0.2.7"):
        assert hosts.has(name, "192.0.2.7")
    for name in (b"", b"evil.example", b"localhost.evil.example", b"192.0.2.8", b"gpu-08.example.net:9476", b"\xff"):
        assert not hosts.has(name, "192.0.2.7")


def test_seats_are_limited_for_all_and_for_each_peer() -> None:
    seats = Seats(most=3, most_of_a_peer=2)
    assert [seats.take("a"), seats.take("a"), seats.take("a"), seats.take("b"), seats.take("c")] == [
        *(True, True, False, True, False)
    ]
    assert (seats.taken, seats.refused) == (3, 2)
    seats.leave("a")
    assert seats.take("c")
