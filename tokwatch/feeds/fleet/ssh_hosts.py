"""Which boxes are reached over ssh: names that may be given to OpenSSH, and how many are started without a word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from collectors.labels import clean_label
from collectors.target_lists import Target

MANY: Final = 64  # processes and connections from which a Prometheus is the better way
_SHOWN: Final = 5
# No shell reads our argv, but a ProxyCommand of the user's own configuration may be given %h and %r, and one does.
_NAME: Final = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,63}@)?[A-Za-z0-9_:.][A-Za-z0-9_.:%-]{0,252}", re.ASCII)


class SshHostError(Exception):
    """Boxes that nothing is started on. The text says which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class SshHost:
    """One box, by the name that the user's ssh knows it by."""

    name: str  # "h1", "user@h1", an alias of ~/.ssh/config
    region: str = ""
    cluster: str = ""


def ssh_hosts(targets: Iterable[Target]) -> tuple[SshHost, ...]:
    """The boxes of a list, each once: several targets may be on one. Raises SshHostError for a name that is none."""
    found: dict[str, SshHost] = {}
    for target in targets:
        name = checked(target.host)
        if name not in found:
            found[name] = SshHost(name, target.labels.get("region", ""), target.labels.get("cluster", ""))
    return tuple(found.values())


def checked(name: str) -> str:
    """`name` if it can only be a host to ssh. Raises SshHostError."""
    if _NAME.fullmatch(name):
        return name
    shown = clean_label(name, 60)
    if name.startswith("-"):
        raise SshHostError(f'"{shown}" would be an option of ssh, not a host: nothing was started')
    allowed = "letters, digits and . _ : % - with user@ before it"
    hint = "; give it a name in ~/.ssh/config" if name else ""
    raise SshHostError(f'"{shown}" is not a host name that is given to ssh ({allowed}): nothing was started{hint}')


def refusal(hosts: Sequence[SshHost], listed_by: str, *, fetched: bool, yes: bool) -> str | None:
    """Why nothing is started on `hosts`, in words for exit code 2; None: go on.

    listed_by: the file or URL, for words. fetched: the list came over the network, so it may be anybody's.
    """
    if not hosts:
        return f"{clean_label(listed_by)} names no host"
    if yes:
        return None
    if fetched:
        return (
            f"{clean_label(listed_by)} lists {_counted(hosts)}. A list that came over the network starts nothing by "
            "itself: add --yes to run tokwatch on each of them over ssh"
        )
    if len(hosts) > MANY:
        return (
            f"that is {_counted(hosts)}, each with an ssh process and a connection of its own. A Prometheus that "
            "scrapes `tokwatch agent --listen` there is the better way; add --yes to go on all the same"
        )
    return None


def _counted(hosts: Sequence[SshHost]) -> str:
    names = ", ".join(host.name for host in hosts[:_SHOWN])
    return f"{len(hosts)} host{'s' if len(hosts) > 1 else ''} ({names}{', …' if len(hosts) > _SHOWN else ''})"
