"""Counted once: at which server a token is added to totals, exports and money, when several of them see it pass.

A token passes a gateway, a router and an engine, and a prefill and a decode server. The rule:

- An engine's tokens are counted at the engine.
- A router's are counted at the router only where no watched engine that it may front counts output tokens.
- A gateway's, only where neither such an engine nor a counted router does.
- Where prefill and decode servers of one deployment both count, prompt and cached tokens are counted at the prefill
  servers, output tokens and requests at the decode servers: a prefill server counts one output token a request too.
- `counts` in the config overrides: all of a server's tokens, or none of them.

Another user's server is not in the money, so it takes no tokens away from those that are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from collectors.readings import Layer
from tokwatch.ledger.deployments import DECODE, PREFILL, Watched, members_of
from tokwatch.ledger.entries import Flag


@dataclass(frozen=True, slots=True)
class Counting:
    """Which of a server's tokens are added up, and that in words for the Sources screen."""

    prompt: bool
    output: bool
    words: str

    @property
    def flags(self) -> Flag:
        """What each of the server's flow entries carries."""
        return (Flag(0) if self.prompt else Flag.PROMPT_ELSEWHERE) | (Flag(0) if self.output else Flag.OUTPUT_ELSEWHERE)


HERE = Counting(True, True, "tokens counted here")
NO_OUTPUT = Counting(True, True, "counts no output tokens")
AT_ENGINES = Counting(False, False, "shown, counted at its engines")
AT_ROUTER = Counting(False, False, "shown, counted at its router")
AT_THE_OTHER_HALF = {  # by role: what the servers of the other one count
    PREFILL: Counting(True, False, "prompt here, output at the decode servers"),
    DECODE: Counting(False, True, "output here, prompt at the prefill servers"),
}
BY_CONFIG = {
    True: Counting(True, True, "tokens counted here: the config says so"),
    False: Counting(False, False, "shown, not counted: the config says so"),
}


def counting(watched: Sequence[Watched], deployments: Iterable[tuple[str, ...]]) -> Mapping[str, Counting]:
    """Address → what is counted there. `deployments`: as of `deployments()`."""
    engines = [server for server in watched if server.layer is Layer.ENGINE and _takes(server)]
    routers = [server for server in watched if server.layer is Layer.ROUTER and _takes(server)]
    counted_routers = [router for router in routers if not any(map(router.may_front, engines))]
    members = members_of(deployments)
    return {server.facts.address: _counting(server, engines, counted_routers, members) for server in watched}


def _takes(server: Watched) -> bool:
    """Tokens that it counts need not be counted before it."""
    return server.counts_tokens and server.facts.counts is not False and server.facts.verified


def _counting(
    server: Watched, engines: Sequence[Watched], routers: Sequence[Watched], members: Mapping[str, tuple[str, ...]]
) -> Counting:
    if server.facts.counts is not None:
        return BY_CONFIG[server.facts.counts]
    if server.layer is not Layer.ENGINE:
        if any(map(server.may_front, engines)):
            return AT_ENGINES
        if server.layer is Layer.GATEWAY and any(map(server.may_front, routers)):
            return AT_ROUTER
    if server.read and not server.counts_tokens:
        return NO_OUTPUT
    return _by_role(server, engines, members.get(server.facts.address, ()))


def _by_role(server: Watched, engines: Iterable[Watched], deployment: tuple[str, ...]) -> Counting:
    roles = {engine.role for engine in engines if engine.facts.address in deployment}
    return AT_THE_OTHER_HALF.get(server.role, HERE) if roles >= {PREFILL, DECODE} else HERE


def output_elsewhere(words: str) -> bool:
    """Whether these words on a server say that its output tokens are added up at another one."""
    return words.startswith(("shown, ", "prompt here, output at"))
