"""Quarter rows of a period as accounts: by who pays and, where asked for, by GPU and by quarter hour. One pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from tokwatch.exports.allocation import BY_PRICE, BY_TOKENS, Allocation, Payer, together
from tokwatch.exports.allocation import UNASSIGNED as NOBODY
from tokwatch.exports.background import Background
from tokwatch.exports.flow_sums import tokens_of
from tokwatch.exports.hours import HOUR_MS, hour_of
from tokwatch.exports.money.account import Account, Who
from tokwatch.exports.money.alike import Alike
from tokwatch.exports.money.traffic import Named, made, named
from tokwatch.exports.names import FlowName
from tokwatch.exports.pricing import Pricing
from tokwatch.exports.showback import FlowPart, shown_back
from tokwatch.exports.traffic import Traffic
from tokwatch.ledger.accounts import NOBODYS
from tokwatch.ledger.charges import Charges
from tokwatch.ledger.economics.token_cost import Tokens, added
from tokwatch.ledger.entries import State
from tokwatch.store.quarter_rows import FlowQuarter, GpuQuarter
from tokwatch.store.quarters import Quarters
from tokwatch.store.rollup import QUARTER_MS

Unit = tuple[int, ...]


@dataclass(slots=True)
class Window:
    """A quarter hour of one deployment."""

    charges: Charges = field(default_factory=Charges)
    tokens: list[Tokens] = field(default_factory=list)


@dataclass
class Period:
    """What the quarter rows of a period add up to."""

    accounts: dict[Who, Account] = field(default_factory=lambda: defaultdict(Account))
    verified: dict[Who, bool] = field(default_factory=dict)
    of_gpu: dict[tuple[Who, int], Account] = field(default_factory=lambda: defaultdict(Account))
    windows: dict[tuple[str, int], Window] = field(default_factory=lambda: defaultdict(Window))  # deployment, quarter
    of_gpu_model: dict[str, Charges] = field(default_factory=lambda: defaultdict(Charges))
    unobserved: Charges = field(default_factory=Charges)
    watched_ms: int = 0  # by any GPU
    gpus: set[int] = field(default_factory=set)
    currencies: set[str] = field(default_factory=set)
    simulated: bool = False


class _Hour:
    """The rows of one hour, and who is whom in it."""

    def __init__(self, hour_ms: int, gpus: Sequence[GpuQuarter], flows: Iterable[FlowPart], of: Gathering) -> None:
        self.hour_ms, self.gpus = hour_ms, gpus
        owners = sorted({gpu.owner for gpu in gpus} - {0})
        self.units = together(of.background.names.units(owner) for owner in owners)
        self.flows = [(self._named(flow.name), flow.name.servers[0], flow.quarter) for flow in flows]
        self.of_unit: dict[Unit, set[FlowName]] = defaultdict(set)
        for name, _, _ in self.flows:
            self.of_unit[name.servers].add(name)

    def _named(self, own: FlowName) -> FlowName:
        return own._replace(servers=self.units.get(own.servers[0], own.servers))

    @property
    def division(self) -> Hashable:
        """Hours in which the same servers are together and have the same flows are shared out alike."""
        return frozenset(self.units.items()), frozenset((unit, frozenset(of)) for unit, of in self.of_unit.items())


class Gathering:
    """Takes the quarter rows of a period, stretch by stretch, and keeps their sums only."""

    def __init__(
        self, background: Background, to_ms: int, *, each_gpu: bool = False, each_quarter: bool = False
    ) -> None:
        """to_ms: names are those at the period's end."""
        self.background, self.period = background, Period()
        self._to_ms, self._each_gpu, self._each_quarter = to_ms, each_gpu, each_quarter

    def take(self, quarters: Quarters, hours: Iterable[int]) -> None:
        """The rows of some hours; no other stretch has rows of the same hours."""
        pricing = Pricing(quarters, self.background)
        gpus: dict[int, list[GpuQuarter]] = {hour_ms: [] for hour_ms in hours}
        for gpu in quarters.gpus:
            gpus.setdefault(hour_of(gpu.quarter_ms), []).append(gpu)
        flows = shown_back(quarters, self.background.names)
        alike: dict[Hashable, list[_Hour]] = defaultdict(list)
        for hour_ms in sorted(gpus.keys() | flows.keys()):
            rows = gpus.get(hour_ms, [])
            self._watch(hour_ms, rows, pricing)
            hour = _Hour(hour_ms, rows, flows.get(hour_ms, ()), self)
            version = self.background.book.at(hour_ms + HOUR_MS - 1)
            alike[hour.division, version.id if version else 0].append(hour)
        for together_ in alike.values():
            self._book(together_, pricing)
        runs = {row.run for row in quarters.gpus} | {row.run for row in quarters.flows}
        self.period.simulated |= not runs.isdisjoint(self.background.simulated)

    # --- within ---------------------------------------------------------------------------------------------------

    def _watch(self, hour_ms: int, rows: Sequence[GpuQuarter], pricing: Pricing) -> None:
        """What was watched of an hour, and what the rest of it cost."""
        quarters = range(hour_ms, hour_ms + HOUR_MS, QUARTER_MS)
        watched_ms: dict[int, dict[int, int]] = defaultdict(lambda: dict.fromkeys(quarters, 0))
        by_gpu: dict[int, list[GpuQuarter]] = defaultdict(list)
        for row in rows:
            by_gpu[row.entity].append(row)
            watched_ms[row.entity][row.quarter_ms] += row.observed_ms
        for gpu in sorted({*by_gpu, *self.background.presence.gpus(hour_ms, hour_ms + HOUR_MS)}):
            if all(ms >= QUARTER_MS for ms in watched_ms[gpu].values()):
                continue
            self.period.unobserved.add(pricing.unobserved(gpu, hour_ms, by_gpu.get(gpu, ())))
        for quarter_ms in quarters:
            longest_ms = max((of_gpu[quarter_ms] for of_gpu in watched_ms.values()), default=0)
            self.period.watched_ms += min(QUARTER_MS, longest_ms)
        self.period.gpus |= watched_ms.keys()
        currency = self.background.currency(hour_ms)
        if currency is not None and rows:
            self.period.currencies.add(currency)

    def _book(self, hours: Sequence[_Hour], pricing: Pricing) -> None:
        """Hours that are shared out alike, under one list of token prices."""
        token_list = self.background.token_list(hours[0].hour_ms)
        first = hours[0]
        names: dict[Payer, Named] = {}

        def who(payer: Payer) -> Who:
            if payer not in names:
                units = {first.units.get(server, (server,)) for server in payer.servers}
                models = {flow.model for unit in units for flow in first.of_unit.get(unit, ())}
                names[payer] = named(
                    payer, self.background, token_list, self._to_ms, models=models, alone=len(units) == 1
                )
                self.period.verified[names[payer].who] = names[payer].verified
            return names[payer].who

        tokens: dict[tuple[int, FlowName], list[Tokens]] = defaultdict(list)
        for hour in hours:
            self._book_traffic(hour, who)
            for name, _, flow in hour.flows:
                tokens[flow.quarter_ms, name].append(_tokens(flow))
        sums = {key: added(parts) for key, parts in tokens.items()}
        allocation = Allocation(self.background.names, pricing, token_list, first.units, first.of_unit, sums)

        def divided(owner: int) -> bool:
            units = {first.units[server] for unit in self.background.names.units(owner) for server in unit}
            return len(units) > 1 or sum(len(first.of_unit.get(unit, ())) for unit in units) > 1

        dividing = {owner: divided(owner) for owner in {row.owner for hour in hours for row in hour.gpus} if owner}
        dividing[0] = False
        alike = Alike(pricing.rates, each_gpu=self._each_gpu, each_quarter=self._each_quarter)
        for row in alike.added((row for hour in hours for row in hour.gpus), dividing.__getitem__):
            shares = allocation.shares(row)
            of_gpu_model = self.period.of_gpu_model[pricing.rates.model(row.entity, row.quarter_ms)]
            sharing = {who(share.payer) for share in shares if share.allocation in (BY_TOKENS, BY_PRICE)}
            for payer, charges, method in shares:
                of_gpu_model.add(charges)
                shared_with = sharing if method in (BY_TOKENS, BY_PRICE) else frozenset()
                self._book_share(who(payer), row, charges, _idle(payer, row, charges), shared_with)

    def _book_traffic(self, hour: _Hour, who: Callable[[Payer], Who]) -> None:
        traffic: dict[Who, Traffic] = {}
        for name, server, flow in hour.flows:
            whose = who(Payer(name.servers, name))
            if whose not in traffic:
                traffic[whose] = Traffic(hour.hour_ms, whose.model, whose.tier, self.background)
            traffic[whose].add(flow, server)
            if self._each_quarter:
                self.period.windows[whose.deployment, flow.quarter_ms].tokens.append(_tokens(flow))
        for whose, each in traffic.items():
            self.period.accounts[whose].made.add(made(whose, each))

    def _book_share(
        self,
        who: Who,
        row: GpuQuarter,
        charges: Charges,
        idle: list[tuple[int, Charges]],
        shared_with: AbstractSet[Who],
    ) -> None:
        self.period.accounts[who].book(charges, idle, shared_with)
        if self._each_gpu:
            self.period.of_gpu[who, row.entity].book(charges, idle)
        if self._each_quarter:
            self.period.windows[who.deployment, row.quarter_ms].charges.add(charges)


def _tokens(flow: FlowQuarter) -> Tokens:
    return tokens_of(flow.prompt_tokens, flow.cached_tokens, flow.output_tokens)


def _idle(payer: Payer, row: GpuQuarter, charges: Charges) -> list[tuple[int, Charges]]:
    """Which idle states the idle part of a share is of: by their time, as its energy is divided."""
    if not charges.idle:
        return []
    states = [state for state in row.state_ms if State(state).idle]
    if row.owner:
        states = [state for state in states if (state in NOBODYS) == (payer == NOBODY)]
    whole = Charges(idle=charges.idle)
    if len(states) <= 1:
        return [(next(iter(states), State.UNKNOWN.value), whole)]
    return list(zip(states, whole.split([row.state_ms[state] for state in states]), strict=True))
