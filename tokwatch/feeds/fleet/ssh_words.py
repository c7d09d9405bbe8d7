"""What ssh and the far side say when a box cannot be read, in words that say what to do, and when to try again."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from collectors.labels import clean_label
from tokwatch.ledger.fleet.report import PROTOCOL

INSTALL: Final = "uv tool install tokwatch"
UPGRADE: Final = "uv tool upgrade tokwatch"
FIRST_RETRY_S: Final = 1.0
LAST_RETRY_S: Final = 60.0
_SSH_FAILED: Final = 255
_NOT_FOUND: Final = 127
_SIGNALLED: Final = 128  # by a shell: and the number of the signal
_USAGE: Final = 2
_SHOWN: Final = 160  # characters of somebody else's words


@dataclass(frozen=True, slots=True)
class SshFailure:
    """Why a box is not read."""

    words: str  # cleaned: what happened, where, what to do
    lasts: bool = False  # until somebody does something: the longest pause at once, for each try is logged there
    not_found: bool = False  # the far side knows no such program


def retry_s(failures: int, share: float, *, lasts: bool) -> float:
    """How long to wait after so many failures in a row: 1 s, doubled up to 60 s, ± a quarter by `share` (0..1)."""
    doubled = FIRST_RETRY_S * 2 ** min(failures - 1, 16)
    return (LAST_RETRY_S if lasts else min(doubled, LAST_RETRY_S)) * (0.75 + share / 2)


def ended(host: str, status: int | None, stderr: bytes, *, was_heard: bool) -> SshFailure:
    """It says nothing more. status: ssh's exit status, negative for a signal, None while it runs; stderr: its last."""
    lines = _lines(stderr)
    last = lines[-1] if lines else ""
    if status is None:
        return SshFailure(f"the agent on {host} closed its output" + (f": {last}" if last else ""))
    if status < 0:
        return SshFailure(f"ssh to {host} was ended here by signal {-status}")
    if status == _SSH_FAILED:
        return _ssh_failure(host, lines) or SshFailure(_lost(host, last, was_heard=was_heard))
    if status == _NOT_FOUND or any("No module named tokwatch" in line for line in lines):
        words = f"tokwatch is not installed on {host}, or not on the PATH of its non-interactive shell: {INSTALL}"
        return SshFailure(words, lasts=True, not_found=True)
    if status == _USAGE and any("invalid choice" in line or "unrecognized arguments" in line for line in lines):
        return SshFailure(f"{host} has an old tokwatch, one without `agent --stdio`: {UPGRADE}", lasts=True)
    if status > _SIGNALLED:
        return SshFailure(f"the agent on {host} was ended there by signal {status - _SIGNALLED}")
    if status == 0 and not last:
        return SshFailure(f"the agent on {host} ended by itself")
    return SshFailure(f"the agent on {host} ended with status {status}: {last or 'it said nothing'}")


def wrong_protocol(host: str, protocol: int, version: str) -> SshFailure:
    """The agent there and this program do not understand each other."""
    there = f"protocol {protocol}" + (f" (tokwatch {version})" if version else "")
    where = "here" if protocol > PROTOCOL else "there"
    return SshFailure(f"{host} speaks {there}, this one {PROTOCOL}: upgrade {where}, {UPGRADE}", lasts=True)


def noise(host: str, first: str) -> SshFailure:
    said = f': it begins "{first}"' if first else ""
    words = f"what answers on {host} is no tokwatch agent{said}. A login script there may print too much"
    return SshFailure(words, lasts=True)


def no_hello(host: str, seconds: float, stderr: bytes, first: str) -> SshFailure:
    """ssh runs and nothing that is ours has come."""
    lines = _lines(stderr)
    said = lines[-1] if lines else first
    return SshFailure(f"no word from an agent on {host} within {seconds:g} s" + (f": {said}" if said else ""))


def silent(host: str, seconds: float) -> SshFailure:
    """Nothing has come for too long where lines came before."""
    return SshFailure(
        f"{host} has said nothing for {seconds:g} s: it hangs, or the way to it does; ssh is started again"
    )


def unusable(host: str, why: str) -> SshFailure:
    """It speaks our protocol, and what it says contradicts itself."""
    return SshFailure(f"what the agent on {host} says cannot be used: {clean_label(why, _SHOWN)}", lasts=True)


def cannot_start(program: str, error: OSError) -> SshFailure:
    """There is no ssh process at all."""
    if isinstance(error, FileNotFoundError):
        return SshFailure(f"there is no {clean_label(program)} on this machine: install OpenSSH's client", lasts=True)
    return SshFailure(f"{clean_label(program)} cannot be started here: {error.strerror}")


# --- what ssh itself says -----------------------------------------------------------------------------------------


def _changed_key(host: str) -> SshFailure:
    words = (
        f"{host}'s host key is not the known one: somebody may stand between, or it was installed anew. "
        f"Ask who runs it; only then ssh-keygen -R {host.rpartition('@')[2]}"
    )
    return SshFailure(words, lasts=True)


def _unknown_key(host: str) -> SshFailure:
    return SshFailure(f"{host}'s host key is not known here yet: log in once with ssh {host} and check it", lasts=True)


def _no_login(host: str, line: str) -> SshFailure:
    tried = line.partition("(")[2].rstrip(").")
    ways = f" ({tried})" if tried else ""
    words = f"{host} does not let us in{ways}: use a key or an ssh agent, for no password can be typed here"
    return SshFailure(words, lasts=True)


def _no_name(host: str, _: str) -> SshFailure:
    return SshFailure(f"the name {host} is not known: is it in DNS or in ~/.ssh/config?")


def _refused(host: str, line: str) -> SshFailure:
    return SshFailure(f"{host} refuses connections{_port(line)}: is sshd running there?")


def _timed_out(host: str, line: str) -> SshFailure:
    return SshFailure(f"{host} does not answer{_port(line)}: is it up, and is there a way to it?")


def _no_route(host: str, line: str) -> SshFailure:
    return SshFailure(f"there is no route to {host}{_port(line)}")


def _settings(_: str, line: str) -> SshFailure:
    return SshFailure(f"ssh cannot use its configuration: {line}", lasts=True)


# What a line of OpenSSH's client holds (clientloop.c, sshconnect.c, readconf.c), the newest line first.
_SAID: Final[tuple[tuple[re.Pattern[str], Callable[[str, str], SshFailure]], ...]] = (
    (re.compile(r"Permission denied|Too many authentication failures|No supported authentication"), _no_login),
    (re.compile(r"Could not resolve hostname|Name or service not known"), _no_name),
    (re.compile(r"Connection refused"), _refused),
    (re.compile(r"timed out|[Tt]imeout, server"), _timed_out),
    (re.compile(r"No route to host|Network is unreachable"), _no_route),
    (re.compile(r"[Bb]ad configuration option|Bad owner or permissions|Can't open user config"), _settings),
)
_PORT: Final = re.compile(r"port (\d{1,5})")


def _ssh_failure(host: str, lines: list[str]) -> SshFailure | None:
    if any("HOST IDENTIFICATION HAS CHANGED" in line for line in lines):
        return _changed_key(host)
    if any("Host key verification failed" in line or "host key is known for" in line for line in lines):
        return _unknown_key(host)
    for line in reversed(lines):
        for pattern, failure in _SAID:
            if pattern.search(line):
                return failure(host, line)
    return None


def _lost(host: str, last: str, *, was_heard: bool) -> str:
    what = f"the connection to {host} or the agent there ended" if was_heard else f"ssh does not reach {host}"
    return f"{what}: {last}" if last else what


def _port(line: str) -> str:
    port = _PORT.search(line)
    return f" on port {port[1]}" if port else ""


def _lines(stderr: bytes) -> list[str]:
    """What was said, cleaned; without the greeting of ~/.ssh/known_hosts being written."""
    lines = (clean_label(line.strip(), _SHOWN) for line in stderr.decode("utf-8", "replace").splitlines())
    return [line for line in lines if line and not line.startswith("Warning: Permanently added")]
