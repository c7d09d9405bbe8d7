"""Whose the power and the rent of each GPU are at one moment: a deployment's, several ones' by tokens, or nobody's."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from functools import cached_property
from typing import Final, NamedTuple

import msgspec

from collectors.readings import Layer
from tokwatch.ledger.counting import NO_OUTPUT
from tokwatch.ledger.devices import device_word
from tokwatch.ledger.economics.token_cost import Tokens, weighted
from tokwatch.ledger.entries import GpuEntry, State
from tokwatch.ledger.figures import known_total, tokens_per_joule, total, unknown, usd_per_million
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.prices.token_prices import Tokens as TokenList
from tokwatch.ledger.registry import owner_units
from tokwatch.ledger.snapshot import Figure

NOBODYS: Final = frozenset(
    {State.UNALLOCATED, State.HELD, State.LOST}
)  # not a server's fault, though it is placed there
OF_ANOTHER_USER = "server of another user: accept it in the config"
NOT_PLACED = "placed on no GPU"


class Account(NamedTuple):
    """Who pays: the servers that make their tokens together, or what is left over."""

    servers: tuple[int, ...] = ()  # ascending
    shared_idle: bool = False  # what several share and none of them used


UNASSIGNED: Final = Account()
SHARED_IDLE: Final = Account(shared_idle=True)


class Accounts:
    """The accounts of one Moment. The parts of a GPU add up to it, so the accounts add up to the GPUs."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self._on_gpu = {entry.entity: self._owners(entry) for _, entry in moment.gpus}
        self._of_server = {
            server: account for on in self._on_gpu.values() for account in on for server in account.servers
        }
        self._gpus_of: dict[Account, list[int]] = {}
        for gpu, on in self._on_gpu.items():
            for account in on:
                self._gpus_of.setdefault(account, []).append(gpu)
        self._bodies = {entry.entity: body for body, entry in moment.gpus}

    def on_gpu(self, gpu: int) -> tuple[Account, ...]:
        """The accounts that have a GPU together; none where it serves nothing that is in the money."""
        return self._on_gpu.get(gpu, ())

    def of_server(self, server: int) -> Account:
        """The account that a server's tokens belong to: its own where it is on no GPU."""
        return self._of_server.get(server, Account((server,)))

    def gpus_of(self, account: Account) -> list[int]:
        """Its GPUs, by index."""
        return self._gpus_of.get(account, [])

    def shared(self, gpu: int) -> bool:
        """Figures of this GPU's accounts rest on an allocation."""
        return len(self.on_gpu(gpu)) > 1

    @property
    def all(self) -> tuple[Account, ...]:
        """Every account that has a part of a GPU, what is left over last."""
        return (*sorted(self._gpus_of), SHARED_IDLE, UNASSIGNED)

    # --- what it pays for -----------------------------------------------------------------------------------------

    def part(self, gpu: int, account: Account) -> float:
        """Which part of a GPU is the account's, 0..1: all of it, or by the weight of its tokens over the window."""
        on = self.on_gpu(gpu)
        if not on or State(self._moment.state(gpu).state) in NOBODYS:
            return float(account == UNASSIGNED)
        if len(on) == 1:
            return float(account == on[0])
        models = {model for each in on for model in self._models(each)}
        weights = {each: self._weight(each, models) for each in on}
        every = sum(weights.values())
        return weights.get(account, 0.0) / every if every else float(account == SHARED_IDLE)

    def usd_per_hour(self, account: Account) -> Figure:
        """The account's part of the price of its GPUs."""
        return self._parts(account, lambda gpu: self._moment.rate_usd_per_hour(gpu, self.servers_on(gpu)))

    def watts(self, account: Account) -> Figure:
        """The account's part of what its GPUs draw."""
        return self._parts(account, lambda gpu: self._moment.watts(gpu, self.servers_on(gpu)))

    # --- what it makes --------------------------------------------------------------------------------------------

    def output_tok_s(self, account: Account) -> Figure:
        """Output tokens a second of its servers, each counted once."""
        return self.rate(account.servers, "output_tokens", "nothing served")

    def rate(self, servers: Sequence[int], field: str, why: str) -> Figure:
        """One counter of FlowTotals of the servers per second, each token once; `why` when there are none.

        Of a server that does not tell it, nothing is left out where another server counts it.
        """
        rates = {server: self._rate(server, field) for server in servers}
        belong = [rate for server, rate in rates.items() if rate.value is not None or not self.elsewhere(server, field)]
        return known_total(belong or rates.values(), why)

    def elsewhere(self, server: int, field: str) -> bool:
        """Another server counts this counter of it: by the rule of `counting`, or as the router before it."""
        if self._moment.elsewhere(server, field):
            return True
        body = self._moment.server(server)
        if body is None or body.layer != Layer.ENGINE:
            return False
        if body.counts == NO_OUTPUT.words:  # Dynamo's workers: which of the routers is before it need not be known
            return bool(self._counting_fronts)
        return any(member in self._counting_fronts for member in self.of_server(server).servers)

    def usd_per_m_output(self, server: int) -> Figure:
        """What a million output tokens of the server's deployment cost, marked where its GPUs are shared."""
        if not self._moment.counted(server):
            return unknown(OF_ANOTHER_USER)
        account = self.of_server(server)
        if not self.gpus_of(account):
            return unknown(NOT_PLACED)
        rent = self.usd_per_hour(account)
        return usd_per_million(
            rent,
            self.output_tok_s(account),
            few=self._moment.few(account.servers),
            warm=self._moment.warm(account.servers),
        )

    def tok_per_j(self, server: int) -> Figure:
        """Output tokens per joule of the server's deployment; unknown where its GPUs are shared: power has no parts."""
        account = self.of_server(server)
        gpus = self.gpus_of(account)
        if not gpus:
            return unknown(NOT_PLACED)
        if any(map(self.shared, gpus)):
            drawn = total((self._moment.watts(gpu) for gpu in gpus), NOT_PLACED)
            device = device_word(self._bodies[gpu].kind for gpu in gpus)
            return unknown(drawn.why or f"shares its {device}s: tokens per watt are told per {device} only")
        tok_s = self.output_tok_s(account)
        if not tok_s.value:
            return unknown(tok_s.why or "no tokens")
        return tokens_per_joule(tok_s, self.watts(account), few=self._moment.few(account.servers))

    # --- within ---------------------------------------------------------------------------------------------------

    @cached_property
    def _counting_fronts(self) -> frozenset[int]:
        """Routers and gateways whose own output tokens are added up."""
        return frozenset(
            server
            for server, body in self._moment.servers
            if body.layer != Layer.ENGINE
            and body.verified
            and not self._moment.elsewhere(server, "output_tokens")
            and self._rate(server, "output_tokens").value is not None
        )

    def _owners(self, entry: GpuEntry) -> tuple[Account, ...]:
        owner = self._moment.view.entities.get(entry.owner)
        units = owner_units(owner) if owner else ()
        present = (tuple(server for server in unit if server in self._moment.view.servers) for unit in units)
        return tuple(Account(servers) for servers in present if servers)

    def _parts(self, account: Account, of_gpu: Callable[[int], Figure]) -> Figure:
        gpus = self.gpus_of(account) if account.servers else self._on_gpu
        parts = [(gpu, part) for gpu in gpus if (part := self.part(gpu, account))]
        return total((self._scaled(of_gpu(gpu), gpu, part, account) for gpu, part in parts), "no part of a GPU")

    def _scaled(self, whole: Figure, gpu: int, part: float, account: Account) -> Figure:
        if whole.value is None or not (account.servers and self.shared(gpu)):
            return whole
        return allocated(msgspec.structs.replace(whole, value=whole.value * part))

    def _models(self, account: Account) -> list[str]:
        return [body.model for server in account.servers if (body := self._moment.server(server))]

    def _weight(self, account: Account, models: Set[str]) -> float:
        """Its tokens a second at the list of token prices; as they are where one of the models has no list."""
        version = self._moment.version
        weighing = (version.prices.tokens if version else TokenList()).weighing(models)
        weight = 0.0
        for server, model in zip(account.servers, self._models(account), strict=True):
            prompt, cached = self._amount(server, "prompt_tokens"), self._amount(server, "cached_tokens")
            tokens = Tokens(max(0.0, prompt - cached), cached, self._amount(server, "output_tokens"))
            weight += weighted(tokens, weighing.of(model))
        return weight

    def _amount(self, server: int, field: str) -> float:
        return self._rate(server, field).value or 0.0

    def _rate(self, server: int, field: str) -> Figure:
        return self._moment.token_rate(server, field, counted=True)

    def servers_on(self, gpu: int) -> list[int]:
        return [server for account in self.on_gpu(gpu) for server in account.servers]


def allocated(figure: Figure) -> Figure:
    """The figure, marked as resting on a division of what was measured only as a whole."""
    if figure.value is None and not figure.infinite:
        return figure
    return msgspec.structs.replace(figure, marks=tuple(sorted({*figure.marks, "allocated"})))
